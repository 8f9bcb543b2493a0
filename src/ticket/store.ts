import type { MessageKind } from "../model/event";
import { hasTables, migrate } from "../lib/migrate";
import { MIGRATIONS, SCHEMA, type MessageRow, type OutcomeRow, type TicketRow } from "./schema";
import { EMPTY_LANE, NONE_EXPIRED, type Lane, type Move } from "./lane";
import type { Lying } from "./order";
import type { Counted } from "./report-policy";
import type { AttemptHistory, Disposition } from "./retry";
import type { DeadLetter, LaneName, MessageState } from "../model/answers";
import { LANES, PAGE_BYTES, PAGE_SIZE, type DeadFilter, type Sized } from "../model/timeline";
import { bytesOf, type StoredAttempt, type StoredDeadLetter, type StoredMessage } from "./stored-text";

export type DeadCause = Pick<MessageRow, "lane" | "id" | "kind" | "acceptedAtMs"> &
  Pick<DeadLetter, "reason"> & { last: StoredAttempt };

/**
 * All SQL of a ticket. A message costs the rows that are written for it: one when it is accepted, and one when it is settled.
 * A row of `message` changes only while it lies, and when it is taken. `outcome` has a row only for messages that were tried,
 * so the newest row of each table says how far a lane has got. The index `undelivered` holds only what is not delivered, so an
 * ordinary message never enters it.
 */

/** More than a lane takes while one request is sent again. */
const NEWEST = 200;

export class TicketStore {
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** Whether an Incoming Event has ever opened this ticket. Writes nothing. */
  exists(): boolean {
    return hasTables(this.#storage);
  }

  migrate(): void {
    const { kv, sql } = this.#storage;
    migrate({ kv, exec: (...query) => sql.exec(...query) }, SCHEMA, MIGRATIONS);
  }

  /** All that is written meanwhile is kept, or nothing of it. A single row needs no transaction. */
  transaction(write: () => void): void {
    this.#storage.transactionSync(write);
  }

  readTicket(): TicketRow | undefined {
    const sql = `SELECT owner, ticketNumber, deskId, mapped, channel, contactId, customerName, state, closeLane, closeSequence,
                   sessions AS conversations, told AS lastReport FROM ticket`;
    return this.#rows<TicketRow>(sql)[0];
  }

  saveTicket(row: TicketRow): void {
    const { owner, ticketNumber, deskId, mapped, channel, contactId, customerName, state } = row;
    this.#storage.sql.exec(
      `INSERT INTO ticket (id, owner, ticketNumber, deskId, mapped, channel, contactId, customerName, state,
         closeLane, closeSequence, sessions, told)
       VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET deskId = excluded.deskId, mapped = excluded.mapped, channel = excluded.channel,
         contactId = excluded.contactId, customerName = excluded.customerName, state = excluded.state,
         closeLane = excluded.closeLane, closeSequence = excluded.closeSequence, sessions = excluded.sessions,
         told = excluded.told`,
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
      row.conversations,
      row.lastReport,
    );
  }

  /** The lane as its rows say: reads what waits and what is dead, and nothing of the history. */
  readLane(lane: LaneName, expired = NONE_EXPIRED): Lane {
    const undelivered = this.#rows<{ sequence: number; state: MessageState; nextAttemptAtMs: number | null }>(
      `SELECT sequence, state, nextAttemptAtMs FROM outcome
       WHERE lane = ? AND state <> 'delivered' AND state IN ('waiting', 'dead') ORDER BY sequence`,
      lane,
    );
    const requeued = undelivered
      .filter((row) => row.state === "waiting")
      .map(({ sequence, nextAttemptAtMs }) => ({ sequence, notBeforeMs: nextAttemptAtMs ?? 0 }));
    const frontier = Math.max(this.#newest("outcome", lane), expired.upTo);
    const tried: Lane = {
      ...EMPTY_LANE,
      accepted: Math.max(this.#newest("message", lane), expired.upTo),
      lying: this.#readLying(lane, frontier),
      frontier,
      requeued,
      dead: undelivered.length - requeued.length,
      expired: expired.dead,
    };
    const fresh = this.#rows<{ bytes: number }>(
      "SELECT coalesce(sum(octet_length(event)), 0) AS bytes FROM message WHERE lane = ? AND sequence > ?",
      lane,
      tried.frontier,
    )[0];
    const waitingBytes = requeued.reduce((sum, { sequence }) => sum + this.bytesOf(lane, sequence), fresh?.bytes ?? 0);
    return { ...tried, waitingBytes };
  }

