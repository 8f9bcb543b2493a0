import type { LaneName, LaneView, TimelineMessage } from "../api/types";
import { useNow } from "../lib/every";
import { tenantHref } from "../lib/route";
import { span, took } from "../lib/times";
import { useTenant } from "../tenant/context";
import { useTimes, useWords } from "../words/language";
import { adviceFor, type Failure } from "./failure";
import { storyOf, type Story } from "./story";

/** Quoted of an answer in a sentence; the whole of what is kept stands with the attempt. */
const QUOTED = 120;

type Props = { name: LaneName; lane: LaneView; messages: TimelineMessage[] };

/** How one lane stands: its counts, the sentence that says why it waits and until when, and what to do. */
export function LaneStory({ name, lane, messages }: Props) {
  const words = useWords();
  const { tenant } = useTenant();
  const nowMs = useNow(1000);
  const story = storyOf(lane, messages, nowMs);
  const failure = "failure" in story ? story.failure : undefined;
  const sequence = "sequence" in story ? story.sequence : undefined;
  const target = messages.find(
    (message) => sequence !== undefined && message.sequence === sequence && isDrawn(message.id),
  );
  return (
    <section class={`story story-${story.kind}`} aria-label={words.lane[name]}>
      <h2>
        <span class={`lane-mark lane-mark-${name}`} aria-hidden="true" />
        {words.lane[name]}
      </h2>
      <p class="sentence">
        {useSentence(story, name, nowMs)}{" "}
        {target && (
          <button type="button" class="quiet small" onClick={() => goTo(target.id)}>
            {words.goToMessage}
          </button>
        )}
      </p>
      {failure && (
        <p class="advice">
          <strong>{words.whatToDo}</strong> {words.advice[adviceFor(failure)](words.farEnd[name])}{" "}
          {story.kind === "dead" ? words.thenReplay : words.triesUntil(tenant.delivery, span)}{" "}
          {needsSettings(failure) && <a href={tenantHref(tenant.owner, "settings")}>{words.openSettings}</a>}
        </p>
      )}
      <p class="sub">
        {words.nAccepted(lane.accepted)} · {words.nDelivered(lane.delivered)} · {words.nWaiting(lane.waiting)} ·{" "}
        {words.nDead(lane.dead)}
      </p>
    </section>
  );
}

/** The head of a lane may stand before the messages of the page. */
const isDrawn = (id: string): boolean => document.getElementById(id) !== null;

function goTo(id: string): void {
  const message = document.getElementById(id);
  message?.scrollIntoView({ block: "center" });
  message?.focus({ preventScroll: true });
}

const needsSettings = (failure: Failure): boolean =>
  ["checkSecret", "checkLogin", "checkUrl", "fixUrl", "tooSlow", "checkNetwork", "checkAddress", "checkName"].includes(
    adviceFor(failure),
  );

function useSentence(story: Story, name: LaneName, nowMs: number): string {
  const words = useWords();
  const times = useTimes();
  const clock = (iso: string) => times.clock(iso, nowMs);
  const said = (failure: Failure) => sayFailure(failure, words.farEnd[name], words);
  switch (story.kind) {
    case "quiet":
      return words.story.quiet(story.delivered);
    case "sending":
      return words.story.sending(story.sequence, clock(story.since), story.waiting);
    case "waiting": {
      const { sequence, since, waiting, failure, nextAttemptAt } = story;
      const why = failure ? said(failure) : words.story.unknownWhy;
      const until =
        nextAttemptAt === undefined
          ? words.story.dueNow
          : words.story.next(clock(nextAttemptAt), span(Date.parse(nextAttemptAt) - nowMs, words.units));
      return words.story.waiting({ since: clock(since), sequence, why, until, behind: waiting - 1 });
    }
    case "dead": {
      const { dead, sequence, at, failure } = story;
      if (sequence === undefined || at === undefined || !failure) return words.story.dead(dead);
      return words.story.deadWhy({ dead, sequence, at: clock(at), why: said(failure) });
    }
  }
}

function sayFailure(failure: Failure, who: string, words: ReturnType<typeof useWords>): string {
  switch (failure.kind) {
    case "answered":
      return words.why.answered(who, failure.status, quoted(failure.answer));
    case "saidFailure":
      return words.why.saidFailure(who, failure.status, quoted(failure.answer));
    case "unreached":
      return words.why.unreached(who, failure.status);
    case "timeout":
      return words.why.timeout(who, took(failure.ms, words.units));
    case "unreachable":
      return words.why.unreachable(who, quoted(failure.detail));
    case "login":
      return words.why.login(who, quoted(failure.detail));
    case "blocked":
      return words.why.blocked(who, failure.detail);
    case "other":
      return words.why.other(who, quoted(failure.detail));
  }
}

function quoted(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > QUOTED ? `${line.slice(0, QUOTED)}…` : line;
}
