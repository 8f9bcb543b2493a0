import { useEffect, useRef, useState } from "preact/hooks";
import { readTicket, replayTicket } from "../api/relay";
import { LANES, type TimelineMessage } from "../api/types";
import { useEvery } from "../lib/every";
import { useLoad } from "../lib/load";
import { tenantHref, tenantsHref } from "../lib/route";
import { useMay } from "../operator";
import { PageHeading } from "../parts/heading";
import { ErrorNotice, Loading, Notice } from "../parts/notice";
import { ReplayDialog } from "../parts/replay-dialog";
import { useHappenings, useTenant } from "../tenant/context";
import { useWords } from "../words/language";
import { LaneStory } from "./lane-story";
import { MessageList } from "./message-list";
import { readWithHeads } from "./read";
import { TicketHead } from "./ticket-head";

/** Quiet progress is reported to the index in batches: what its events do not say at once is asked for. */
const WAITING_EVERY_MS = 3000;
const QUIET_EVERY_MS = 15_000;

/** One ticket: why each lane waits, and every attempt of every message. */
export function TicketPage({ ticketNumber, linked }: { ticketNumber: string; linked: string | undefined }) {
  const words = useWords();
  const { tenant, subscribe } = useTenant();
  const { owner } = tenant;
  const page = useLoad(`ticket ${owner} ${ticketNumber}`, (signal) => readWithHeads(owner, ticketNumber, signal));
  const [older, setOlder] = useState<{ messages: TimelineMessage[]; next: string | undefined }>();
  const [isReplaying, setReplaying] = useState(false);
  const [replayed, setReplayed] = useState<number>();
  const mayReplay = useMay("operator");
  const ticket = page.data;
  const isWaiting = LANES.some((lane) => (ticket?.lanes[lane].waiting ?? 0) > 0);

  useEvery(isWaiting ? WAITING_EVERY_MS : QUIET_EVERY_MS, page.reload);
  useHappenings(subscribe, (happening) => {
    if (happening.type === "gap") page.reload();
    if (happening.type === "ticket" && happening.ticket.ticketNumber === ticketNumber) page.reload();
  });

  const next = older ? older.next : ticket?.next;
  const readOlder = async () => {
    if (next === undefined) return;
    const before = await readTicket(owner, ticketNumber, { before: next });
    setOlder({ messages: [...before.messages, ...(older?.messages ?? [])], next: before.next });
  };
  useLinked(linked, ticket && { shown: older?.messages.length ?? 0, next, readOlder });

  if (!ticket) {
    if (!page.error) return <Loading />;
    return (
      <>
        <nav class="crumbs" aria-label={words.crumbs}>
          <a href={tenantsHref}>{words.tenants.title}</a> / <a href={tenantHref(owner)}>{tenant.name}</a>
        </nav>
        <PageHeading title={words.ticket.title(ticketNumber)} />
        <ErrorNotice error={page.error} retry={page.reload} />
      </>
    );
  }

  const messages = merged(older?.messages ?? [], ticket.messages);
  const dead = LANES.reduce((sum, lane) => sum + ticket.lanes[lane].dead, 0);

  return (
    <>
      <TicketHead ticket={ticket}>
        {dead > 0 && mayReplay && (
          <button type="button" class="primary" onClick={() => setReplaying(true)}>
            {words.replay.start(dead)}
          </button>
        )}
      </TicketHead>
      {page.error && <ErrorNotice error={page.error} retry={page.reload} />}
      {replayed !== undefined && <Notice tone="good">{words.replay.done(replayed)}</Notice>}
      <div class="stories">
        {LANES.map((lane) => (
          <LaneStory
            key={lane}
            name={lane}
            lane={ticket.lanes[lane]}
            messages={[...ticket.heads, ...messages].filter((message) => message.lane === lane)}
          />
        ))}
      </div>
      <MessageList
        ticketNumber={ticketNumber}
        messages={messages}
        older={next === undefined ? undefined : () => void readOlder()}
      />
      {isReplaying && (
        <ReplayDialog
          replay={(dryRun) => replayTicket(owner, ticketNumber, { all: true }, dryRun)}
          nameOf={(id) => nameOf(messages, id, words)}
          onClose={() => setReplaying(false)}
          onReplayed={(answer) => {
            setReplaying(false);
            setReplayed(answer.replayed.length);
            page.reload();
          }}
        />
      )}
    </>
  );
}

type Pages = { shown: number; next: string | undefined; readOlder: () => Promise<void> };

/** Leads to the message that a link names, however far back it stands; without one, to the newest of a long ticket. */
function useLinked(linked: string | undefined, pages: Pages | undefined): void {
  const arrivedAt = useRef<string | undefined>(undefined);
  useEffect(() => {
    const wanted = linked ?? NEWEST;
    if (!pages || arrivedAt.current === wanted) return;
    const list = document.querySelectorAll<HTMLElement>("article.message");
    const target = linked === undefined ? [...list].at(-1) : document.getElementById(linked);
    if (!target && linked !== undefined && pages.next !== undefined) {
      void pages.readOlder();
      return;
    }
    arrivedAt.current = wanted;
    const isLong = list.length > LONG;
    if (linked === undefined && !isLong) return;
    target?.scrollIntoView({ block: "center" });
    if (linked !== undefined) target?.focus({ preventScroll: true });
  }, [linked, pages === undefined, pages?.shown]);
}

const NEWEST = "newest";
/** Messages that fit on a screen or two. */
const LONG = 12;

/** Older pages were read once; where they overlap with the newest, the newest is right. */
function merged(older: TimelineMessage[], newest: TimelineMessage[]): TimelineMessage[] {
  const fresh = new Set(newest.map(({ id }) => id));
  return [...older.filter(({ id }) => !fresh.has(id)), ...newest];
}

function nameOf(messages: TimelineMessage[], id: string, words: ReturnType<typeof useWords>): string {
  const message = messages.find((each) => each.id === id);
  return message ? words.messageInLane(message.sequence, words.lane[message.lane]) : id;
}
