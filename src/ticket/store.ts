import type { EventKind } from "../events/event";
import { EMPTY_LANE, headOf, type Lane } from "./lane";
import type { Trial, Verdict } from "./retry";
import {
  isoTime,
  PAGE_SIZE,
  type Attempt,
  type LaneName,
  type MessageState,
  type TicketState,
  type TimelineMessage,
} from "./timeline";

/**
 * All SQL of a ticket. One row is written when a message is accepted and one when it is settled: rows written are what a
 * message costs. `message` never changes after its insert. `outcome` has a row only for messages that were tried, so a
 * lane's place is found from the two newest rows. The index holds what is not delivered: the ordinary case never touches it.
 */

/** Append only: an object may come from any version before. Version n is after the first n entries. */
const MIGRATIONS = [
  `CREATE TABLE ticket (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     owner TEXT NOT NULL, ticketNumber TEXT NOT NULL, deskId TEXT NOT NULL, mapped INTEGER NOT NULL,
     channel TEXT NOT NULL, contactId TEXT NOT NULL, customerName TEXT NOT NULL,
     state TEXT NOT NULL, closeLane TEXT, closeSequence INTEGER, sessions TEXT NOT NULL
   );
   CREATE TABLE message (
     lane TEXT NOT NULL, sequence INTEGER NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, event TEXT NOT NULL,
     acceptedAtMs INTEGER NOT NULL, suspectedDuplicate INTEGER NOT NULL,
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
   ) WITHOUT ROWID;`,
];
const VERSION_KEY = "schema";

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
};

export type MessageRow = {
  lane: LaneName;
  sequence: number;
  id: string;
  kind: EventKind;
  event: string;
  acceptedAtMs: number;
  suspectedDuplicate: number;
};

type OutcomeRow = {
  state: MessageState;
  reason: string | null;
  attempts: string;
  attemptCount: number;
  roundStartedAtMs: number;
  roundTries: number;
  nextAttemptAtMs: number | null;
};

export class TicketStore {
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** Whether an Incoming Event has ever opened this ticket. Writes nothing. */
  exists(): boolean {
    return this.#storage.kv.get(VERSION_KEY) !== undefined;
  }

  migrate(): void {
    const version = this.#storage.kv.get<number>(VERSION_KEY) ?? 0;
    if (version === MIGRATIONS.length) return;
    for (const sql of MIGRATIONS.slice(version)) this.#storage.sql.exec(sql);
    this.#storage.kv.put(VERSION_KEY, MIGRATIONS.length);
  }

  readTicket(): TicketRow | undefined {
    return this.#rows<TicketRow>("SELECT * FROM ticket")[0];
  }

