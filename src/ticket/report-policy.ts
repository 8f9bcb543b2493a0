import { MINUTE_MS, type LaneCounts, type MinuteCounts, type Snapshot } from "../model/ticket-report";
import { headOf, notBeforeMsOf, waitingCount, type Lane } from "./lane";
import type { TicketRow } from "./schema";
import { LANES, type LaneName, type MessageState } from "../model/timeline";

/**
 * What a ticket tells its tenant's index, and whether it is time to. Pure. Told against what it is now: so a report that was
 * never heard is one that is still to be made, whatever happened in between.
 */

/** What the index acknowledged last; `heads` are each lane's first message that was not settled then. */
export type Told = Snapshot & { heads: Record<LaneName, number> };
/** A lane by its name, out of the ticket's image. */
type Lanes = (name: LaneName) => Lane;

/** From then on a message counts as waiting. */
export const WAITING_MS = 5_000;
/** A telling writes three rows in all: at so many messages that is a tenth of a row for each. */
const BATCH = 32;
/** A slow conversation is told when so much time has passed, in pieces that still cost under 0.2 rows a message … */
const SLOW_MS = 10 * 60_000;
const SLOW_BATCH = 20;
/** … and one that hardly goes on, at last. */
const LONGEST_UNTOLD_MS = 3600_000;
/** A queue that moves is no news; that its oldest is younger by this much is. */
const MOVED_MS = 60_000;

export function countsOf(lane: Lane): LaneCounts {
  const { accepted, dead } = lane;
  const waiting = waitingCount(lane);
  return { accepted, delivered: accepted - waiting - dead, waiting, dead };
}

const firstUnsettled = (lane: Lane): number => headOf(lane) ?? lane.accepted + 1;

export const headsOf = (laneOf: Lanes): Told["heads"] => ({
  toDesk: firstUnsettled(laneOf("toDesk")),
  toDolphins: firstUnsettled(laneOf("toDolphins")),
});

/** `acceptedAtMs` gives when a waiting message was accepted. */
export function snapshotOf(
  ticket: TicketRow,
  laneOf: Lanes,
  time: { nowMs: number; openedAtMs: number },
  acceptedAtMs: (lane: LaneName, sequence: number) => number,
): Snapshot {
  const { ticketNumber, channel, contactId, customerName, state } = ticket;
  const waitingSince: number[] = [];
  const nextAttempts: number[] = [];
  for (const name of LANES) {
    const lane = laneOf(name);
    const head = headOf(lane);
    if (head === undefined) continue;
    const sinceMs = acceptedAtMs(name, head);
    if (sinceMs <= time.nowMs - WAITING_MS) waitingSince.push(sinceMs);
    const notBeforeMs = notBeforeMsOf(lane);
    if (notBeforeMs > 0) nextAttempts.push(notBeforeMs);
  }
  return {
    ticketNumber,
    atMs: time.nowMs,
    openedAtMs: time.openedAtMs,
    channel,
    contactId,
    customerName,
    state,
    lanes: { toDesk: countsOf(laneOf("toDesk")), toDolphins: countsOf(laneOf("toDolphins")) },
    ...(waitingSince.length > 0 ? { waitingSinceMs: Math.min(...waitingSince) } : {}),
    ...(nextAttempts.length > 0 ? { nextAttemptAtMs: Math.min(...nextAttempts) } : {}),
  };
}

const NOTHING: LaneCounts = { accepted: 0, delivered: 0, waiting: 0, dead: 0 };
const waitingOf = ({ lanes }: Snapshot): number => lanes.toDesk.waiting + lanes.toDolphins.waiting;
const newMessages = (before: LaneCounts, accepted: number, delivered: number): number =>
  Math.max(accepted - before.accepted, delivered - before.delivered);

/**
 * Whether there is something to tell at once: asked for every message, so a few comparisons and no row read. That a ticket
 * was opened is told with the first that is, or when its first alarm fires: not while its first message is on its way.
 */
export function isNews(told: Told | undefined, ticket: TicketRow, laneOf: Lanes): boolean {
  if (ticket.state !== (told?.state ?? "open")) return true;
  if (told && !isSamePerson(told, ticket)) return true;
  let untold = 0;
  let waiting = 0;
  for (const name of LANES) {
    const lane = laneOf(name);
    const before = told?.lanes[name] ?? NOTHING;
    if (lane.dead !== before.dead) return true;
    const stillWaiting = waitingCount(lane);
    untold += newMessages(before, lane.accepted, lane.accepted - stillWaiting - lane.dead);
    waiting += stillWaiting;
  }
  return untold >= BATCH || (waiting === 0 && told?.waitingSinceMs !== undefined);
}

const isSamePerson = (told: Told, { channel, contactId, customerName }: TicketRow): boolean =>
  told.contactId === contactId && told.customerName === customerName && told.channel === channel;

/** Whether there is something to tell that is looked for only when the object is awake anyway. */
export function isWorthTelling(told: Told | undefined, now: Snapshot): boolean {
  if (!told) return true;
  if ((told.waitingSinceMs === undefined) !== (now.waitingSinceMs === undefined)) return true;
  if ((now.waitingSinceMs ?? 0) - (told.waitingSinceMs ?? 0) > MOVED_MS) return true;
  if (waitingOf(told) > 0 && waitingOf(now) === 0) return true;
  const untold = LANES.reduce(
    (sum, name) => sum + newMessages(told.lanes[name], now.lanes[name].accepted, now.lanes[name].delivered),
    0,
  );
  const quietMs = now.atMs - told.atMs;
  return (untold >= SLOW_BATCH && quietMs >= SLOW_MS) || (untold > 0 && quietMs >= LONGEST_UNTOLD_MS);
}

/** Whether the index knows anything otherwise than it is. */
export function differs(told: Told | undefined, now: Snapshot): boolean {
  if (!told) return true;
  const { heads: _, ...before } = told;
  return JSON.stringify({ ...before, atMs: 0 }) !== JSON.stringify({ ...now, atMs: 0 });
}

/** A message as a report counts it; `settledAtMs` is the end of its last attempt. */
export type Counted = { sequence: number; acceptedAtMs: number; state: MessageState; settledAtMs: number };

/** What happened in a lane since it was told, minute by minute: when each message was accepted, delivered or given up. */
export function minutesOf(lane: LaneName, messages: readonly Counted[], told: Told | undefined): MinuteCounts[] {
  const minutes = new Map<number, MinuteCounts>();
  const at = (ms: number) => {
    const minute = Math.floor(ms / MINUTE_MS);
    const known = minutes.get(minute);
    if (known) return known;
    const counts = { minute, lane, accepted: 0, delivered: 0, dead: 0, lagSumMs: 0, lagMaxMs: 0 };
    minutes.set(minute, counts);
    return counts;
  };
  for (const { sequence, acceptedAtMs, state, settledAtMs } of messages) {
    const isNew = sequence > (told?.lanes[lane].accepted ?? 0);
    if (isNew) at(acceptedAtMs).accepted++;
    if (state === "waiting" || (!isNew && settledAtMs < (told?.atMs ?? 0))) continue;
    const counts = at(settledAtMs);
    if (state === "dead") counts.dead++;
    if (state !== "delivered") continue;
    const lagMs = Math.max(0, settledAtMs - acceptedAtMs);
    counts.delivered++;
    counts.lagSumMs += lagMs;
    counts.lagMaxMs = Math.max(counts.lagMaxMs, lagMs);
  }
  return [...minutes.values()];
}
