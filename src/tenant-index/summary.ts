import { cursorOf } from "../lib/cursor";
import { isoTime } from "../model/timeline";
import type { TicketState, TicketSummary } from "../model/answers";
import type { LaneCounts, Report } from "../model/ticket-report";
import type { TicketRow } from "./schema";

function lanesOf(text: string): TicketSummary["lanes"] {
  const { toDesk, toDolphins } = JSON.parse(text) as Report["lanes"];
  const counts = ({ accepted, delivered, waiting, dead }: LaneCounts) => ({ accepted, delivered, waiting, dead });
  return { toDesk: counts(toDesk), toDolphins: counts(toDolphins) };
}

/** A ticket's row as the API shows it in a list. */
export const summaryOf = (row: TicketRow): TicketSummary => ({
  ticketNumber: row.ticketNumber,
  channel: row.channel,
  contactId: row.contactId,
  customerName: row.customerName,
  state: row.state,
  lanes: lanesOf(row.lanes),
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
