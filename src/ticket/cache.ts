import type { EventKind, MessageKind } from "../model/event";
import type { LaneName, LaneView } from "../model/answers";
import type { PauseState } from "../model/pause";
import { isoTime, LANES } from "../model/timeline";
import type { StoredText } from "../tenants/texts";
import {
  afterAccepting,
  afterMoving,
  afterReplaying,
  afterSettling,
  formerContactsOf,
  opened,
  type Opening,
} from "./conversation";
import * as lanes from "./lane";
import type { Lying } from "./order";
import { afterState, pausedMs, type LanePause } from "./pause";
import type { AttemptHistory, Disposition } from "./retry";
import type { MessageRow, TicketRow } from "./schema";
import type { TicketStore } from "./store";
import { bytesOf } from "./stored-text";

/** How long a key is good for. */
const IDEMPOTENCY_MS = 24 * 3600_000;
/** So many accepted messages of each lane are kept in memory, while they are no longer than this together. */
const FRESH_MESSAGES = 16;
const MOST_FRESH_BYTES = 128 * 1024;

export type NewMessage = {
  id: string;
  lane: LaneName;
  kind: MessageKind;
  event: StoredText;
  /** How many bytes are kept of it. */
  bytes: number;
  digest?: string;
  completion?: string | undefined;
  suspectedDuplicate: boolean;
  idempotencyKey: string | undefined;
  /** How it lies; undefined where the lane takes it at once. */
  lying?: Lying | undefined;
};

/** What an event says of its ticket. */
type Said = Opening & Pick<TicketRow, "owner" | "ticketNumber">;
type Fresh = { row: MessageRow; bytes: number };

/** What is kept of the conversations, by lane, and which far end each of them is at. */
type Conversations = Partial<Record<LaneName, unknown>> & {
  farEnds?: Partial<Record<LaneName, string>>;
  /** Up to which reply the desk shows what became of it. */
  receiptedUpTo?: number;
  /** Those up to there that were replayed, and are to be shown again. */
  receiptAgain?: number[];
  /** Of the desk's numbered messages, those above this are the ticket's. */
  since?: number;
  asked?: Asked;
  /** Where the relay is called from outside, for links of its own. */
  origin?: string;
  /** The name by which the tenant's index leads from the desk's conversation to the ticket. */
  named?: Named | undefined;
  pauses?: Partial<Record<LaneName, LanePause>>;
  /** How many dead letters were discarded. */
  discarded?: Partial<Record<LaneName, number>>;
  formerContacts?: string[];
  /** Of lanes of which retention has deleted the newest messages, or dead letters. */
  expired?: Partial<Record<LaneName, lanes.Expired>>;
};

type Named = { farEnd: string; name: string };

/** When the desk was last asked for what no webhook told: how many messages were accepted then, and which was its newest. */
export type Asked = { accepted: number; upTo?: number };

const conversationsOf = (ticket: TicketRow) => JSON.parse(ticket.conversations) as Conversations;

/**
 * The ticket's rows in memory, so that in the ordinary case none is read. It writes through: each change goes to the rows and
 * to memory in one synchronous turn, to the rows first. If one of them cannot be written, none is, and memory stays as it was.
 */
export class TicketCache {
  readonly #store: TicketStore;
  /** Messages that were accepted lately and not tried yet. As a rule the next one to deliver is among them. */
  readonly #fresh = { toDesk: new Map<number, Fresh>(), toDolphins: new Map<number, Fresh>() };
  ticket: TicketRow | undefined;
  /** Another after each wipe: what was begun in an earlier life changes nothing in this one. */
  life = 0;
  /** Of a ticket that this instance has opened, epoch ms. */
  openedAtMs: number | undefined;
  /** Where the relay was called from outside. Kept with the next desk conversation, which costs nothing more. */
  origin: string | undefined;
  readonly #lanes: Record<LaneName, lanes.Lane> = { toDesk: lanes.EMPTY_LANE, toDolphins: lanes.EMPTY_LANE };

  constructor(store: TicketStore) {
    this.#store = store;
  }

  lane = (name: LaneName): lanes.Lane => this.#lanes[name];

