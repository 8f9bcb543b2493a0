import type { TicketState } from "../model/answers";
import type { Report } from "../model/ticket-report";

/** The tables of a tenant's index, and their rows. */

/** Append only: an object may come from any version before. Version n is after the first n entries. */
export const MIGRATIONS = [
  // The two indexes hold troubled tickets alone: an ordinary report writes the ticket's row and no entry of an index.
  `CREATE TABLE ticket (
     id INTEGER PRIMARY KEY, ticketNumber TEXT NOT NULL UNIQUE, search TEXT NOT NULL,
     channel TEXT NOT NULL, contactId TEXT NOT NULL, customerName TEXT NOT NULL, state TEXT NOT NULL,
     openedAtMs INTEGER NOT NULL, toldAtMs INTEGER NOT NULL, lanes TEXT NOT NULL,
     waiting INTEGER NOT NULL, dead INTEGER NOT NULL, waitingSinceMs INTEGER, nextAttemptAtMs INTEGER
   );
   CREATE INDEX waiting ON ticket (waitingSinceMs) WHERE waitingSinceMs IS NOT NULL;
   CREATE INDEX dead ON ticket (id) WHERE dead > 0;
   CREATE TABLE hour (hour INTEGER PRIMARY KEY, minutes TEXT NOT NULL);`,
];
/** Where the version stands: the platform refuses PRAGMA user_version. */
export const VERSION_KEY = "schema";
/** Where the scan is, a Scan. The first version called it a walk. */
export const SCAN_KEY = "walk";

export type TicketRow = {
  /** Ids follow the order of opening, so that a list is paged by them: see `firstId`. */
  id: number;
  ticketNumber: string;
  /** What a search looks through, in lower case. */
  search: string;
  channel: string;
  contactId: string;
  customerName: string;
  state: TicketState;
  openedAtMs: number;
  /** The `atMs` of the newest report. */
  toldAtMs: number;
  /** JSON: the counts of both lanes. */
  lanes: string;
  /** Of both lanes together. */
  waiting: number;
  dead: number;
  waitingSinceMs: number | null;
  nextAttemptAtMs: number | null;
};

/** How far the scan over all tickets is, and when this round of it began. */
export type Scan = { afterId: number; startedAtMs: number };

/** More than a tenant opens in one ms, and few enough for an id to stay below 2^53 for some centuries. */
const IDS_PER_MS = 1000;

/** The first id for a ticket that was opened then. Others opened in the same ms have the ids that follow. */
export const firstId = (openedAtMs: number): number => openedAtMs * IDS_PER_MS;

export function rowOf(id: number, report: Report): TicketRow {
  const { ticketNumber, channel, contactId, customerName, state, openedAtMs, lanes } = report;
  return {
    id,
    ticketNumber,
    search: [ticketNumber, contactId, customerName].join("\n").toLowerCase(),
    channel,
    contactId,
    customerName,
    state,
    openedAtMs,
    toldAtMs: report.atMs,
    lanes: JSON.stringify(lanes),
    waiting: lanes.toDesk.waiting + lanes.toDolphins.waiting,
    dead: lanes.toDesk.dead + lanes.toDolphins.dead,
    waitingSinceMs: report.waitingSinceMs ?? null,
    nextAttemptAtMs: report.nextAttemptAtMs ?? null,
  };
}

/** Whether two rows differ in nothing but the time of the report. */
export const saysTheSame = (one: TicketRow, other: TicketRow): boolean =>
  (Object.keys(one) as (keyof TicketRow)[]).every((key) => key === "toldAtMs" || one[key] === other[key]);
