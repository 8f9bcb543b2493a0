/**
 * One direction of one ticket, as an immutable value. Every decision about order is made here, with no I/O and no clock.
 *
 * Messages are numbered 1, 2, 3 … as accepted. Those up to `frontier` have been tried; those above never. Of the tried
 * ones, `requeued` still wait: a head whose attempts failed, and dead letters that somebody replayed. The head is always
 * the smallest waiting number, so a replay goes ahead of what waits, in the original order.
 */
export type Lane = Readonly<{
  accepted: number;
  frontier: number;
  /** Ascending, all at or below `frontier`. */
  requeued: readonly number[];
  dead: number;
  /** Of the waiting events together. */
  waitingBytes: number;
  /** The head is not tried before this, epoch ms; 0 for at once. */
  notBeforeMs: number;
  inFlight: number | undefined;
}>;

export const EMPTY_LANE: Lane = {
  accepted: 0,
  frontier: 0,
  requeued: [],
  dead: 0,
  waitingBytes: 0,
  notBeforeMs: 0,
  inFlight: undefined,
};

const MAX_WAITING = 1000;
const MAX_WAITING_BYTES = 8 * 1024 * 1024;

export const waitingCount = (lane: Lane): number => lane.accepted - lane.frontier + lane.requeued.length;

export const headOf = (lane: Lane): number | undefined =>
  lane.requeued[0] ?? (lane.frontier < lane.accepted ? lane.frontier + 1 : undefined);

export const isFull = (lane: Lane, bytes: number): boolean =>
  waitingCount(lane) >= MAX_WAITING || (waitingCount(lane) > 0 && lane.waitingBytes + bytes > MAX_WAITING_BYTES);

/** A new message at the end; its sequence is the `accepted` of what is returned. */
export const accept = (lane: Lane, bytes: number): Lane => ({
  ...lane,
  accepted: lane.accepted + 1,
  waitingBytes: lane.waitingBytes + bytes,
});

export type Step = { do: "rest" } | { do: "wait"; untilMs: number } | { do: "deliver"; sequence: number };

/** What the lane should do now. It rests while an attempt is in flight: that attempt's end asks again. */
export function nextStep(lane: Lane, nowMs: number): Step {
  const head = headOf(lane);
  if (head === undefined || lane.inFlight !== undefined) return { do: "rest" };
  if (lane.notBeforeMs > nowMs) return { do: "wait", untilMs: lane.notBeforeMs };
  return { do: "deliver", sequence: head };
}

export const begin = (lane: Lane, sequence: number): Lane => ({ ...lane, inFlight: sequence });

type Settlement = { state: "delivered" } | { state: "dead" } | { state: "waiting"; nextAttemptAtMs: number };

/** The lane after the attempt in flight ended. `bytes` are those of its event. */
export function settle(lane: Lane, sequence: number, settlement: Settlement, bytes: number): Lane {
  const others = lane.requeued.filter((one) => one !== sequence);
  const waits = settlement.state === "waiting";
  const requeued = waits ? [...others, sequence].toSorted((a, b) => a - b) : others;
  return {
    accepted: lane.accepted,
    frontier: Math.max(lane.frontier, sequence),
    requeued,
    dead: lane.dead + (settlement.state === "dead" ? 1 : 0),
    waitingBytes: lane.waitingBytes - (waits ? 0 : bytes),
    // The wait is the head's alone: when a replay came in ahead meanwhile, it goes at once.
    notBeforeMs: waits && requeued[0] === sequence ? settlement.nextAttemptAtMs : 0,
    inFlight: undefined,
  };
}

/** Puts dead letters back ahead of what waits, and lets the lane try at once. `bytes` are those of all their events. */
export const replay = (lane: Lane, sequences: readonly number[], bytes: number): Lane => ({
  ...lane,
  requeued: [...lane.requeued, ...sequences].toSorted((a, b) => a - b),
  dead: lane.dead - sequences.length,
  waitingBytes: lane.waitingBytes + bytes,
  notBeforeMs: 0,
});
