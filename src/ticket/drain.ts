import { elapsedMs } from "../lib/clock";
import { errorText, log } from "../lib/log";
import { newMessageId } from "../lib/message-id";
import type { Outcome } from "../egress/outcome";
import type { LaneName } from "../model/answers";
import type { DeadReason } from "../model/delivery";
import { isoTime, LANES } from "../model/timeline";
import type { NewMessage } from "./cache";
import { failureReport } from "./conversation";
import type { Delivered, Held } from "./deliver";
import type { TicketDeps } from "./deps";
import { nextStep, waitingCount } from "./lane";
import { isOfDesk } from "./receipts";
import { noAttempts, recordAttempt, type AttemptHistory, type Disposition } from "./retry";
import type { MessageRow, TicketRow } from "./schema";
import { placeOf, readEvent, sealAnswer } from "./stored-text";

/** How long a message waits whose outcome could not be recorded. */
const UNRECORDED_MS = 5_000;
/** The platform limits the subrequests of one invocation. So a run ends after this many, and the alarm starts the next. */
const ATTEMPTS_PER_RUN = 400;
const NEXT_RUN_MS = 10;
const LOGGED_AS = { delivered: "delivered", waiting: "attempt_failed", dead: "dead_letter" };

/** Starts whatever is due, and has the alarm stand for the rest. */
export function wake(deps: TicketDeps, nowMs: number): void {
  deps.unheard.startIfDue(nowMs);
  for (const lane of LANES) {
    if (deps.unheard.heldUntilMs() <= nowMs) deps.cache.take(lane, nowMs);
    startIfDue(lane, deps, nowMs);
  }
  deps.mapping.writeIfDue();
  deps.receipts.startIfDue(nowMs);
  setAlarm(deps, nowMs);
}

function startIfDue(lane: LaneName, deps: TicketDeps, nowMs: number): void {
  if (nextStep(deps.cache.lane(lane), nowMs).do === "deliver") deps.waitUntil(drain(lane, deps));
}

/** Has the alarm stand for the earliest work there is, and for `atMostMs` if that is earlier. */
export function setAlarm(deps: TicketDeps, nowMs: number, atMostMs = Number.POSITIVE_INFINITY): void {
  const { cache, alarm, mapping, receipts, unheard, reporter } = deps;
  const due = [mapping.dueMs(nowMs), receipts.dueMs(), unheard.dueMs(nowMs), reporter.dueMs(nowMs)];
  let dueMs = Math.min(atMostMs, ...due);
  let underWay = 0;
  for (const name of LANES) {
    const lane = cache.lane(name);
    const step = nextStep(lane, nowMs);
    dueMs = Math.min(dueMs, ...lane.lying.map(({ untilMs }) => Math.max(untilMs, unheard.heldUntilMs())));
    if (step.do === "wait") dueMs = Math.min(dueMs, step.untilMs);
    else if (!lane.paused || lane.inFlight !== undefined) underWay += waitingCount(lane) - lane.lying.length;
  }
  alarm.ensure(dueMs, nowMs);
  // A single message has only just been accepted. Where more wait, the alarm has to ring, so that this is reported to the index.
  if (underWay > 0) alarm.guard(nowMs, underWay === 1);
}

/**
 * Delivers a lane's messages one after another until none is due. The lane's `inFlight` lets in one run at a time. There is
 * no await between the outcome of one attempt and the start of the next, so both are one commit.
 */
async function drain(lane: LaneName, deps: TicketDeps): Promise<void> {
  for (let attempts = 0; ; attempts++) {
    const nowMs = deps.nowMs();
    const step = nextStep(deps.cache.lane(lane), nowMs);
    if (step.do !== "deliver") return setAlarm(deps, nowMs);
    if (attempts === ATTEMPTS_PER_RUN) return setAlarm(deps, nowMs, nowMs + NEXT_RUN_MS);
    const { life } = deps.cache;
    deps.cache.begin(lane, step.sequence);
    try {
      const attempt = prepare(lane, step.sequence, deps);
      const delivered = await deliver(attempt, deps);
      const ended = "held" in delivered ? delivered : await judge(attempt, delivered, deps);
      // The ticket was deleted meanwhile. If it has been opened anew, that has a run of its own.
      if (deps.cache.life !== life) return;
      if ("held" in ended) hold(attempt, ended, deps);
      else settle(attempt, ended, deps);
    } catch (error) {
      if (deps.cache.life !== life) return;
      log("settling_failed", { lane, sequence: step.sequence, error: errorText(error) });
      // If the outcome was recorded and something failed after that, there is nothing to give up.
      const isUnsettled = deps.cache.lane(lane).inFlight === step.sequence;
      if (isUnsettled) deps.cache.giveUp(lane, step.sequence, deps.nowMs() + UNRECORDED_MS);
    }
  }
}

type AttemptUnderWay = { message: MessageRow; history: AttemptHistory; startedAtMs: number };

function prepare(lane: LaneName, sequence: number, { cache, store, nowMs }: TicketDeps): AttemptUnderWay {
  const message = cache.message(lane, sequence);
  if (!message) throw new Error("a waiting message has no row");
  // Only a message that was tried before has a row of outcomes to read.
  const history = sequence <= cache.lane(lane).frontier ? store.readHistory(lane, sequence) : undefined;
  return { message, history: history ?? noAttempts(message.acceptedAtMs), startedAtMs: nowMs() };
}