  load(): void {
    this.#store.migrate();
    this.ticket = this.#store.readTicket();
    const { pauses, discarded, expired } = this.ticket ? conversationsOf(this.ticket) : {};
    for (const lane of LANES) {
      const kept = { paused: pauses?.[lane]?.pause, discarded: discarded?.[lane] ?? 0 };
      this.#lanes[lane] = { ...this.#store.readLane(lane, expired?.[lane]), ...kept };
    }
  }

  /** Writes the ticket's row, if the change makes a difference to it. */
  change(change: Partial<TicketRow>): void {
    const changed = this.#changed(change);
    if (!changed) return;
    this.#store.saveTicket(changed);
    this.ticket = changed;
  }

  /** An event at the end of its lane, and what it changes about the ticket. The first one opens it. */
  accept(message: NewMessage & { kind: EventKind }, said: Said, nowMs: number): MessageRow {
    const { row, moves } = this.#rowOf(message, nowMs);
    const { lane, sequence, idempotencyKey: key } = row;
    const { ticket } = this;
    const after = ticket
      ? this.#changed({ ...afterMoving(ticket, lane, moves), ...afterAccepting(ticket, message.kind, row, said) })
      : opened(said.owner, said.ticketNumber, said);
    const write = () => {
      if (!ticket) this.#store.migrate();
      this.#store.renumber(lane, moves);
      this.#store.insertMessage(row);
      if (key !== null) this.#store.saveKey(lane, key, sequence, nowMs + IDEMPOTENCY_MS);
      if (after) this.#store.saveTicket(after);
    };
    // As a rule it is one row, and that is whole without a transaction.
    if (key === null && !after && moves.length === 0) write();
    else this.#store.transaction(write);
    if (!ticket) this.openedAtMs = nowMs;
    if (after) this.ticket = after;
    this.#appended(row, message);
    return row;
  }

