import type { LaneName, TicketState, TimelineMessage } from "../../src/model/timeline";

/** What the admin API answers, as far as the console reads it. All times are ISO 8601, UTC. */

export type { Attempt } from "../../src/model/attempt";
export type { LaneName, LaneView, TicketState, TicketView, TimelineMessage } from "../../src/model/timeline";

export const LANES: readonly LaneName[] = ["toDesk", "toDolphins"];

export type Issue = { path: string; message: string };

export type Session = { expiresAt: string };

/** The record as `GET` shows it: secrets are `***`. Only the settings form looks further in. */
export type Tenant = {
  owner: string;
  name: string;
  deskId: string;
  timeZone: string;
  dolphins: { baseUrl: string; auth: { type: string } };
  desk: { type: string };
  delivery: { timeoutMs: number; maxAgeSeconds: number; whenExhausted: "advance" | "hold" };
};

type Counts = { accepted: number; delivered: number; waiting: number; dead: number };

export type TicketSummary = {
  ticketNumber: string;
  channel: string;
  contactId: string;
  customerName: string;
  state: TicketState;
  lanes: Record<LaneName, Counts>;
  openedAt: string;
  toldAt: string;
  waitingSince?: string;
  nextAttemptAt?: string;
};

type LaneMinute = { accepted: number; delivered: number; dead: number; lagMeanMs: number; lagMaxMs: number };
export type Minute = { at: string } & Record<LaneName, LaneMinute>;

export type Overview = {
  owner: string;
  tickets: Record<TicketState, number>;
  waiting: { tickets: number; messages: number; oldestSince?: string };
  dead: { tickets: number; messages: number };
  /** Oldest first, empty ones left out. */
  minutes: Minute[];
};

export type DeadLetter = TimelineMessage & {
  ticketNumber: string;
  channel: string;
  customerName: string;
  reason: string;
};

/** `late`: those of `replayed` behind which a later message of their lane has already been delivered. */
export type Replay = { dryRun: boolean; replayed: string[]; late: string[]; more?: boolean };

export type Trial = {
  attempt: { at: string; ms: number; status?: number; error?: string };
  outcome: "delivered" | "rejected" | "retry" | "blocked";
  answer?: string;
};

export type Credentials = { token: string; signingSecret: string };

export type Page<T> = { items: T[]; next?: string };

export type TicketEvent = { type: "ticket"; ticket: TicketSummary } | { type: "gone"; ticketNumber: string };
