import { v7 as uuid } from "uuid";
import { byteLength } from "../crypto/bytes";
import type { EventKind, MessageKind } from "../model/event";
import type { LaneName, LaneView } from "../model/answers";
import { isoTime, LANES } from "../model/timeline";
import { afterAccepting, afterReplaying, afterSettling, opened, type Opening } from "./conversation";
import * as lanes from "./lane";
import type { AttemptHistory, Disposition } from "./retry";
import type { MessageRow, TicketRow } from "./schema";
import type { TicketStore } from "./store";

/** How long a key is good for. */
const IDEMPOTENCY_MS = 24 * 3600_000;
/** So many accepted messages of each lane are kept in memory, and none that is longer than this. */
const FRESH_MESSAGES = 16;
const LONGEST_FRESH_BYTES = 4_096;

type NewMessage = {
  lane: LaneName;
  kind: MessageKind;
  event: string;
  /** The length of the event in UTF-8. */
  bytes: number;
  suspectedDuplicate: boolean;
  idempotencyKey: string | undefined;
};

type Fresh = { row: MessageRow; bytes: number };

const conversationsOf = (ticket: TicketRow) => JSON.parse(ticket.conversations) as Partial<Record<LaneName, unknown>>;

/**
 * The ticket's rows in memory, so that in the ordinary case none is read. It writes through: each change goes to the rows and
 * to memory in one synchronous turn, to the rows first. If a row cannot be written, memory stays as it was.
 */
export class TicketCache {
  readonly #store: TicketStore;
  /** Messages that were accepted lately and not tried yet. As a rule the next one to deliver is among them. */
  readonly #fresh = { toDesk: new Map<number, Fresh>(), toDolphins: new Map<number, Fresh>() };
  ticket: TicketRow | undefined;
  readonly #lanes: Record<LaneName, lanes.Lane> = { toDesk: lanes.EMPTY_LANE, toDolphins: lanes.EMPTY_LANE };

  constructor(store: TicketStore) {
    this.#store = store;
  }

  lane = (name: LaneName): lanes.Lane => this.#lanes[name];

  load(): void {
    this.#store.migrate();
    this.ticket = this.#store.readTicket();
    for (const lane of LANES) this.#lanes[lane] = this.#store.readLane(lane);
  }

  open(owner: string, ticketNumber: string, opening: Opening): TicketRow {
    this.#store.migrate();
    const ticket = opened(owner, ticketNumber, opening);
    this.#store.saveTicket(ticket);
    this.ticket = ticket;
    return ticket;
  }

  /** Writes the ticket's row, if the change makes a difference to it. */
  change(change: Partial<TicketRow>): void {
    const { ticket } = this;
    if (!ticket) return;
    const changed: TicketRow = { ...ticket, ...change };
    const keys = Object.keys(change) as (keyof TicketRow)[];
    if (keys.every((key) => ticket[key] === changed[key])) return;
    this.#store.saveTicket(changed);
    this.ticket = changed;
  }

  /** An event at the end of its lane, and what it changes about the ticket. */
  accept(message: NewMessage & { kind: EventKind }, opening: Opening, nowMs: number): MessageRow {
    const row = this.append(message, nowMs);
    if (row.idempotencyKey !== null) {
      this.#store.saveKey(row.lane, row.idempotencyKey, row.sequence, nowMs + IDEMPOTENCY_MS);
    }
    if (this.ticket) this.change(afterAccepting(this.ticket, message.kind, row, opening));
    return row;
  }

  /** What the far end of a lane asked to have kept of its conversation. */
  conversation(lane: LaneName): unknown {
    return this.ticket && conversationsOf(this.ticket)[lane];
  }

  keepConversation(lane: LaneName, conversation: unknown): void {
    if (!this.ticket) return;
    const conversations = { ...conversationsOf(this.ticket), [lane]: conversation };
    this.change({ conversations: JSON.stringify(conversations) });
  }

  message(lane: LaneName, sequence: number): MessageRow | undefined {
    return this.#fresh[lane].get(sequence)?.row ?? this.#store.readMessage(lane, sequence);
  }

