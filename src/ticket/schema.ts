import type { Migration } from "../lib/migrate";
import type { DeadReason } from "../model/delivery";
import type { MessageKind } from "../model/event";
import type { StoredText } from "../tenants/texts";
import type { LaneName, MessageState, TicketState } from "../model/answers";

/** The tables of a ticket, and their rows. */

/** A new object begins with the tables of the newest version. To make the first version's and alter them would cost two rows more. */
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
     orderKey INTEGER, lyingUntilMs INTEGER, digest TEXT, completion TEXT,
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

/**
 * An object may be of any earlier version. The n-th migration leads from version n to the next. Only ever add one at the end,
 * and put what it does into SCHEMA as well.
 *
 * A release may be rolled back, and then the one before works on these tables: give a new column no NOT NULL, and an index
 * IF NOT EXISTS. In `ticket`, `outcome` and `idempotency` version 0.1.0 writes its rows without naming their columns, so a
 * column more breaks it. As long as people may roll back to 0.1.0, only `message` can have new columns.
 */
export const MIGRATIONS: readonly Migration[] = [
  // With its key beside it, a message can be deleted together with that key, without an index or a search.
  { table: "message", column: "idempotencyKey", type: "TEXT" },
  { table: "ticket", column: "told", type: "TEXT" },
  { table: "message", column: "orderKey", type: "INTEGER" },
  { table: "message", column: "lyingUntilMs", type: "INTEGER" },
  { table: "message", column: "digest", type: "TEXT" },
  { table: "message", column: "completion", type: "TEXT" },
];

export type TicketRow = {
  owner: string;
  ticketNumber: string;
  /** The desk under which KV maps the ticket to its owner, where it has to. */
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
  /** JSON by lane: what each far end asked to have kept of its conversation, and which far end that was. The column is named `sessions`. */
  conversations: string;
  /** JSON, a LastReport: what the tenant's index has acknowledged. The column is named `told`. */
  lastReport: string | null;
};

export type MessageRow = {
  lane: LaneName;
  sequence: number;
  id: string;
  kind: MessageKind;
  /**
   * Sealed bytes, in a column that says TEXT: version 0.1.0 can make no request of bytes, so after a rollback it keeps what it
   * cannot read. A text is an event in clear, as that version wrote it.
   */
  event: StoredText;
  acceptedAtMs: number;
  suspectedDuplicate: number;
  idempotencyKey: string | null;
  /** Of a message that lies; null is the key of a Close. */
  orderKey: number | null;
  /**
   * Null once the lane has taken it. A release that knows nothing of this column takes what lies at once, in the order in which
   * it came, and leaves the column as it is.
   */
  lyingUntilMs: number | null;
  /** Of a sealed event with a key: equal for events that say the same. */
  digest: string | null;
  /** JSON: what the ticket knew when it accepted a reply that left it out. */
  completion: string | null;
};

export type OutcomeRow = {
  state: MessageState;
  /** Of a dead letter. */
  reason: DeadReason | null;
  attempts: string;
  attemptCount: number;
  roundStartedAtMs: number;
  roundTries: number;
  nextAttemptAtMs: number | null;
};
