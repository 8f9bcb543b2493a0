import { hasTables, migrate } from "../lib/migrate";
import type { LaneName } from "../model/answers";
import type { WaitingCursor, Work } from "./jobs";
import type { Hour, KeptHour } from "./minutes";
import {
  firstId,
  MIGRATIONS,
  SCAN_KEY,
  SCHEMA,
  WORK_KEY,
  type ConversationRow,
  type Scan,
  type TicketRow,
} from "./schema";
import type { Query, TicketCursor } from "./summary";
import type { Totals } from "./totals";

/** What a sweep needs to know of a ticket. */
export type Overdue = Pick<TicketRow, "id" | "ticketNumber" | "toldAtMs">;

/** All tickets, or those of a contact. */
export type Choice = { contactId?: string };

/** A ticket that an index sends something to. */
type Held = Pick<TicketRow, "ticketNumber">;

const heldKey = (lane: LaneName, ticketNumber: string) => `held:${lane}:${ticketNumber}`;
const waitsIn = (lanes: readonly LaneName[]) => lanes.map((lane) => `lanes ->> '$.${lane}.waiting' > 0`).join(" OR ");

/** All SQL of a tenant's index. A report of an ordinary ticket writes two rows: the ticket's and the hour's. */
export class IndexStore {
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** Whether any ticket has ever reported. Writes nothing. */
  exists(): boolean {
    return hasTables(this.#storage);
  }

  migrate(): void {
    const { kv, sql } = this.#storage;
    migrate({ kv, exec: (...query) => sql.exec(...query) }, SCHEMA, MIGRATIONS);
  }

  readTicket(ticketNumber: string): TicketRow | undefined {
    return this.#rows<TicketRow>("SELECT * FROM ticket WHERE ticketNumber = ?", ticketNumber)[0];
  }

  /** An id for a ticket that was opened then. */
  freeId(openedAtMs: number): number {
    const [first, end] = [firstId(openedAtMs), firstId(openedAtMs + 1)];
    const sql = "SELECT max(id) AS id FROM ticket WHERE id >= ? AND id < ?";
    const newest = this.#rows<{ id: number | null }>(sql, first, end)[0]?.id ?? first - 1;
    return newest + 1;
  }

  insertTicket(row: TicketRow): void {
    this.#storage.sql.exec(
      `INSERT INTO ticket (id, ticketNumber, search, channel, contactId, customerName, state, openedAtMs, toldAtMs, lanes,
         waiting, dead, waitingSinceMs, nextAttemptAtMs)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      row.id,
      row.ticketNumber,
      row.search,
      row.channel,
      row.contactId,
      row.customerName,
      row.state,
      row.openedAtMs,
      row.toldAtMs,
      row.lanes,
      row.waiting,
      row.dead,
      row.waitingSinceMs,
      row.nextAttemptAtMs,
    );
  }

  updateTicket(row: TicketRow): void {
    this.#storage.sql.exec(
      `UPDATE ticket SET search = ?, channel = ?, contactId = ?, customerName = ?, state = ?, toldAtMs = ?, lanes = ?,
         waiting = ?, dead = ?, waitingSinceMs = ?, nextAttemptAtMs = ? WHERE id = ?`,
      row.search,
      row.channel,
      row.contactId,
      row.customerName,
      row.state,
      row.toldAtMs,
      row.lanes,
      row.waiting,
      row.dead,
      row.waitingSinceMs,
      row.nextAttemptAtMs,
      row.id,
    );
  }

  deleteTicket(id: number): void {
    this.#storage.sql.exec("DELETE FROM ticket WHERE id = ?", id);
  }

  /** The name is the ticket's from now on, whichever had it before. */
  saveConversation({ farEnd, name, ticketNumber, channel }: ConversationRow): void {
    this.#storage.sql.exec(
      `INSERT INTO conversation (farEnd, name, ticketNumber, channel) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET ticketNumber = excluded.ticketNumber, channel = excluded.channel`,
      farEnd,
      name,
      ticketNumber,
      channel,
    );
  }

  readConversation(farEnd: string, name: string): Pick<ConversationRow, "ticketNumber" | "channel"> | undefined {
    return this.#rows<Pick<ConversationRow, "ticketNumber" | "channel">>(
      "SELECT ticketNumber, channel FROM conversation WHERE farEnd = ? AND name = ?",
      farEnd,
      name,
    )[0];
  }

  deleteConversations(ticketNumber: string): void {
    this.#storage.sql.exec("DELETE FROM conversation WHERE ticketNumber = ?", ticketNumber);
  }

  /** One page. Newest opened first, those that wait oldest first. A search reads as far as it must to fill the page. */
  readTickets({ state, search, before, limit }: Query): TicketRow[] {
    const conditions: string[] = [];
    const values: SqlStorageValue[] = [];
    const where = (condition: string, ...more: SqlStorageValue[]) => {
      conditions.push(condition);
      values.push(...more);
    };
    if (state === "waiting") where("waitingSinceMs IS NOT NULL");
    else if (state === "dead") where("dead > 0");
    else if (state !== undefined) where("state = ?", state);
    if (search !== undefined) where("instr(search, ?) > 0", search);
    if (before && state === "waiting") where("(waitingSinceMs, id) > (?, ?)", before.waitingSinceMs, before.id);
    else if (before) where("id < ?", before.id);
    return this.#rows<TicketRow>(
      `SELECT * FROM ticket ${conditions.length > 0 ? `WHERE ${conditions.join(" AND ")}` : ""}
       ORDER BY ${state === "waiting" ? "waitingSinceMs, id" : "id DESC"} LIMIT ?`,
      ...values,
      limit,
    );
  }

  /** Tickets with dead letters, newest opened first. */
  readDead(before: Pick<TicketCursor, "id"> | undefined, limit: number): Pick<TicketRow, "id" | "ticketNumber">[] {
    const sql = "SELECT id, ticketNumber FROM ticket WHERE dead > 0 AND id < ? ORDER BY id DESC LIMIT ?";
    return this.#rows(sql, before?.id ?? Number.MAX_SAFE_INTEGER, limit);
  }

  /**
   * Tickets that wait in one of these lanes, have not reported since `untilMs`, and should have tried again by then. A time behind `latestMs` was
   * written when the clock was ahead, and says nothing.
   */
  readOverdue(
    { untilMs, latestMs }: { untilMs: number; latestMs: number },
    lanes: readonly LaneName[],
    limit: number,
  ): Overdue[] {
    if (lanes.length === 0) return [];
    return this.#rows(
      `SELECT id, ticketNumber, toldAtMs FROM ticket
       WHERE waitingSinceMs IS NOT NULL AND (${waitsIn(lanes)}) AND toldAtMs NOT BETWEEN ? AND ?
         AND coalesce(nextAttemptAtMs, 0) NOT BETWEEN ? AND ? ORDER BY waitingSinceMs LIMIT ?`,
      untilMs,
      latestMs,
      untilMs,
      latestMs,
      limit,
    );
  }

  /** Tickets that wait in a lane since a time or before, the oldest first. */
  readWaiting(lane: LaneName, after: WaitingCursor, untilMs: number, limit: number): (WaitingCursor & Held)[] {
    return this.#rows(
      `SELECT id, ticketNumber, waitingSinceMs FROM ticket
       WHERE waitingSinceMs IS NOT NULL AND (waitingSinceMs, id) > (?, ?) AND waitingSinceMs <= ?
         AND lanes ->> ? > 0 ORDER BY waitingSinceMs, id LIMIT ?`,
      after.waitingSinceMs,
      after.id,
      untilMs,
      `$.${lane}.waiting`,
      limit,
    );
  }

  /** How many tickets wait in one of these lanes. */
  countWaiting(lanes: readonly LaneName[]): number {
    if (lanes.length === 0 || !this.exists()) return 0;
    const sql = `SELECT count(*) AS tickets FROM ticket WHERE waitingSinceMs IS NOT NULL AND (${waitsIn(lanes)})`;
    return this.#rows<{ tickets: number }>(sql)[0]?.tickets ?? 0;
  }

  /** Tickets that wait, or are open and have reported since a time, newest opened first. */
  readReachable(beforeId: number, sinceMs: number, limit: number): (Held & Pick<TicketRow, "id">)[] {
    if (!this.exists()) return [];
    return this.#rows(
      `SELECT id, ticketNumber FROM ticket
       WHERE id < ? AND (waitingSinceMs IS NOT NULL OR (state <> 'closed' AND toldAtMs >= ?)) ORDER BY id DESC LIMIT ?`,
      beforeId,
      sinceMs,
      limit,
    );
  }

  readWork(): Work | undefined {
    return this.#storage.kv.get<Work>(WORK_KEY);
  }

  saveWork(work: Work): void {
    this.#storage.kv.put(WORK_KEY, work);
  }

  /** Keeps that a ticket may know of a lane's pause. */
  keepHeld(lane: LaneName, ticketNumber: string): void {
    const key = heldKey(lane, ticketNumber);
    if (this.#storage.kv.get(key) === undefined) this.#storage.kv.put(key, 1);
  }

  readHeld(lane: LaneName, limit: number): Held[] {
    const prefix = heldKey(lane, "");
    return [...this.#storage.kv.list({ prefix, limit })].map(([key]) => ({ ticketNumber: key.slice(prefix.length) }));
  }

  releaseHeld(lane: LaneName, ticketNumber: string): void {
    this.#storage.kv.delete(heldKey(lane, ticketNumber));
  }

  /** The next tickets of the scan, whatever their state. */
  readNext(afterId: number, limit: number): (Overdue & Pick<TicketRow, "state">)[] {
    const sql = "SELECT id, ticketNumber, toldAtMs, state FROM ticket WHERE id > ? ORDER BY id LIMIT ?";
    return this.#rows(sql, afterId, limit);
  }

  /** The next tickets that may be those: of a contact also where the contact is one of before, which the ticket has to say. */
  readChosen({ contactId }: Choice, afterId: number, limit: number): (Overdue & Pick<TicketRow, "contactId">)[] {
    const columns = "SELECT id, ticketNumber, toldAtMs, contactId FROM ticket WHERE id > ?";
    if (contactId === undefined) return this.#rows(`${columns} ORDER BY id LIMIT ?`, afterId, limit);
    const condition = "(contactId = ? OR instr(search || char(10), char(10) || ? || char(10)) > 0)";
    const sql = `${columns} AND ${condition} ORDER BY id LIMIT ?`;
    return this.#rows(sql, afterId, contactId, contactId.toLowerCase(), limit);
  }

  /** How many that are. */
  countChosen({ contactId }: Choice, afterId: number): number {
    const condition = "contactId = ? OR instr(search || char(10), char(10) || ? || char(10)) > 0";
    const [row] =
      contactId === undefined
        ? this.#rows<{ n: number }>("SELECT count(*) AS n FROM ticket WHERE id > ?", afterId)
        : this.#rows<{ n: number }>(
            `SELECT count(*) AS n FROM ticket WHERE id > ? AND (${condition})`,
            afterId,
            contactId,
            contactId.toLowerCase(),
          );
    return row?.n ?? 0;
  }

  /** Tickets that are not closed and have reported since a time. */
  readActive(sinceMs: number): Overdue[] {
    const sql = "SELECT id, ticketNumber, toldAtMs FROM ticket WHERE state <> 'closed' AND toldAtMs >= ?";
    return this.#rows(sql, sinceMs);
  }

  /** When the one of these reported that has told nothing for longest. */
  oldestToldMs(sinceMs: number): number | undefined {
    const sql = "SELECT min(toldAtMs) AS ms FROM ticket WHERE state <> 'closed' AND toldAtMs >= ?";
    return this.#rows<{ ms: number | null }>(sql, sinceMs)[0]?.ms ?? undefined;
  }

  readScan(): Scan {
    return this.#storage.kv.get<Scan>(SCAN_KEY) ?? { afterId: 0, startedAtMs: 0 };
  }

  saveScan(scan: Scan): void {
    this.#storage.kv.put(SCAN_KEY, scan);
  }

  /** The age of the oldest ticket that waits, epoch ms. */
  oldestWaitingMs(): number | undefined {
    const sql = "SELECT min(waitingSinceMs) AS ms FROM ticket WHERE waitingSinceMs IS NOT NULL";
    return this.#rows<{ ms: number | null }>(sql)[0]?.ms ?? undefined;
  }

  /** Reads every ticket. */
  sumUp(): Totals {
    type Group = Pick<TicketRow, "state" | "waiting" | "dead"> & { tickets: number; waits: number; dies: number };
    const groups = this.#rows<Group>(
      `SELECT state, waitingSinceMs IS NOT NULL AS waits, dead > 0 AS dies, count(*) AS tickets,
         sum(waiting) AS waiting, sum(dead) AS dead FROM ticket GROUP BY 1, 2, 3`,
    );
    const sum = (of: (group: Group) => number) => groups.reduce((total, group) => total + of(group), 0);
    const inState = (state: string) => sum((group) => (group.state === state ? group.tickets : 0));
    return {
      open: inState("open"),
      closing: inState("closing"),
      closed: inState("closed"),
      waitingTickets: sum((group) => group.waits * group.tickets),
      waitingMessages: sum((group) => group.waits * group.waiting),
      deadTickets: sum((group) => group.dies * group.tickets),
      deadMessages: sum((group) => group.dead),
    };
  }

  readHour(hour: number): Hour | undefined {
    const row = this.#rows<{ minutes: string }>("SELECT minutes FROM hour WHERE hour = ?", hour)[0];
    return row && (JSON.parse(row.minutes) as Hour);
  }

  readHours(fromHour: number): KeptHour[] {
    const sql = "SELECT hour, minutes FROM hour WHERE hour >= ? ORDER BY hour";
    return this.#rows<{ hour: number; minutes: string }>(sql, fromHour).map(({ hour, minutes }) => ({
      hour,
      minutes: JSON.parse(minutes) as Hour,
    }));
  }

  saveHour(hour: number, minutes: Hour): void {
    const sql = "INSERT INTO hour (hour, minutes) VALUES (?, ?) ON CONFLICT DO UPDATE SET minutes = excluded.minutes";
    this.#storage.sql.exec(sql, hour, JSON.stringify(minutes));
  }

  /** Those before `oldest`. */
  deleteHours(oldest: number): void {
    this.#storage.sql.exec("DELETE FROM hour WHERE hour < ?", oldest);
  }

  #rows<Row extends Record<string, SqlStorageValue>>(sql: string, ...values: SqlStorageValue[]): Row[] {
    return this.#storage.sql.exec<Row>(sql, ...values).toArray();
  }
}
