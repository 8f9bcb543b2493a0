import type {
  Checks,
  ConnectionTestAnswer,
  MeAnswer,
  SessionAnswer,
  TenantReplayAnswer,
  TicketReplayAnswer,
} from "../../src/model/answers";

/** What the admin API answers, as the console speaks of it. All times are ISO 8601, UTC. */

export type {
  Attempt,
  AuditCheck,
  AuditEntry,
  Credentials,
  LaneName,
  LaneView,
  ListedDeadLetter as DeadLetter,
  LiveEvent as TicketEvent,
  Minute,
  Overview,
  TenantView as Tenant,
  TicketState,
  TicketSummary,
  TicketView,
  TimelineMessage,
} from "../../src/model/answers";
export type { Issue } from "../../src/model/errors";
export { LANES } from "../../src/model/timeline";

export type { Checks };

export type Session = Omit<SessionAnswer, "status">;
export type Operator = MeAnswer["operator"];
export type ConnectionTest = Omit<ConnectionTestAnswer, "status">;

/** `late`: those of `replayed` behind which a later message of their lane has already been delivered. */
export type Replay = Omit<TicketReplayAnswer, "status"> & Partial<Pick<TenantReplayAnswer, "more">>;

export type Page<T> = { items: T[]; next?: string };
