import type { LaneName } from "../../../src/model/answers";
import { EMPTY_LANE, NONE_EXPIRED, type Lane, type Move } from "../../../src/ticket/lane";
import type { AttemptHistory, Disposition } from "../../../src/ticket/retry";
import type { MessageRow, OutcomeRow, TicketRow } from "../../../src/ticket/schema";
import type { Ended, TicketStore } from "../../../src/ticket/store";
import { bytesOf } from "../../../src/ticket/stored-text";

type Outcome = AttemptHistory & Pick<OutcomeRow, "state" | "reason" | "nextAttemptAtMs">;

/** What accept, drain and replay ask of a store. */
type Asked = Pick<
  TicketStore,
  | "migrate"
  | "transaction"
  | "findNewest"
  | "readTicket"
  | "saveTicket"
  | "readLane"
  | "insertMessage"
  | "renumber"
  | "markTaken"
  | "readMessage"
  | "readHistory"
  | "saveOutcome"
  | "readDeadLetters"
  | "newestDelivered"
  | "requeue"
  | "discard"
  | "clearWaits"
  | "readKey"
  | "saveKey"
  | "readEnded"
  | "deleteMessages"
  | "newestTried"
>;

/** The rows of a ticket without SQL, so that ten thousand tickets take seconds. Like the real ones they outlive a crash. */
export class MemoryRows implements Asked {
  #ticket: TicketRow | undefined;
  readonly #messages: Record<LaneName, Map<number, MessageRow>> = { toDesk: new Map(), toDolphins: new Map() };
  readonly #outcomes: Record<LaneName, Map<number, Outcome>> = { toDesk: new Map(), toDolphins: new Map() };
  readonly #keys = new Map<string, { sequence: number; expiresAtMs: number }>();

  migrate(): void {
    this.#ticket ??= undefined;
  }

  transaction(write: () => void): void {
    write();
  }

