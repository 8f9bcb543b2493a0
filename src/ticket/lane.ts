import { isWaiting } from "../lib/clock";
import type { Pause } from "../model/pause";
import type { LaneCounts } from "../model/ticket-report";
import { LONGEST_LYING_MS, type Lying } from "./order";
import { LONGEST_WAIT_MS } from "./retry";

/**
 * One direction of one ticket, as an immutable value. Every decision about order is made here, with no I/O and no clock.
 *
 * Messages are numbered 1, 2, 3 … as accepted. Those up to `frontier` have been tried; those above never. Of the tried
 * ones, `requeued` still wait: a head whose attempts failed, and dead letters that somebody replayed. The head is always
 * the smallest waiting number, so a replay goes ahead of what waits, in the original order.
 */
/** What lies gets another sequence. */
export type Move = { from: number; to: number };

/** A message that was tried and waits. `notBeforeMs`, epoch ms, is when it may be tried again; 0 for at once. */
export type Requeued = Readonly<{ sequence: number; notBeforeMs: number }>;

export type Lane = Readonly<{
  accepted: number;
  /** The last of those accepted, behind all that are taken. Their sequences are not final. */
  lying: readonly Lying[];
  frontier: number;
  /** In ascending order, all at or below `frontier`. */
  requeued: readonly Requeued[];
  dead: number;
  /** Dead letters that retention has deleted. They are among the accepted, and nowhere else. */
  expired: number;
  /** Dead letters that nobody wants any more. */
  discarded: number;
  paused: Pause | undefined;
  /** The bytes of the waiting events together. */
  waitingBytes: number;
  inFlight: number | undefined;
}>;

export const EMPTY_LANE: Lane = {
  accepted: 0,
  lying: [],
  frontier: 0,
  requeued: [],
  dead: 0,
  expired: 0,
  discarded: 0,
  paused: undefined,
  waitingBytes: 0,
  inFlight: undefined,
};

const MAX_WAITING = 1000;
const MAX_WAITING_BYTES = 8 * 1024 * 1024;

/** The sequence of the last message that was taken. */
export const takenUpTo = (lane: Lane): number => lane.accepted - lane.lying.length;

export const waitingCount = (lane: Lane): number => lane.accepted - lane.frontier + lane.requeued.length;

export function countsOf(lane: Lane): LaneCounts {
  const { accepted, dead, discarded, expired } = lane;
  const waiting = waitingCount(lane);
  return { accepted, delivered: accepted - waiting - dead - discarded - expired, waiting, dead };
}

export const headOf = (lane: Lane): number | undefined =>
  lane.requeued[0]?.sequence ?? (lane.frontier < takenUpTo(lane) ? lane.frontier + 1 : undefined);

/** When the head may be tried again, epoch ms; 0 for at once. A time that no retry can have set is none. */
export function notBeforeMsOf(lane: Lane, nowMs: number): number {
  const notBeforeMs = lane.requeued[0]?.notBeforeMs ?? 0;
  return notBeforeMs <= nowMs || isWaiting(notBeforeMs, nowMs, LONGEST_WAIT_MS) ? notBeforeMs : 0;
}

const inOrder = (requeued: readonly Requeued[]) => requeued.toSorted((a, b) => a.sequence - b.sequence);

export const isFull = (lane: Lane, bytes: number): boolean =>
  waitingCount(lane) >= MAX_WAITING || (waitingCount(lane) > 0 && lane.waitingBytes + bytes > MAX_WAITING_BYTES);

/** The sequence of the next message, and what has to move for it: one that is taken at once goes ahead of what lies. */
export const placeFor = (lane: Lane, lies: boolean): { sequence: number; moves: Move[] } => ({
  sequence: (lies ? lane.accepted : takenUpTo(lane)) + 1,
  moves: lies ? [] : lane.lying.map((_, at) => ({ from: takenUpTo(lane) + 1 + at, to: takenUpTo(lane) + 2 + at })),
});

/** A new message at its place. */
export const accept = (lane: Lane, bytes: number, lying?: Lying): Lane => ({
  ...lane,
  accepted: lane.accepted + 1,
  lying: lying ? [...lane.lying, lying] : lane.lying,
  waitingBytes: lane.waitingBytes + bytes,
});