function deliver({ message, history, startedAtMs }: AttemptUnderWay, deps: TicketDeps): Promise<Delivered | Held> {
  const { cache, closeEcho, texts } = deps;
  const { life, ticket } = cache;
  const { lane, id, sequence, kind, acceptedAtMs } = message;
  if (!ticket) throw new Error("a waiting message has no ticket");
  if (lane === "toDesk" && kind === "command") closeEcho.expect(message, startedAtMs);
  return deps.deliver(
    ticket,
    lane,
    { id, sequence, attempt: history.attemptCount + 1, acceptedAtMs, kind },
    () => readEvent(message, ticket, texts),
    {
      of: (farEnd) => cache.conversation(lane, farEnd),
      keep: (farEnd, conversation, since) => {
        if (cache.life === life) cache.keepConversation(lane, farEnd, conversation, since);
      },
      isNamed: (farEnd, name) => cache.isNamed(farEnd, name),
      keepNamed: (farEnd, name) => {
        if (cache.life === life) cache.keepNamed({ farEnd, name });
      },
    },
  );
}

/** The tenant has paused the lane, so nothing was sent. */
function hold({ message }: AttemptUnderWay, { held }: Held, { cache, nowMs }: TicketDeps): void {
  const { lane, sequence } = message;
  cache.withdraw(lane);
  cache.applyPause(lane, held, nowMs());
  const { owner, ticketNumber } = cache.ticket ?? {};
  log("held", { owner, ticketNumber, lane, sequence, messageId: message.id });
}

/** What is to be recorded of an attempt that has ended. */
type Judged = {
  outcome: Outcome;
  history: AttemptHistory;
  disposition: Disposition;
  nowMs: number;
  /** The desk shows at the message itself what became of it. */
  hasReceipt: boolean;
  report: NewMessage | undefined;
};

/** Says what becomes of the message. What people said in it is sealed here, since the settling waits for nothing. */
async function judge(
  { message, history: before, startedAtMs }: AttemptUnderWay,
  { outcome, policy, notifyFailures, hasReceipts }: Delivered,
  deps: TicketDeps,
): Promise<Judged> {
  const { cache, texts } = deps;
  const { ticket } = cache;
  if (!ticket) throw new Error("a waiting message has no ticket");
  const nowMs = deps.nowMs();
  const time = { startedAtMs, nowMs, pausedMs: cache.pausedMs(message.lane, before.roundStartedAtMs, nowMs) };
  const { history, disposition } = recordAttempt(before, outcome, policy, time, deps.random());
  const newest = history.attempts.at(-1);
  if (newest?.answer !== undefined) {
    const sealed = await sealAnswer(newest, message, ticket, texts);
    history.attempts = [...history.attempts.slice(0, -1), sealed];
  }
  const hasReceipt = hasReceipts && disposition.state !== "waiting" && isOfDesk(message);
  const report =
    disposition.state === "dead" && notifyFailures && !hasReceipt
      ? await failureMessage(ticket, message, disposition.reason, newest?.status, deps)
      : undefined;
  return { outcome, history, disposition, nowMs, hasReceipt, report };
}

/** Records how an attempt ended, and tells everybody who waits for that. */
function settle({ message, startedAtMs }: AttemptUnderWay, judged: Judged, deps: TicketDeps): void {
  const { cache, waiters, receipts, reporter } = deps;
  const { lane, sequence } = message;
  const { outcome, history, disposition, nowMs, hasReceipt, report } = judged;
  // What a desk is still owed is written before the outcome: for one that is not recorded it does no harm.
  if (hasReceipt) receipts.settled(message);
  cache.settle(message, history, disposition, nowMs, report);
  const { ticket } = cache;
  if (hasReceipt) receipts.startIfDue(nowMs);
  // Of the desk's lane alone: this one has a run, and another would not count the attempts of that.
  if (report) startIfDue("toDesk", deps, nowMs);
  if (disposition.state !== "waiting") {
    waiters.wake(`${lane}:${sequence}`);
    reporter.settled(lane, sequence);
  }
  reporter.reportIfDue("settled", nowMs);
  log(LOGGED_AS[disposition.state], {
    owner: ticket?.owner,
    ticketNumber: ticket?.ticketNumber,
    lane,
    sequence,
    messageId: message.id,
    attempt: history.attemptCount,
    ms: elapsedMs(startedAtMs, nowMs),
    status: "status" in outcome ? outcome.status : undefined,
    error: "error" in outcome ? outcome.error : undefined,
    nextAttemptAt: disposition.state === "waiting" ? isoTime(disposition.nextAttemptAtMs) : undefined,
    reason: disposition.state === "dead" ? disposition.reason : undefined,
  });
}

/** What a desk is told of a reply that it will not see delivered, as a message of its lane. */
async function failureMessage(
  ticket: TicketRow,
  message: MessageRow,
  reason: DeadReason,
  status: number | undefined,
  { texts }: TicketDeps,
): Promise<NewMessage> {
  const about = { id: newMessageId(), lane: "toDesk", kind: "failure" } as const;
  const said = await readEvent(message, ticket, texts);
  const report = failureReport(ticket, message, said.ok ? said.value : undefined, reason, status);
  const event = await texts.seal(ticket, placeOf(about), JSON.stringify(report));
  return { ...about, event, bytes: event.byteLength, suspectedDuplicate: false, idempotencyKey: undefined };
}