  insertMessage(row: MessageRow): void {
    const {
      lane,
      sequence,
      id,
      kind,
      event,
      acceptedAtMs,
      suspectedDuplicate,
      idempotencyKey,
      orderKey,
      lyingUntilMs,
      digest,
      completion,
    } = row;
    this.#storage.sql.exec(
      `INSERT INTO message (lane, sequence, id, kind, event, acceptedAtMs, suspectedDuplicate, idempotencyKey, orderKey,
         lyingUntilMs, digest, completion)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      lane,
      sequence,
      id,
      kind,
      event,
      acceptedAtMs,
      suspectedDuplicate,
      idempotencyKey,
      orderKey,
      lyingUntilMs,
      digest,
      completion,
    );
  }

  /** Gives messages that lie other sequences, and their keys with them. One may get the sequence that another had. */
  renumber(lane: LaneName, moves: readonly Move[]): void {
    const rows = moves.flatMap(({ from, to }) => {
      const row = this.readMessage(lane, from);
      return row ? [{ ...row, sequence: to }] : [];
    });
    for (const { from } of moves) {
      this.#storage.sql.exec("DELETE FROM message WHERE lane = ? AND sequence = ?", lane, from);
    }
    for (const row of rows) {
      this.insertMessage(row);
      if (row.idempotencyKey === null) continue;
      const sql = "UPDATE idempotency SET sequence = ? WHERE lane = ? AND key = ?";
      this.#storage.sql.exec(sql, row.sequence, lane, row.idempotencyKey);
    }
  }

  /** Those from a sequence up to another lie no longer. */
  markTaken(lane: LaneName, from: number, upTo: number): void {
    const sql = "UPDATE message SET lyingUntilMs = NULL WHERE lane = ? AND sequence BETWEEN ? AND ?";
    this.#storage.sql.exec(sql, lane, from, upTo);
  }

  readMessage(lane: LaneName, sequence: number): MessageRow | undefined {
    return this.#rows<MessageRow>("SELECT * FROM message WHERE lane = ? AND sequence = ?", lane, sequence)[0];
  }

  /** The sequence of the message with this id, if it is among the newest of its lane. */
  findNewest(lane: LaneName, id: string): number | undefined {
    const sql = `SELECT sequence FROM (SELECT sequence, id FROM message WHERE lane = ? ORDER BY sequence DESC LIMIT ?)
                 WHERE id = ?`;
    return this.#rows<{ sequence: number }>(sql, lane, NEWEST, id)[0]?.sequence;
  }

  /** When the newest message of either lane was accepted, epoch ms; 0 when there is none. */
  newestAcceptedAtMs(): number {
    const newest = LANES.map((lane) => this.readMessage(lane, this.#newest("message", lane))?.acceptedAtMs ?? 0);
    return Math.max(...newest);
  }

  readAcceptedAtMs(lane: LaneName, sequence: number): number {
    const sql = "SELECT acceptedAtMs FROM message WHERE lane = ? AND sequence = ?";
    return this.#rows<{ acceptedAtMs: number }>(sql, lane, sequence)[0]?.acceptedAtMs ?? 0;
  }

  /** When the oldest message that is still kept was accepted: as a rule, when the ticket was opened. */
  oldestAcceptedAtMs(): number | undefined {
    const sql = "SELECT acceptedAtMs FROM message WHERE lane = ? ORDER BY sequence LIMIT 1";
    const oldest = LANES.flatMap((lane) => this.#rows<{ acceptedAtMs: number }>(sql, lane));
    return oldest.length > 0 ? Math.min(...oldest.map((row) => row.acceptedAtMs)) : undefined;
  }

  /** From a message up to another, when each was accepted and how its last attempt ended; not a word of what it says. */
  readCounted(lane: LaneName, from: number, to: number): Counted[] {
    type Row = {
      sequence: number;
      acceptedAtMs: number;
      state: MessageState | null;
      at: string | null;
      ms: number | null;
    };
    const rows = this.#rows<Row>(
      `SELECT sequence, m.acceptedAtMs, o.state, o.attempts ->> '$[#-1].at' AS at, o.attempts ->> '$[#-1].ms' AS ms
       FROM message m LEFT JOIN outcome o USING (lane, sequence) WHERE lane = ? AND sequence BETWEEN ? AND ?`,
      lane,
      from,
      to,
    );
    return rows.map(({ sequence, acceptedAtMs, state, at, ms }) => ({
      sequence,
      acceptedAtMs,
      state: state ?? "waiting",
      settledAtMs: at === null ? 0 : Date.parse(at) + (ms ?? 0),
    }));
  }

  bytesOf(lane: LaneName, sequence: number): number {
    const sql = "SELECT octet_length(event) AS bytes FROM message WHERE lane = ? AND sequence = ?";
    return this.#rows<{ bytes: number }>(sql, lane, sequence)[0]?.bytes ?? 0;
  }

  /** What is on record of a message that was tried before, and what became of it so far. */
  readHistory(lane: LaneName, sequence: number): (AttemptHistory & Pick<OutcomeRow, "state" | "reason">) | undefined {
    const row = this.#readOutcome(lane, sequence);
    return row && { ...row, attempts: JSON.parse(row.attempts) as StoredAttempt[] };
  }

  /** The next message behind a sequence, if nothing more becomes of it by itself. */
  readNextSettled(lane: LaneName, after: number): Pick<MessageRow, "sequence" | "idempotencyKey"> | undefined {
    type Row = Pick<MessageRow, "sequence" | "idempotencyKey"> & { state: MessageState | null };
    const sql = `SELECT sequence, m.idempotencyKey, o.state FROM message m LEFT JOIN outcome o USING (lane, sequence)
       WHERE lane = ? AND sequence > ? ORDER BY sequence LIMIT 1`;
    const [next] = this.#rows<Row>(sql, lane, after);
    return next?.state && next.state !== "waiting" ? next : undefined;
  }

  /** The messages that a desk's message has become: their keys begin with its name and `#`, which `$` follows. */
  readParts(lane: LaneName, deskMessage: string): { key: string; sequence: number; state: MessageState }[] {
    return this.#rows(
      `SELECT key, sequence, coalesce(o.state, 'waiting') AS state FROM idempotency LEFT JOIN outcome o USING (lane, sequence)
       WHERE lane = ? AND key >= ? AND key < ? ORDER BY sequence`,
      lane,
      `${deskMessage}#`,
      `${deskMessage}$`,
    );
  }

