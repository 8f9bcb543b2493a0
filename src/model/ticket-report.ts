import type { LaneName, TicketState } from "./answers";

export type LaneCounts = { accepted: number; delivered: number; waiting: number; dead: number };

/** Lags are counted by how long they are: up to each of these, in ms, and in a last place what is longer. */
export const LAG_BOUNDS_MS = [100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 1_800_000];

/**
 * A ticket's condition at one moment, and never what changed since another. So the index may get a report twice, or miss the
 * one before, and is right all the same.
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
  /** When the oldest waiting message was accepted, once it has waited for 5 seconds. */
  waitingSinceMs?: number;
  nextAttemptAtMs?: number;
  /** The contacts that it was of before its newest message named another. */
  formerContacts?: readonly string[];
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
  /** The delivered by their lag: see LAG_BOUNDS_MS. Tickets of 0.1.0 have none. */
  lags?: number[];
};

/** `minutes` are those since the last acknowledged report. They say where to count what is new in `lanes`. */
export type Report = Snapshot & { minutes: MinuteCounts[] };

export const MINUTE_MS = 60_000;

/** What the index answers in place of a time when the ticket has to go: its tenant was purged, or its customer erased. */
export const ENDED = Number.POSITIVE_INFINITY;

/** What became of a ticket that was to be deleted. `absent`: there is none. `other`: it is not of the contact asked for. */
export type Erased = { state: "erased" | "absent" | "other"; messages: number };