  /** One more message at the end of a lane. */
  append({ lane, kind, event, bytes, suspectedDuplicate, idempotencyKey }: NewMessage, nowMs: number): MessageRow {
    const longer = lanes.accept(this.#lanes[lane], bytes);
    const row: MessageRow = {
      lane,
      sequence: longer.accepted,
      id: `msg_${uuid().replaceAll("-", "")}`,
      kind,
      event,
      acceptedAtMs: nowMs,
      suspectedDuplicate: suspectedDuplicate ? 1 : 0,
      idempotencyKey: idempotencyKey ?? null,
    };
    this.#store.insertMessage(row);
    this.#lanes[lane] = longer;
    const fresh = this.#fresh[lane];
    if (fresh.size < FRESH_MESSAGES && bytes <= LONGEST_FRESH_BYTES) fresh.set(row.sequence, { row, bytes });
    return row;
  }

  begin(lane: LaneName, sequence: number): void {
    this.#lanes[lane] = lanes.begin(this.#lanes[lane], sequence);
  }

  /** Records how an attempt ended, and what became of its message. */
  settle(message: MessageRow, history: AttemptHistory, disposition: Disposition): void {
    const { lane, sequence } = message;
    this.#store.saveOutcome(lane, sequence, history, disposition);
    const bytes = this.#fresh[lane].get(sequence)?.bytes ?? byteLength(message.event);
    this.#fresh[lane].delete(sequence);
    this.#lanes[lane] = lanes.settle(this.#lanes[lane], sequence, disposition, bytes);
    if (this.ticket) this.change(afterSettling(this.ticket, message, disposition.state));
  }

  /** Ends an attempt whose outcome could not be recorded. It does not count, and its message is tried again later. */
  giveUp(lane: LaneName, sequence: number, untilMs: number): void {
    this.#lanes[lane] = lanes.settle(this.#lanes[lane], sequence, { state: "waiting", nextAttemptAtMs: untilMs }, 0);
  }

  /** Puts dead letters of a lane back, and gives their ids. */
  replay(lane: LaneName, wanted: (id: string) => boolean, nowMs: number): string[] {
    const letters = this.#store.readDeadLetters(lane).filter((letter) => wanted(letter.id));
    if (letters.length === 0) return [];
    this.#store.clearWaits(lane);
    for (const { sequence, kind } of letters) {
      this.#store.requeue(lane, sequence, nowMs);
      if (this.ticket) this.change(afterReplaying(this.ticket, kind, { lane, sequence }));
    }
    const bytes = letters.reduce((sum, letter) => sum + letter.bytes, 0);
    const sequences = letters.map((letter) => letter.sequence);
    this.#lanes[lane] = lanes.replay(this.#lanes[lane], sequences, bytes);
    return letters.map((letter) => letter.id);
  }

  /** Whether the conversation is closed and nothing of it waits. */
  isOver(): boolean {
    return this.ticket?.state === "closed" && LANES.every((lane) => lanes.waitingCount(this.#lanes[lane]) === 0);
  }

  /** Deletes everything, from the rows and from memory. */
  async wipe(): Promise<void> {
    const wiped = this.#store.wipe();
    this.ticket = undefined;
    for (const lane of LANES) {
      this.#fresh[lane].clear();
      this.#lanes[lane] = lanes.EMPTY_LANE;
    }
    await wiped;
  }

  laneView(name: LaneName): LaneView {
    const lane = this.#lanes[name];
    const waiting = lanes.waitingCount(lane);
    const { accepted, dead } = lane;
    const notBeforeMs = lanes.notBeforeMsOf(lane);
    const counts = { accepted, delivered: accepted - waiting - dead, waiting, dead };
    const head = lanes.headOf(lane);
    const message = head === undefined ? undefined : this.#store.readMessage(name, head);
    if (!message) return counts;
    return {
      ...counts,
      oldestWaitingSince: isoTime(message.acceptedAtMs),
      ...(notBeforeMs > 0 ? { nextAttemptAt: isoTime(notBeforeMs), blockedBy: message.id } : {}),
    };
  }
}