  findNewest(lane: LaneName, id: string): number | undefined {
    return [...this.#messages[lane].values()].find((row) => row.id === id)?.sequence;
  }

  readTicket(): TicketRow | undefined {
    return this.#ticket && { ...this.#ticket };
  }

  saveTicket(row: TicketRow): void {
    this.#ticket = { ...row };
  }

  readLane(lane: LaneName, kept = NONE_EXPIRED): Lane {
    const messages = this.#messages[lane];
    const outcomes = this.#outcomes[lane];
    const frontier = Math.max(kept.upTo, ...outcomes.keys());
    const waiting = [...outcomes].filter(([, row]) => row.state === "waiting").toSorted(([a], [b]) => a - b);
    const requeued = waiting.map(([sequence, row]) => ({ sequence, notBeforeMs: row.nextAttemptAtMs ?? 0 }));
    const dead = [...outcomes.values()].filter((row) => row.state === "dead").length;
    let waitingBytes = 0;
    for (const [sequence, { event }] of messages) {
      if (sequence > frontier || outcomes.get(sequence)?.state === "waiting") waitingBytes += bytesOf(event);
    }
    const accepted = Math.max(kept.upTo, ...messages.keys());
    const lying: { key: number | null; untilMs: number }[] = [];
    for (let sequence = accepted; sequence > frontier; sequence--) {
      const row = messages.get(sequence);
      if (!row || row.lyingUntilMs === null) break;
      lying.unshift({ key: row.orderKey, untilMs: row.lyingUntilMs });
    }
    return { ...EMPTY_LANE, accepted, lying, frontier, requeued, dead, expired: kept.dead, waitingBytes };
  }

  insertMessage(row: MessageRow): void {
    if (this.#messages[row.lane].has(row.sequence)) throw new Error("UNIQUE constraint failed");
    this.#messages[row.lane].set(row.sequence, row);
  }

  renumber(lane: LaneName, moves: readonly Move[]): void {
    const rows = moves.map(({ from, to }) => [to, this.#messages[lane].get(from)] as const);
    for (const { from } of moves) this.#messages[lane].delete(from);
    for (const [sequence, row] of rows) {
      if (!row) continue;
      this.insertMessage({ ...row, sequence });
      const key = this.#keys.get(`${lane}:${row.idempotencyKey}`);
      if (key) key.sequence = sequence;
    }
  }

  markTaken(lane: LaneName, from: number, upTo: number): void {
    for (const [sequence, row] of this.#messages[lane]) {
      if (sequence >= from && sequence <= upTo) this.#messages[lane].set(sequence, { ...row, lyingUntilMs: null });
    }
  }

  readMessage(lane: LaneName, sequence: number): MessageRow | undefined {
    return this.#messages[lane].get(sequence);
  }

  readHistory(lane: LaneName, sequence: number): Outcome | undefined {
    return this.#outcomes[lane].get(sequence);
  }

  saveOutcome(lane: LaneName, sequence: number, history: AttemptHistory, disposition: Disposition): void {
    const reason = disposition.state === "dead" ? disposition.reason : null;
    const nextAttemptAtMs = disposition.state === "waiting" ? disposition.nextAttemptAtMs : null;
    this.#outcomes[lane].set(sequence, { ...history, state: disposition.state, reason, nextAttemptAtMs });
  }

  readDeadLetters(lane: LaneName): ReturnType<TicketStore["readDeadLetters"]> {
    const dead = [...this.#outcomes[lane]].filter(([, row]) => row.state === "dead").toSorted(([a], [b]) => a - b);
    return dead.flatMap(([sequence]) => {
      const message = this.#messages[lane].get(sequence);
      return message ? [{ sequence, id: message.id, kind: message.kind, bytes: bytesOf(message.event) }] : [];
    });
  }

  newestDelivered(lane: LaneName): number {
    const delivered = [...this.#outcomes[lane]].filter(([, row]) => row.state === "delivered");
    return Math.max(0, ...delivered.map(([sequence]) => sequence));
  }

  discard(lane: LaneName, sequence: number): void {
    const row = this.#outcomes[lane].get(sequence);
    if (row) this.#outcomes[lane].set(sequence, { ...row, state: "discarded" });
  }

  clearWaits(lane: LaneName): void {
    for (const [sequence, row] of this.#outcomes[lane]) {
      if (row.state === "waiting") this.#outcomes[lane].set(sequence, { ...row, nextAttemptAtMs: null });
    }
  }

  requeue(lane: LaneName, sequence: number, nowMs: number): void {
    const row = this.#outcomes[lane].get(sequence);
    if (!row) return;
    const round = { roundStartedAtMs: nowMs, roundTries: 0, nextAttemptAtMs: null };
    this.#outcomes[lane].set(sequence, { ...row, ...round, state: "waiting", reason: null });
  }

  readKey(lane: LaneName, key: string, nowMs: number): number | undefined {
    const known = this.#keys.get(`${lane}:${key}`);
    return known && known.expiresAtMs > nowMs ? known.sequence : undefined;
  }

  saveKey(lane: LaneName, key: string, sequence: number, expiresAtMs: number): void {
    this.#keys.set(`${lane}:${key}`, { sequence, expiresAtMs });
  }

  readEnded(lane: LaneName, cutoffMs: number, limit: number): Ended[] {
    return [...this.#messages[lane].values()]
      .flatMap(({ sequence, acceptedAtMs, idempotencyKey }) => {
        const { state, attempts } = this.#outcomes[lane].get(sequence) ?? { state: "waiting" as const, attempts: [] };
        const endedAtMs = state === "dead" ? Date.parse(attempts.at(-1)?.at ?? "") : acceptedAtMs;
        const isOver = state !== "waiting" && acceptedAtMs < cutoffMs && endedAtMs < cutoffMs;
        return isOver ? [{ sequence, idempotencyKey, state }] : [];
      })
      .toSorted((a, b) => a.sequence - b.sequence)
      .slice(0, limit);
  }

  newestTried = (lane: LaneName): number => Math.max(0, ...this.#outcomes[lane].keys());

  deleteMessages(lane: LaneName, messages: readonly Ended[]): void {
    for (const { sequence, idempotencyKey } of messages) {
      this.#messages[lane].delete(sequence);
      this.#outcomes[lane].delete(sequence);
      const key = `${lane}:${idempotencyKey}`;
      if (this.#keys.get(key)?.sequence === sequence) this.#keys.delete(key);
    }
  }
}
