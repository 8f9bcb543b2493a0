import { cursorOf } from "../lib/cursor";
import { isoTime } from "../model/timeline";
import type { TicketState, TicketSummary } from "../model/answers";
import type { TicketRow } from "./schema";

/** A ticket's row as the API shows it in a list. */
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
  before: TicketCursor | undefined;
  limit: number;
};

/** Where a page ended: at this ticket, and in the list of those that wait at this age; 0 for one that does not wait. */
export const ticketCursor = cursorOf("id", "waitingSinceMs");
export type TicketCursor = { id: number; waitingSinceMs: number };