  /** The key of the oldest message of a lane whose key begins so, with nothing deleted since. */
  readFirstKey(lane: LaneName, beginning: string): string | undefined {
    const sql = `SELECT idempotencyKey AS key FROM message WHERE lane = ? AND substr(idempotencyKey, 1, ?) = ?
                 ORDER BY sequence LIMIT 1`;
    return this.#rows<{ key: string }>(sql, lane, beginning.length, beginning)[0]?.key;
  }

  /** The sequence of the oldest message that a lane still has. */
  oldestSequence(lane: LaneName): number | undefined {
    const sql = "SELECT sequence FROM message WHERE lane = ? ORDER BY sequence LIMIT 1";
    return this.#rows<{ sequence: number }>(sql, lane)[0]?.sequence;
  }

  saveOutcome(lane: LaneName, sequence: number, history: AttemptHistory, disposition: Disposition): void {
    this.#storage.sql.exec(
      `INSERT INTO outcome (lane, sequence, state, reason, attempts, attemptCount, roundStartedAtMs, roundTries,
         nextAttemptAtMs)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET state = excluded.state, reason = excluded.reason, attempts = excluded.attempts,
         attemptCount = excluded.attemptCount, roundStartedAtMs = excluded.roundStartedAtMs,
         roundTries = excluded.roundTries, nextAttemptAtMs = excluded.nextAttemptAtMs`,
      lane,
      sequence,
      disposition.state,
      disposition.state === "dead" ? disposition.reason : null,
      JSON.stringify(history.attempts),
      history.attemptCount,
      history.roundStartedAtMs,
      history.roundTries,
      disposition.state === "waiting" ? disposition.nextAttemptAtMs : null,
    );
  }

  readDeadLetters(
    lane: LaneName,
    filter: DeadFilter = {},
  ): { sequence: number; id: string; kind: MessageKind; bytes: number }[] {
    return this.#rows(
      `SELECT sequence, m.id, m.kind, octet_length(m.event) AS bytes
       FROM outcome o JOIN message m USING (lane, sequence) WHERE ${IS_DEAD} ORDER BY sequence`,
      ...deadValues(lane, 0, filter),
    );
  }

  /** Of each dead letter of a lane why it is dead, and since when it waited; not a word of what it says. */
  readCauses(lane: LaneName, filter: DeadFilter): DeadCause[] {
    const rows = this.#rows<Omit<DeadCause, "last"> & { last: string }>(
      `SELECT lane, m.id, m.kind, o.reason, o.attempts -> '$[#-1]' AS last, m.acceptedAtMs
       FROM outcome o JOIN message m USING (lane, sequence) WHERE ${IS_DEAD}`,
      ...deadValues(lane, 0, filter),
    );
    return rows.map(({ id, kind, acceptedAtMs, reason, last }) => {
      return { lane, id, kind, acceptedAtMs, reason, last: JSON.parse(last) as StoredAttempt };
    });
  }

  /** What waits may be tried at once. */
  clearWaits(lane: LaneName): void {
    this.#storage.sql.exec(
      `UPDATE outcome SET nextAttemptAtMs = NULL
       WHERE lane = ? AND state <> 'delivered' AND state = 'waiting' AND nextAttemptAtMs IS NOT NULL`,
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

  /** A dead letter stays in the timeline, and waits for nobody any more. */
  discard(lane: LaneName, sequence: number): void {
    const sql = "UPDATE outcome SET state = 'discarded' WHERE lane = ? AND sequence = ?";
    this.#storage.sql.exec(sql, lane, sequence);
  }

  /** The sequence that this key was first used for, unless that is too long ago. */
  readKey(lane: LaneName, key: string, nowMs: number): number | undefined {
    const sql = "SELECT sequence FROM idempotency WHERE lane = ? AND key = ? AND expiresAtMs > ?";
    return this.#rows<{ sequence: number }>(sql, lane, key, nowMs)[0]?.sequence;
  }

  saveKey(lane: LaneName, key: string, sequence: number, expiresAtMs: number): void {
    this.#storage.sql.exec(
      `INSERT INTO idempotency (lane, key, sequence, expiresAtMs) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET sequence = excluded.sequence, expiresAtMs = excluded.expiresAtMs`,
      lane,
      key,
      sequence,
      expiresAtMs,
    );
  }

  /**
   * Up to `limit` messages whose time was over at `cutoffMs`, the oldest first. A delivered one counts from when it was
   * accepted, and a dead letter from when it died, so that somebody can have seen it. What waits has no end here.
   */
  readEnded(lane: LaneName, cutoffMs: number, limit: number): Ended[] {
    const ended: Ended[] = [];
    // The rows are read one by one, up to the first that is too young. As a rule that is the very first.
    const rows = this.#storage.sql.exec<Ended & { acceptedAtMs: number; diedAt: string | null }>(
      `SELECT sequence, acceptedAtMs, idempotencyKey, state,
         CASE state WHEN 'delivered' THEN NULL ELSE attempts ->> '$[#-1].at' END AS diedAt
       FROM message JOIN outcome USING (lane, sequence) WHERE lane = ? ORDER BY sequence`,
      lane,
    );
    for (const { sequence, acceptedAtMs, idempotencyKey, state, diedAt } of rows) {
      if (acceptedAtMs >= cutoffMs || ended.length === limit) break;
      const isOver = state !== "waiting" && (diedAt === null || Date.parse(diedAt) < cutoffMs);
      if (isOver) ended.push({ sequence, idempotencyKey, state });
    }
    return ended;
  }

  /** The newest message that has an outcome on record; 0 when there is none. */
  newestTried = (lane: LaneName): number => this.#newest("outcome", lane);

  /** Deletes settled messages, and their keys with them. */
  deleteMessages(lane: LaneName, messages: readonly Ended[]): void {
    for (const { sequence, idempotencyKey } of messages) {
      this.#storage.sql.exec("DELETE FROM message WHERE lane = ? AND sequence = ?", lane, sequence);
      this.#storage.sql.exec("DELETE FROM outcome WHERE lane = ? AND sequence = ?", lane, sequence);
      if (idempotencyKey === null) continue;
      this.#storage.sql.exec(
        "DELETE FROM idempotency WHERE lane = ? AND key = ? AND sequence = ?",
        lane,
        idempotencyKey,
        sequence,
      );
    }
  }

  /** When the last dead letter died, epoch ms; 0 when there is none. */
  lastDeathMs(): number {
    // Left to itself, SQLite reads the whole lane for this.
    const sql = `SELECT max(attempts ->> '$[#-1].at') AS at FROM outcome INDEXED BY undelivered
                 WHERE lane = ? AND state <> 'delivered' AND state = 'dead'`;
    return Math.max(...LANES.map((lane) => Date.parse(this.#rows<{ at: string | null }>(sql, lane)[0]?.at ?? "") || 0));
  }

  countMessages(): number {
    return this.#rows<{ n: number }>("SELECT count(*) AS n FROM message")[0]?.n ?? 0;
  }

  /** Deletes the whole ticket, its alarm with it. */
  wipe(): Promise<void> {
    return this.#storage.deleteAll();
  }

  /** The newest messages of a lane before a sequence, newest first: one more than fits, to tell whether there are. */
  readTimeline(lane: LaneName, before: number): Sized<StoredMessage>[] {
    const rows = this.#page<ShownRow>(
      `SELECT m.*, o.state, o.attempts FROM message m LEFT JOIN outcome o USING (lane, sequence)
       WHERE lane = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?`,
      lane,
      before,
      PAGE_SIZE + 1,
    );
    return rows.map(sized);
  }

  /** The dead letters of a lane after a sequence, the oldest first: up to one more than fits. */
  readDead(lane: LaneName, after: number, limit: number, filter: DeadFilter): Sized<StoredDeadLetter>[] {
    const rows = this.#page<ShownRow & Pick<DeadLetter, "reason">>(
      `SELECT m.*, o.state, o.attempts, o.reason FROM outcome o JOIN message m USING (lane, sequence)
       WHERE ${IS_DEAD} ORDER BY sequence LIMIT ?`,
      ...deadValues(lane, after, filter),
      limit,
    );
    return rows.map(sized);
  }

  /** The sequence of the newest message that a lane has delivered; 0 when there is none. */
  newestDelivered(lane: LaneName): number {
    const sql = "SELECT sequence FROM outcome WHERE lane = ? AND state = 'delivered' ORDER BY sequence DESC LIMIT 1";
    return this.#rows<{ sequence: number }>(sql, lane)[0]?.sequence ?? 0;
  }

  /** What lies is the end of what was never tried. If an earlier release has stored more behind it, that has taken it. */
  #readLying(lane: LaneName, frontier: number): Lying[] {
    const lying: Lying[] = [];
    const rows = this.#storage.sql.exec<{ key: number | null; untilMs: number | null }>(
      `SELECT orderKey AS key, lyingUntilMs AS untilMs FROM message WHERE lane = ? AND sequence > ?
       ORDER BY sequence DESC`,
      lane,
      frontier,
    );
    for (const { key, untilMs } of rows) {
      if (untilMs === null) break;
      lying.push({ key, untilMs });
    }
    return lying.toReversed();
  }

  #newest(table: "message" | "outcome", lane: LaneName): number {
    const sql = `SELECT sequence FROM ${table} WHERE lane = ? ORDER BY sequence DESC LIMIT 1`;
    return this.#rows<{ sequence: number }>(sql, lane)[0]?.sequence ?? 0;
  }

  #readOutcome(lane: LaneName, sequence: number): OutcomeRow | undefined {
    return this.#rows<OutcomeRow>("SELECT * FROM outcome WHERE lane = ? AND sequence = ?", lane, sequence)[0];
  }

  /** Rows up to the one that is too much for a page. The rest is not read. */
  #page<Row extends ShownRow>(sql: string, ...values: SqlStorageValue[]): Row[] {
    const rows: Row[] = [];
    let bytes = 0;
    for (const row of this.#storage.sql.exec<Row>(sql, ...values)) {
      rows.push(row);
      bytes += sizeOf(row);
      if (bytes > PAGE_BYTES) break;
    }
    return rows;
  }

  #rows<Row extends Record<string, SqlStorageValue>>(sql: string, ...values: SqlStorageValue[]): Row[] {
    return this.#storage.sql.exec<Row>(sql, ...values).toArray();
  }
}

