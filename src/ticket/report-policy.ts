import { isRecent } from "../lib/clock";
import { LAG_BOUNDS_MS, MINUTE_MS, type LaneCounts, type MinuteCounts, type Snapshot } from "../model/ticket-report";
import { countsOf, headOf, notBeforeMsOf, takenUpTo, waitingCount, type Lane } from "./lane";
import { formerContactsOf } from "./conversation";
import type { TicketRow } from "./schema";
import type { LaneName, MessageState } from "../model/answers";
import { LANES } from "../model/timeline";

/**
 * What a ticket reports to its tenant's index, and when a report is due. Pure. What the index acknowledged last is compared
 * with the ticket as it is now. So a report that was lost is still due, whatever happened in between.
 */

/** What the index acknowledged last; `heads` are each lane's first message that was not settled then. */
export type LastReport = Snapshot & {
  heads: Record<LaneName, number>;
  /** Somebody looks at the tenant until then, epoch ms: whatever differs is worth a report. */
  watchedUntilMs?: number;
};
/** A lane by its name, out of the cache. */
type Lanes = (name: LaneName) => Lane;

/** From this age on a message counts as waiting. */
export const WAITING_MS = 5_000;
/** A report writes three rows in all. One for every 32 messages costs each of them a tenth of a row. */
const BATCH = 32;
/** A slow conversation is reported after ten minutes, if there are enough messages to keep the cost under 0.2 rows for each. */
const SLOW_MS = 10 * 60_000;
const SLOW_BATCH = 20;
/** After an hour whatever happened is reported, even if it is one message. */
const LONGEST_UNREPORTED_MS = 3600_000;
/** A waiting queue that moves on is reported again only when its oldest message is younger than the last one by this much. */
const MOVED_MS = 60_000;

const firstUnsettled = (lane: Lane): number => headOf(lane) ?? takenUpTo(lane) + 1;

