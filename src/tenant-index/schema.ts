import type { Migration } from "../lib/migrate";
import type { LaneName, TicketState } from "../model/answers";
import type { Report } from "../model/ticket-report";
import { LANES } from "../model/timeline";

/** The tables of a tenant's index, and their rows. */

/** Of a desk that keeps nothing of ours: which ticket a conversation is, by what it is called there. */
const CONVERSATION = `
   CREATE TABLE IF NOT EXISTS conversation (
     farEnd TEXT NOT NULL, name TEXT NOT NULL, ticketNumber TEXT NOT NULL, channel TEXT NOT NULL,
     PRIMARY KEY (farEnd, name)
   ) WITHOUT ROWID;
   CREATE INDEX IF NOT EXISTS conversationOf ON conversation (ticketNumber);`;

/** The two indexes of tickets hold troubled tickets alone: an ordinary report writes the ticket's row and no entry of an index. */
export const SCHEMA = `
   CREATE TABLE ticket (
     id INTEGER PRIMARY KEY, ticketNumber TEXT NOT NULL UNIQUE, search TEXT NOT NULL,
     channel TEXT NOT NULL, contactId TEXT NOT NULL, customerName TEXT NOT NULL, state TEXT NOT NULL,
     openedAtMs INTEGER NOT NULL, toldAtMs INTEGER NOT NULL, lanes TEXT NOT NULL,
     waiting INTEGER NOT NULL, dead INTEGER NOT NULL, waitingSinceMs INTEGER, nextAttemptAtMs INTEGER
   );
   CREATE INDEX waiting ON ticket (waitingSinceMs) WHERE waitingSinceMs IS NOT NULL;
   CREATE INDEX dead ON ticket (id) WHERE dead > 0;
   CREATE TABLE hour (hour INTEGER PRIMARY KEY, minutes TEXT NOT NULL);${CONVERSATION}`;
/** As those of a ticket. Neither of the first two tables can have new columns as long as people may roll back to 0.1.0: see there. */
export const MIGRATIONS: readonly Migration[] = [CONVERSATION];
/** Where the scan is, a Scan. The first version called it a walk. */
export const SCAN_KEY = "walk";
/** The pauses of the tenant and the jobs under way, a Work. Beside it, under `held:{lane}:{ticketNumber}`, who knows of a pause. */
export const WORK_KEY = "work";

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

export type ConversationRow = { farEnd: string; name: string; ticketNumber: string; channel: string };

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
    search: [ticketNumber, contactId, customerName, ...(report.formerContacts ?? [])].join("\n").toLowerCase(),
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

/** The lanes in which a ticket that waited, with an attempt that had failed, has delivered something. */
export function recoveredLanes(before: TicketRow | undefined, after: Report): LaneName[] {
  if (!before || before.waitingSinceMs === null || before.nextAttemptAtMs === null) return [];
  const lanes = JSON.parse(before.lanes) as Report["lanes"];
  return LANES.filter((lane) => lanes[lane].waiting > 0 && after.lanes[lane].delivered > lanes[lane].delivered);
}

/** Whether a row differs from the one before in nothing but the time of the report. That one may be a later version's. */
export const saysTheSame = (row: TicketRow, before: TicketRow): boolean =>
  (Object.keys(row) as (keyof TicketRow)[]).every((key) => key === "toldAtMs" || row[key] === before[key]);
