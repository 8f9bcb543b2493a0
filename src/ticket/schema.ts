import type { MessageKind } from "../model/event";
import type { LaneName, MessageState, TicketState } from "../model/timeline";

/** The tables of a ticket, and their rows. */

/** What a new object begins with: the newest version at once. Altering tables that were just made would be two rows more. */
export const SCHEMA = `
   CREATE TABLE ticket (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     owner TEXT NOT NULL, ticketNumber TEXT NOT NULL, deskId TEXT NOT NULL, mapped INTEGER NOT NULL,
     channel TEXT NOT NULL, contactId TEXT NOT NULL, customerName TEXT NOT NULL,
     state TEXT NOT NULL, closeLane TEXT, closeSequence INTEGER, sessions TEXT NOT NULL, told TEXT
   );
   CREATE TABLE message (
     lane TEXT NOT NULL, sequence INTEGER NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, event TEXT NOT NULL,
     acceptedAtMs INTEGER NOT NULL, suspectedDuplicate INTEGER NOT NULL, idempotencyKey TEXT,
     PRIMARY KEY (lane, sequence)
   ) WITHOUT ROWID;
   CREATE TABLE outcome (
     lane TEXT NOT NULL, sequence INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT,
     attempts TEXT NOT NULL, attemptCount INTEGER NOT NULL,
     roundStartedAtMs INTEGER NOT NULL, roundTries INTEGER NOT NULL, nextAttemptAtMs INTEGER,
     PRIMARY KEY (lane, sequence)
   ) WITHOUT ROWID;
   CREATE INDEX undelivered ON outcome (lane, state, sequence) WHERE state <> 'delivered';
   CREATE TABLE idempotency (
     lane TEXT NOT NULL, key TEXT NOT NULL, sequence INTEGER NOT NULL, expiresAtMs INTEGER NOT NULL,
     PRIMARY KEY (lane, key)
   ) WITHOUT ROWID;`;

/** Append only, and into SCHEMA as well: an object may come from any version before. The n-th leads from version n to the next. */
export const MIGRATIONS = [
  // So that a key goes when its message does, with no index and no search.
  "ALTER TABLE message ADD COLUMN idempotencyKey TEXT",
  "ALTER TABLE ticket ADD COLUMN told TEXT",
];
export const VERSION = MIGRATIONS.length + 1;
/** Where the version stands: the platform refuses PRAGMA user_version. */
export const VERSION_KEY = "schema";

export type TicketRow = {
  owner: string;
  ticketNumber: string;
  /** The desk under which KV shall map the ticket to its owner. */
  deskId: string;
  /** 1 once KV does. */
  mapped: number;
  channel: string;
  contactId: string;
  customerName: string;
  state: TicketState;
  /** The Close that is on its way, or was delivered. */
  closeLane: LaneName | null;
  closeSequence: number | null;
  /** JSON: what each lane's destination asked to keep. */
  sessions: string;
  /** JSON, a Told: what the tenant's index has acknowledged. */
  told: string | null;
};

export type MessageRow = {
  lane: LaneName;
  sequence: number;
  id: string;
  kind: MessageKind;
  event: string;
  acceptedAtMs: number;
  suspectedDuplicate: number;
  idempotencyKey: string | null;
};

export type OutcomeRow = {
  state: MessageState;
  reason: string | null;
  attempts: string;
  attemptCount: number;
  roundStartedAtMs: number;
  roundTries: number;
  nextAttemptAtMs: number | null;
};