/** A message that is delivered or dead, as far as its deletion needs it. */
export type Ended = Pick<MessageRow, "sequence" | "idempotencyKey"> & { state: MessageState };

/** The first two conditions on the state have it read out of `undelivered`. */
const IS_DEAD = `lane = ? AND state <> 'delivered' AND state = 'dead' AND sequence > ? AND reason = coalesce(?, reason)
  AND (? IS NULL OR attempts ->> '$[#-1].status' = ?) AND m.acceptedAtMs BETWEEN ? AND ?`;

function deadValues(lane: LaneName, after: number, filter: DeadFilter): SqlStorageValue[] {
  const { reason = null, status = null, sinceMs = 0, untilMs = Number.MAX_SAFE_INTEGER } = filter;
  return [lane, after, reason, status, status, sinceMs, untilMs];
}

type ShownRow = MessageRow & { state: MessageState | null; attempts: string | null };

const sizeOf = ({ event, attempts }: ShownRow): number => bytesOf(event) + (attempts?.length ?? 0);

const sized = <Row extends ShownRow>(row: Row) => ({
  shown: {
    ...row,
    state: row.state ?? ("waiting" as const),
    attempts: row.attempts === null ? [] : (JSON.parse(row.attempts) as StoredAttempt[]),
  },
  bytes: sizeOf(row),
  sequence: row.sequence,
});