export const headsOf = (laneOf: Lanes): LastReport["heads"] => ({
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
  const formerContacts = formerContactsOf(ticket);
  const waitingSince: number[] = [];
  const nextAttempts: number[] = [];
  for (const name of LANES) {
    const lane = laneOf(name);
    const head = headOf(lane);
    if (head === undefined) continue;
    const sinceMs = acceptedAtMs(name, head);
    if (!isRecent(sinceMs, time.nowMs, WAITING_MS)) waitingSince.push(sinceMs);
    const notBeforeMs = notBeforeMsOf(lane, time.nowMs);
    if (notBeforeMs > 0 && !lane.paused) nextAttempts.push(notBeforeMs);
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
    ...(formerContacts.length > 0 ? { formerContacts } : {}),
  };
}

const NOTHING: LaneCounts = { accepted: 0, delivered: 0, waiting: 0, dead: 0 };
const waitingOf = ({ lanes }: Snapshot): number => lanes.toDesk.waiting + lanes.toDolphins.waiting;
const newMessages = (before: LaneCounts, accepted: number, delivered: number): number =>
  Math.max(accepted - before.accepted, delivered - before.delivered);

/**
 * Whether a report is due at once. This is asked after every message, so it makes a few comparisons and reads no row. That a
 * ticket was opened does not make a report due by itself: its first alarm reports that, when its first message is through.
 */
export function isUrgent(last: LastReport | undefined, ticket: TicketRow, laneOf: Lanes): boolean {
  if (ticket.state !== (last?.state ?? "open")) return true;
  if (last && !isSamePerson(last, ticket)) return true;
  let unreported = 0;
  let waiting = 0;
  for (const name of LANES) {
    const lane = laneOf(name);
    const before = last?.lanes[name] ?? NOTHING;
    if (lane.dead !== before.dead) return true;
    const stillWaiting = waitingCount(lane);
    const { delivered } = countsOf(lane);
    // The far end is back, and others wait for it.
    if (last?.nextAttemptAtMs !== undefined && before.waiting > 0 && delivered > before.delivered) return true;
    unreported += newMessages(before, lane.accepted, delivered);
    waiting += stillWaiting;
  }
  return unreported >= BATCH || (waiting === 0 && last?.waitingSinceMs !== undefined);
}

const isSamePerson = (last: LastReport, { channel, contactId, customerName }: TicketRow): boolean =>
  last.contactId === contactId && last.customerName === customerName && last.channel === channel;

/** Whether more has been accepted or settled than the index knows of. It reads no row. */
export const isBehind = (last: LastReport, laneOf: Lanes): boolean =>
  LANES.some((name) => {
    const [lane, before] = [laneOf(name), last.lanes[name]];
    return lane.accepted !== before.accepted || waitingCount(lane) !== before.waiting;
  });

/** Whether a report is worth its rows when the object is awake anyway. */
export function isWorthReporting(last: LastReport | undefined, now: Snapshot): boolean {
  if (!last) return true;
  if ((last.waitingSinceMs === undefined) !== (now.waitingSinceMs === undefined)) return true;
  if ((now.waitingSinceMs ?? 0) - (last.waitingSinceMs ?? 0) > MOVED_MS) return true;
  if (waitingOf(last) > 0 && waitingOf(now) === 0) return true;
  const unreported = LANES.reduce(
    (sum, name) => sum + newMessages(last.lanes[name], now.lanes[name].accepted, now.lanes[name].delivered),
    0,
  );
  const quietMs = now.atMs - last.atMs;
  return (unreported >= SLOW_BATCH && quietMs >= SLOW_MS) || (unreported > 0 && quietMs >= LONGEST_UNREPORTED_MS);
}

/** Whether the index has anything about the ticket that is no longer so. */
export function differs(last: LastReport | undefined, now: Snapshot): boolean {
  if (!last) return true;
  const { heads: _heads, watchedUntilMs: _watched, ...before } = last;
  return JSON.stringify({ ...before, atMs: 0 }) !== JSON.stringify({ ...now, atMs: 0 });
}

/** A message as a report counts it; `settledAtMs` is the end of its last attempt. */
export type Counted = { sequence: number; acceptedAtMs: number; state: MessageState; settledAtMs: number };

/** What happened in a lane since the last report, minute by minute: when each message was accepted, delivered or given up. */
export function minutesOf(lane: LaneName, messages: readonly Counted[], last: LastReport | undefined): MinuteCounts[] {
  const minutes = new Map<number, Required<MinuteCounts>>();
  const at = (ms: number) => {
    const minute = Math.floor(ms / MINUTE_MS);
    const known = minutes.get(minute);
    if (known) return known;
    const lags = Array.from({ length: LAG_BOUNDS_MS.length + 1 }, () => 0);
    const counts = { minute, lane, accepted: 0, delivered: 0, dead: 0, lagSumMs: 0, lagMaxMs: 0, lags };
    minutes.set(minute, counts);
    return counts;
  };
  for (const { sequence, acceptedAtMs, state, settledAtMs } of messages) {
    const isNew = sequence > (last?.lanes[lane].accepted ?? 0);
    if (isNew) at(acceptedAtMs).accepted++;
    if (state === "waiting" || (!isNew && settledAtMs < (last?.atMs ?? 0))) continue;
    const counts = at(settledAtMs);
    if (state === "dead") counts.dead++;
    if (state !== "delivered") continue;
    const lagMs = Math.max(0, settledAtMs - acceptedAtMs);
    counts.delivered++;
    counts.lagSumMs += lagMs;
    counts.lagMaxMs = Math.max(counts.lagMaxMs, lagMs);
    const place = [...LAG_BOUNDS_MS, Infinity].findIndex((bound) => lagMs <= bound);
    counts.lags[place] = (counts.lags[place] ?? 0) + 1;
  }
  return [...minutes.values()];
}
