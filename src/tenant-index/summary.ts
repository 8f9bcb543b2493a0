import { isoTime, type LaneName, type TicketState } from "../model/timeline";
import type { LaneCounts } from "../model/ticket-report";
import type { TicketRow } from "./schema";

/** A ticket in a list, as it reported itself. All times are ISO 8601, UTC. */
export type TicketSummary = {
  ticketNumber: string;
  channel: string;
  contactId: string;
  customerName: string;
  state: TicketState;
  lanes: Record<LaneName, LaneCounts>;
  openedAt: string;
  toldAt: string;
  /** Since when its oldest message waits, once that is over 5 seconds. */
  waitingSince?: string;
  nextAttemptAt?: string;
};

/** What is sent to subscribers. */
export type LiveEvent = { type: "ticket"; ticket: TicketSummary } | { type: "gone"; ticketNumber: string };

export const summaryOf = (row: TicketRow): TicketSummary => ({
  ticketNumber: row.ticketNumber,
  channel: row.channel,
  contactId: row.contactId,
  customerName: row.customerName,
  state: row.state,
  lanes: JSON.parse(row.lanes) as TicketSummary["lanes"],
  openedAt: isoTime(row.openedAtMs),
  toldAt: isoTime(row.toldAtMs),
  ...(row.waitingSinceMs === null ? {} : { waitingSince: isoTime(row.waitingSinceMs) }),
  ...(row.nextAttemptAtMs === null ? {} : { nextAttemptAt: isoTime(row.nextAttemptAtMs) }),
});

/** Without `state` it asks for all tickets. `search` is in lower case. */
export type Query = {
  state: TicketState | "waiting" | "dead" | undefined;
  search: string | undefined;
  before: Cursor | undefined;
  limit: number;
};

/** Where a page ended: at this ticket. The list of those that wait is ordered by age, and needs that too. */
export type Cursor = { id: number; waitingSinceMs: number };

export const placeText = ({ id, waitingSinceMs }: Pick<TicketRow, "id" | "waitingSinceMs">): string =>
  `${id}.${waitingSinceMs ?? 0}`;

export function placeOf(text: string): Cursor | undefined {
  const [, id, waitingSinceMs] = /^(\d{1,16})\.(\d{1,14})$/.exec(text) ?? [];
  return id === undefined ? undefined : { id: Number(id), waitingSinceMs: Number(waitingSinceMs) };
}