/** As it is taken. The sort is stable: parts of one message stay in the order in which they came. */
const byKey = (a: Lying, b: Lying): number => {
  const [first, second] = [a.key ?? Number.POSITIVE_INFINITY, b.key ?? Number.POSITIVE_INFINITY];
  return Number(first > second) - Number(first < second);
};

/**
 * Takes what has lain long enough, by key, and with it all that belongs ahead of it. Undefined when nothing has. `moves` are
 * those whose sequence is another now.
 */
export function take(lane: Lane, nowMs: number): { lane: Lane; moves: Move[] } | undefined {
  if (lane.lying.length === 0) return undefined;
  const first = takenUpTo(lane) + 1;
  const sorted = lane.lying.map((one, at) => ({ one, from: first + at })).toSorted((a, b) => byKey(a.one, b.one));
  const taken = sorted.findLastIndex(({ one }) => !isWaiting(one.untilMs, nowMs, LONGEST_LYING_MS)) + 1;
  if (taken === 0) return undefined;
  const moves = sorted.map(({ from }, at) => ({ from, to: first + at })).filter(({ from, to }) => from !== to);
  return { lane: { ...lane, lying: sorted.slice(taken).map(({ one }) => one) }, moves };
}

export type Step = { do: "rest" } | { do: "wait"; untilMs: number } | { do: "deliver"; sequence: number };

/**
 * What the lane should do now. It rests while an attempt is in flight: that attempt's end asks again. While it is paused it
 * rests until it is resumed.
 */
export function nextStep(lane: Lane, nowMs: number): Step {
  const head = headOf(lane);
  if (head === undefined || lane.inFlight !== undefined || lane.paused) return { do: "rest" };
  const untilMs = notBeforeMsOf(lane, nowMs);
  if (untilMs > nowMs) return { do: "wait", untilMs };
  return { do: "deliver", sequence: head };
}

export const begin = (lane: Lane, sequence: number): Lane => ({ ...lane, inFlight: sequence });

/** The lane when what it has begun turns out to be no attempt: nothing was sent. */
export const withdraw = (lane: Lane): Lane => ({ ...lane, inFlight: undefined });

/** The head may be tried at once. */
export const retry = (lane: Lane): Lane => ({
  ...lane,
  requeued: lane.requeued.map(({ sequence }) => ({ sequence, notBeforeMs: 0 })),
});

export const discard = (lane: Lane, letters: number): Lane => ({
  ...lane,
  dead: lane.dead - letters,
  discarded: lane.discarded + letters,
});

type Settlement = { state: "delivered" } | { state: "dead" } | { state: "waiting"; nextAttemptAtMs: number };

/** The lane after the attempt in flight ended. `bytes` are those of its event. */
export function settle(lane: Lane, sequence: number, settlement: Settlement, bytes: number): Lane {
  const others = lane.requeued.filter((one) => one.sequence !== sequence);
  const waits = settlement.state === "waiting";
  return {
    ...lane,
    frontier: Math.max(lane.frontier, sequence),
    requeued: waits ? inOrder([...others, { sequence, notBeforeMs: settlement.nextAttemptAtMs }]) : others,
    dead: lane.dead + (settlement.state === "dead" ? 1 : 0),
    waitingBytes: lane.waitingBytes - (waits ? 0 : bytes),
    inFlight: undefined,
  };
}

/** Puts dead letters back ahead of what waits, and lets the lane try at once. `bytes` are those of all their events. */
export const replay = (lane: Lane, sequences: readonly number[], bytes: number): Lane => ({
  ...lane,
  requeued: inOrder(
    [...lane.requeued.map((one) => one.sequence), ...sequences].map((sequence) => ({ sequence, notBeforeMs: 0 })),
  ),
  dead: lane.dead - sequences.length,
  waitingBytes: lane.waitingBytes + bytes,
});

/** Retention has deleted so many of the dead letters. */
export const expire = (lane: Lane, dead: number): Lane => ({
  ...lane,
  dead: lane.dead - dead,
  expired: lane.expired + dead,
});

/** What the rows of a lane do not say any more: the newest message that retention has deleted, and how many dead letters. */
export type Expired = { upTo: number; dead: number };
export const NONE_EXPIRED: Expired = { upTo: 0, dead: 0 };
