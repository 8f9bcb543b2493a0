import type { LaneName, TicketState } from "./answers";

export type LaneCounts = { accepted: number; delivered: number; waiting: number; dead: number };

/**
 * A ticket's condition at one moment. Never what changed since another: so the index may hear it twice, or miss the one
 * before, and is right all the same.
 */
export type Snapshot = {
  ticketNumber: string;
  /** By the ticket's clock, and always later than that of the report before. */
  atMs: number;
  openedAtMs: number;
  channel: string;
  contactId: string;
  customerName: string;
  state: TicketState;
  lanes: Record<LaneName, LaneCounts>;
  /** When the oldest head was accepted that has waited past 5 seconds. */
  waitingSinceMs?: number;
  nextAttemptAtMs?: number;
};

/** What happened in one minute of one lane. `minute` is counted from the epoch; lag is from acceptance to delivery. */
export type MinuteCounts = {
  minute: number;
  lane: LaneName;
  accepted: number;
  delivered: number;
  dead: number;
  lagSumMs: number;
  lagMaxMs: number;
};

/** `minutes` are those since the last report that was acknowledged: a proposal of where to count what is new in `lanes`. */
export type Report = Snapshot & { minutes: MinuteCounts[] };

export const MINUTE_MS = 60_000;