  /** Takes what has lain long enough in a lane. */
  take(name: LaneName, nowMs: number): void {
    const before = this.#lanes[name];
    const taken = lanes.take(before, nowMs);
    if (!taken) return;
    const after = this.ticket && this.#changed(afterMoving(this.ticket, name, taken.moves));
    this.#store.transaction(() => {
      this.#store.renumber(name, taken.moves);
      this.#store.markTaken(name, lanes.takenUpTo(before) + 1, lanes.takenUpTo(taken.lane));
      if (after) this.#store.saveTicket(after);
    });
    if (after) this.ticket = after;
    this.#lanes[name] = taken.lane;
  }

  /** Whether replies are accepted: in an open ticket, and as long as the Close lies. */
  acceptsReplies(): boolean {
    if (!this.ticket) return false;
    const { state, closeLane, closeSequence } = this.ticket;
    return state === "open" || (closeLane !== null && this.lies(closeLane, closeSequence ?? 0));
  }

  lies = (lane: LaneName, sequence: number): boolean => sequence > lanes.takenUpTo(this.#lanes[lane]);

  /**
   * What this far end of a lane asked to have kept of its conversation. What another far end asked for is void: its numbers
   * name somebody else's conversation here. Earlier versions did not write down the far end. Theirs is taken for the one of
   * today's record, which is right for all tenants that never moved, and is written down so that a later move voids it.
   */
  conversation(lane: LaneName, farEnd: string): unknown {
    if (!this.ticket) return undefined;
    const { [lane]: conversation, farEnds } = conversationsOf(this.ticket);
    if (conversation === undefined) return undefined;
    if (farEnds?.[lane] === undefined) this.keepConversation(lane, farEnd, conversation);
    return (farEnds?.[lane] ?? farEnd) === farEnd ? conversation : undefined;
  }

  keepConversation(lane: LaneName, farEnd: string, conversation: unknown, since?: number): void {
    if (!this.ticket) return;
    const before = conversationsOf(this.ticket);
    const farEnds = { ...before.farEnds, [lane]: farEnd };
    const kept: Conversations = { ...before, [lane]: conversation, farEnds };
    // Numbers are those of one far end.
    if (before.farEnds?.[lane] !== undefined && before.farEnds[lane] !== farEnd) {
      delete kept.since;
      delete kept.asked;
    }
    if (since !== undefined) kept.since ??= since;
    if (this.origin !== undefined) kept.origin = this.origin;
    this.change({ conversations: JSON.stringify(kept) });
  }

  isNamed(farEnd: string, name: string): boolean {
    const named = this.ticket && conversationsOf(this.ticket).named;
    return named?.farEnd === farEnd && named.name === name;
  }

  keepNamed(named: Named | undefined): void {
    if (!this.ticket) return;
    this.change({ conversations: JSON.stringify({ ...conversationsOf(this.ticket), named }) });
  }

  /** The far end that the kept conversation with the desk is at. */
  deskFarEnd = (): string | undefined => this.ticket && conversationsOf(this.ticket).farEnds?.toDesk;

  since(farEnd: string): number | undefined {
    return this.ticket && this.deskFarEnd() === farEnd ? conversationsOf(this.ticket).since : undefined;
  }

  asked = (): Asked | undefined => this.ticket && conversationsOf(this.ticket).asked;

  keepAsked(asked: Asked): void {
    if (!this.ticket) return;
    this.change({ conversations: JSON.stringify({ ...conversationsOf(this.ticket), asked }) });
  }

  /** Where the relay was last called from outside, or was when the conversation was kept. */
  calledAt = (): string | undefined => this.origin ?? (this.ticket && conversationsOf(this.ticket).origin);

  /** Undefined before the ticket's first reply that has a receipt. */
  receiptedUpTo = (): number | undefined => this.ticket && conversationsOf(this.ticket).receiptedUpTo;

  receiptAgain = (): readonly number[] => (this.ticket && conversationsOf(this.ticket).receiptAgain) ?? [];

  keepReceiptAgain(receiptAgain: readonly number[]): void {
    if (!this.ticket) return;
    this.change({ conversations: JSON.stringify({ ...conversationsOf(this.ticket), receiptAgain }) });
  }

  keepReceipted(receiptedUpTo: number): void {
    if (!this.ticket) return;
    this.change({ conversations: JSON.stringify({ ...conversationsOf(this.ticket), receiptedUpTo }) });
  }

  message(lane: LaneName, sequence: number): MessageRow | undefined {
    return this.#fresh[lane].get(sequence)?.row ?? this.#store.readMessage(lane, sequence);
  }

  begin(lane: LaneName, sequence: number): void {
    this.#lanes[lane] = lanes.begin(this.#lanes[lane], sequence);
  }

  /** Records how an attempt ended, what became of its message, and the message in which the desk is told of that. */
  settle(
    message: MessageRow,
    history: AttemptHistory,
    disposition: Disposition,
    nowMs: number,
    report?: NewMessage,
  ): void {
    const { lane, sequence } = message;
    const reported = report && this.#rowOf(report, nowMs).row;
    const after = this.ticket && this.#changed(afterSettling(this.ticket, message, disposition.state));
    const write = () => {
      this.#store.saveOutcome(lane, sequence, history, disposition);
      if (after) this.#store.saveTicket(after);
      if (reported) this.#store.insertMessage(reported);
    };
    if (after || reported) this.#store.transaction(write);
    else write();
    if (after) this.ticket = after;
    if (reported) this.#appended(reported, report);
    const bytes = this.#fresh[lane].get(sequence)?.bytes ?? bytesOf(message.event);
    this.#fresh[lane].delete(sequence);
    this.#lanes[lane] = lanes.settle(this.#lanes[lane], sequence, disposition, bytes);
  }

  /** Ends an attempt whose outcome could not be recorded. It does not count, and its message is tried again later. */
  giveUp(lane: LaneName, sequence: number, untilMs: number): void {
    this.#lanes[lane] = lanes.settle(this.#lanes[lane], sequence, { state: "waiting", nextAttemptAtMs: untilMs }, 0);
  }

  /** What was begun is no attempt after all. */
  withdraw(lane: LaneName): void {
    this.#lanes[lane] = lanes.withdraw(this.#lanes[lane]);
  }

  /** Lets the head of a lane be tried at once. */
  retry(lane: LaneName): void {
    this.#store.clearWaits(lane);
    this.#lanes[lane] = lanes.retry(this.#lanes[lane]);
  }

  /** Pauses a lane or lets it go on, as its tenant's index has it. A state that is older than the one known changes nothing. */
  applyPause(lane: LaneName, state: PauseState, nowMs: number): void {
    if (!this.ticket) return;
    const kept = conversationsOf(this.ticket);
    const after = afterState(kept.pauses?.[lane], state, nowMs, lanes.waitingCount(this.#lanes[lane]) === 0);
    if (!after) return;
    this.change({ conversations: JSON.stringify({ ...kept, pauses: { ...kept.pauses, [lane]: after } }) });
    this.#lanes[lane] = { ...this.#lanes[lane], paused: after.pause };
  }

  /** For how long a lane was paused between two times. */
  pausedMs(lane: LaneName, fromMs: number, untilMs: number): number {
    // Most tickets have never been paused, and this is asked after every attempt.
    if (!this.ticket?.conversations.includes('"pauses"')) return 0;
    return pausedMs(conversationsOf(this.ticket).pauses?.[lane], fromMs, untilMs);
  }

  /** Dead letters of a lane become ones that nobody wants any more. */
  discard(lane: LaneName, sequences: readonly number[]): void {
    if (!this.ticket || sequences.length === 0) return;
    const kept = conversationsOf(this.ticket);
    const after = lanes.discard(this.#lanes[lane], sequences.length);
    const discarded = { ...kept.discarded, [lane]: after.discarded };
    const ticket = { ...this.ticket, conversations: JSON.stringify({ ...kept, discarded }) };
    this.#store.transaction(() => {
      for (const sequence of sequences) this.#store.discard(lane, sequence);
      this.#store.saveTicket(ticket);
    });
    this.ticket = ticket;
    this.#lanes[lane] = after;
  }

  /** Puts dead letters of a lane back. */
  replay(lane: LaneName, isWanted: (id: string) => boolean, nowMs: number): void {
    const letters = this.#store.readDeadLetters(lane).filter((letter) => isWanted(letter.id));
    if (letters.length === 0) return;
    const close = letters.find(({ kind }) => kind === "command");
    const after = close && this.ticket && this.#changed(afterReplaying(this.ticket, close.kind, { lane, ...close }));
    this.#store.transaction(() => {
      this.#store.clearWaits(lane);
      for (const { sequence } of letters) this.#store.requeue(lane, sequence, nowMs);
      if (after) this.#store.saveTicket(after);
    });
    if (after) this.ticket = after;
    const bytes = letters.reduce((sum, letter) => sum + letter.bytes, 0);
    const sequences = letters.map((letter) => letter.sequence);
    this.#lanes[lane] = lanes.replay(this.#lanes[lane], sequences, bytes);
  }

  /** Whether the conversation is closed and nothing of it waits. */
  isOver(): boolean {
    return this.ticket?.state === "closed" && LANES.every((lane) => lanes.waitingCount(this.#lanes[lane]) === 0);
  }

  /** Whether all messages have been deleted. */
  isEmpty = (): boolean => LANES.every((lane) => this.#store.oldestSequence(lane) === undefined);

  /** Whether it is, or was, a ticket of this contact. */
  isOf = (contactId: string): boolean =>
    this.ticket !== undefined &&
    (this.ticket.contactId === contactId || formerContactsOf(this.ticket).includes(contactId));

  /**
   * Deletes up to `limit` messages of each lane whose time was over at `cutoffMs`, the oldest first; true when a lane met that
   * limit. Where a lane's newest go, the ticket's row says from then on where the lane is.
   */
  expire(cutoffMs: number, limit: number): boolean {
    if (!this.ticket) return false;
    const ended = LANES.map((lane) => {
      const messages = this.#store.readEnded(lane, cutoffMs, limit);
      const dead = messages.filter(({ state }) => state === "dead").length;
      return { lane, messages, dead, upTo: messages.at(-1)?.sequence ?? 0 };
    });
    const kept = conversationsOf(this.ticket);
    const expired = { ...kept.expired };
    for (const { lane, dead, upTo } of ended) {
      // As long as there is an outcome of a newer one, that says how far the lane is.
      if (upTo === 0 || (dead === 0 && upTo < this.#store.newestTried(lane))) continue;
      const before = expired[lane] ?? lanes.NONE_EXPIRED;
      expired[lane] = { upTo: Math.max(before.upTo, upTo), dead: before.dead + dead };
    }
    const isNew = JSON.stringify(expired) !== JSON.stringify(kept.expired ?? {});
    const after = isNew ? this.#changed({ conversations: JSON.stringify({ ...kept, expired }) }) : undefined;
    this.#store.transaction(() => {
      for (const { lane, messages } of ended) this.#store.deleteMessages(lane, messages);
      if (after) this.#store.saveTicket(after);
    });
    if (after) this.ticket = after;
    for (const { lane, dead } of ended) this.#lanes[lane] = lanes.expire(this.#lanes[lane], dead);
    return ended.some(({ messages }) => messages.length === limit);
  }

  /** Deletes everything, from the rows and from memory. */
  async wipe(): Promise<void> {
    const wiped = this.#store.wipe();
    this.life++;
    this.ticket = undefined;
    this.openedAtMs = undefined;
    for (const lane of LANES) {
      this.#fresh[lane].clear();
      this.#lanes[lane] = lanes.EMPTY_LANE;
    }
    await wiped;
  }

  laneView(name: LaneName, nowMs: number): LaneView {
    const lane = this.#lanes[name];
    const notBeforeMs = lanes.notBeforeMsOf(lane, nowMs);
    const counts = lanes.countsOf(lane);
    const head = lanes.headOf(lane) ?? (lane.lying.length > 0 ? lanes.takenUpTo(lane) + 1 : undefined);
    const message = head === undefined ? undefined : this.#store.readMessage(name, head);
    const paused = lane.paused
      ? { paused: { since: isoTime(lane.paused.sinceMs), reason: lane.paused.reason } }
      : undefined;
    if (!message) return { ...counts, ...paused };
    return {
      ...counts,
      ...paused,
      oldestWaitingSince: isoTime(message.acceptedAtMs),
      ...(notBeforeMs > 0 && !paused ? { nextAttemptAt: isoTime(notBeforeMs), blockedBy: message.id } : {}),
    };
  }

  #rowOf(message: NewMessage, nowMs: number): { row: MessageRow; moves: lanes.Move[] } {
    const { id, lane, kind, event, digest, completion, suspectedDuplicate, idempotencyKey, lying } = message;
    const { sequence, moves } = lanes.placeFor(this.#lanes[lane], lying !== undefined);
    const row = {
      lane,
      sequence,
      id,
      kind,
      event,
      acceptedAtMs: nowMs,
      suspectedDuplicate: suspectedDuplicate ? 1 : 0,
      idempotencyKey: idempotencyKey ?? null,
      orderKey: lying?.key ?? null,
      lyingUntilMs: lying?.untilMs ?? null,
      digest: idempotencyKey === undefined || typeof event === "string" ? null : (digest ?? null),
      completion: completion ?? null,
    };
    return { row, moves };
  }

  #appended(row: MessageRow, { bytes, lying }: NewMessage): void {
    const fresh = this.#fresh[row.lane];
    this.#lanes[row.lane] = lanes.accept(this.#lanes[row.lane], bytes, lying);
    const freshBytes = fresh.values().reduce((sum, one) => sum + one.bytes, bytes);
    // The sequence of what lies may change.
    if (!lying && fresh.size < FRESH_MESSAGES && freshBytes <= MOST_FRESH_BYTES)
      fresh.set(row.sequence, { row, bytes });
  }

  /** The ticket's row with a change; undefined when that makes no difference. */
  #changed(change: Partial<TicketRow>): TicketRow | undefined {
    const { ticket } = this;
    const keys = Object.keys(change) as (keyof TicketRow)[];
    return ticket && keys.some((key) => ticket[key] !== change[key]) ? { ...ticket, ...change } : undefined;
  }
}