  saveTicket(row: TicketRow): void {
    const { owner, ticketNumber, deskId, mapped, channel, contactId, customerName, state } = row;
    this.#storage.sql.exec(
      `INSERT INTO ticket VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET deskId = excluded.deskId, mapped = excluded.mapped, channel = excluded.channel,
         contactId = excluded.contactId, customerName = excluded.customerName, state = excluded.state,
         closeLane = excluded.closeLane, closeSequence = excluded.closeSequence, sessions = excluded.sessions`,
      owner,
      ticketNumber,
      deskId,
      mapped,
      channel,
      contactId,
      customerName,
      state,
      row.closeLane,
      row.closeSequence,
      row.sessions,
    );
  }

  /** The lane as its rows say: reads what waits and what is dead, and nothing of the history. */
  readLane(lane: LaneName): Lane {
    const newest = (table: "message" | "outcome") =>
      this.#rows<{ sequence: number }>(
        `SELECT sequence FROM ${table} WHERE lane = ? ORDER BY sequence DESC LIMIT 1`,
        lane,
      )[0]?.sequence ?? 0;
    const undelivered = this.#rows<{ sequence: number; state: MessageState }>(
      "SELECT sequence, state FROM outcome WHERE lane = ? AND state <> 'delivered' ORDER BY sequence",
      lane,
    );
    const requeued = undelivered.filter((row) => row.state === "waiting").map((row) => row.sequence);
    const tried: Lane = {
      ...EMPTY_LANE,
      accepted: newest("message"),
      frontier: newest("outcome"),
      requeued,
      dead: undelivered.length - requeued.length,
    };
    const fresh = this.#rows<{ bytes: number }>(
      "SELECT coalesce(sum(octet_length(event)), 0) AS bytes FROM message WHERE lane = ? AND sequence > ?",
      lane,
      tried.frontier,
    )[0];
    const waitingBytes = requeued.reduce((sum, sequence) => sum + this.bytesOf(lane, sequence), fresh?.bytes ?? 0);
    const head = headOf(tried);
    const notBeforeMs = head === undefined ? 0 : (this.#readOutcome(lane, head)?.nextAttemptAtMs ?? 0);
    return { ...tried, waitingBytes, notBeforeMs };
  }

  insertMessage(row: MessageRow): void {
    const { lane, sequence, id, kind, event, acceptedAtMs, suspectedDuplicate } = row;
    const values = [lane, sequence, id, kind, event, acceptedAtMs, suspectedDuplicate];
    this.#storage.sql.exec("INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?)", ...values);
  }

  readMessage(lane: LaneName, sequence: number): MessageRow | undefined {
    return this.#rows<MessageRow>("SELECT * FROM message WHERE lane = ? AND sequence = ?", lane, sequence)[0];
  }

  bytesOf(lane: LaneName, sequence: number): number {
    const sql = "SELECT octet_length(event) AS bytes FROM message WHERE lane = ? AND sequence = ?";
    return this.#rows<{ bytes: number }>(sql, lane, sequence)[0]?.bytes ?? 0;
  }

  /** What is on record of a message that was tried before, and what became of it so far. */
  readTrial(lane: LaneName, sequence: number): (Trial & { state: MessageState; reason: string | null }) | undefined {
    const row = this.#readOutcome(lane, sequence);
    return row && { ...row, attempts: JSON.parse(row.attempts) as Attempt[] };
  }

  saveOutcome(lane: LaneName, sequence: number, trial: Trial, verdict: Verdict): void {
    this.#storage.sql.exec(
      `INSERT INTO outcome VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET state = excluded.state, reason = excluded.reason, attempts = excluded.attempts,
         attemptCount = excluded.attemptCount, roundStartedAtMs = excluded.roundStartedAtMs,
         roundTries = excluded.roundTries, nextAttemptAtMs = excluded.nextAttemptAtMs`,
      lane,
      sequence,
      verdict.state,
      verdict.state === "dead" ? verdict.reason : null,
      JSON.stringify(trial.attempts),
      trial.attemptCount,
      trial.roundStartedAtMs,
      trial.roundTries,
      verdict.state === "waiting" ? verdict.nextAttemptAtMs : null,
    );
  }

  readDeadLetters(lane: LaneName): { sequence: number; id: string; kind: EventKind; bytes: number }[] {
    return this.#rows(
      `SELECT sequence, m.id, m.kind, octet_length(m.event) AS bytes FROM outcome JOIN message m USING (lane, sequence)
       WHERE lane = ? AND state <> 'delivered' AND state = 'dead' ORDER BY sequence`,
      lane,
    );
  }

  /** A dead letter waits again: its age and its backoff begin anew, its attempts stay on record. */
  requeue(lane: LaneName, sequence: number, nowMs: number): void {
    this.#storage.sql.exec(
      `UPDATE outcome SET state = 'waiting', reason = NULL, roundStartedAtMs = ?, roundTries = 0, nextAttemptAtMs = NULL
       WHERE lane = ? AND sequence = ?`,
      nowMs,
      lane,
      sequence,
    );
  }

  /** The sequence that this key was first used for, unless that is too long ago. */
  readKey(lane: LaneName, key: string, nowMs: number): number | undefined {
    const sql = "SELECT sequence FROM idempotency WHERE lane = ? AND key = ? AND expiresAtMs > ?";
    return this.#rows<{ sequence: number }>(sql, lane, key, nowMs)[0]?.sequence;
  }

  saveKey(lane: LaneName, key: string, sequence: number, expiresAtMs: number): void {
    this.#storage.sql.exec(
      `INSERT INTO idempotency VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET sequence = excluded.sequence, expiresAtMs = excluded.expiresAtMs`,
      lane,
      key,
      sequence,
      expiresAtMs,
    );
  }

  /** The newest messages of a lane before a sequence, newest first: one more than a page, to tell whether there are. */
  readTimeline(lane: LaneName, before: number): TimelineMessage[] {
    type Row = MessageRow & { state: MessageState | null; attempts: string | null };
    const rows = this.#rows<Row>(
      `SELECT m.*, o.state, o.attempts FROM message m LEFT JOIN outcome o USING (lane, sequence)
       WHERE lane = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?`,
      lane,
      before,
      PAGE_SIZE + 1,
    );
    return rows.map(({ id, sequence, kind, state, acceptedAtMs, suspectedDuplicate, attempts, event }) => ({
      id,
      lane,
      sequence,
      kind,
      state: state ?? "waiting",
      acceptedAt: isoTime(acceptedAtMs),
      suspectedDuplicate: suspectedDuplicate === 1,
      attempts: attempts === null ? [] : (JSON.parse(attempts) as Attempt[]),
      event: JSON.parse(event) as unknown,
    }));
  }

  #readOutcome(lane: LaneName, sequence: number): OutcomeRow | undefined {
    return this.#rows<OutcomeRow>("SELECT * FROM outcome WHERE lane = ? AND sequence = ?", lane, sequence)[0];
  }

  #rows<Row extends Record<string, SqlStorageValue>>(sql: string, ...values: SqlStorageValue[]): Row[] {
    return this.#storage.sql.exec<Row>(sql, ...values).toArray();
  }
}
