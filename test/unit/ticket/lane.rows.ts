import { EMPTY_LANE, type Lane } from "../../../src/ticket/lane";
import type { Trial, Verdict } from "../../../src/ticket/retry";
import type { MessageRow, TicketRow } from "../../../src/ticket/schema";
import type { TicketStore } from "../../../src/ticket/store";
import type { LaneName, MessageState } from "../../../src/model/timeline";

type Outcome = Trial & { state: MessageState; reason: string | null; nextAttemptAtMs: number | null };

/** What the ticket's image asks of a store. */
type Asked = Pick<
  TicketStore,
  | "migrate"
  | "readTicket"
  | "saveTicket"
  | "readLane"
  | "insertMessage"
  | "readMessage"
  | "readTrial"
  | "saveOutcome"
  | "readDeadLetters"
  | "requeue"
  | "clearWaits"
  | "deleteDelivered"
>;

/** The rows of a ticket without SQL, so that ten thousand tickets take seconds: they outlive a crash as the real ones do. */
export class MemoryRows implements Asked {
  #ticket: TicketRow | undefined;
  readonly #messages: Record<LaneName, Map<number, MessageRow>> = { toDesk: new Map(), toDolphins: new Map() };
  readonly #outcomes: Record<LaneName, Map<number, Outcome>> = { toDesk: new Map(), toDolphins: new Map() };

  migrate(): void {
    this.#ticket ??= undefined;
  }

  readTicket(): TicketRow | undefined {
    return this.#ticket && { ...this.#ticket };
  }

  saveTicket(row: TicketRow): void {
    this.#ticket = { ...row };
  }

  readLane(lane: LaneName): Lane {
    const messages = this.#messages[lane];
    const outcomes = this.#outcomes[lane];
    const frontier = Math.max(0, ...outcomes.keys());
    const waiting = [...outcomes].filter(([, row]) => row.state === "waiting").toSorted(([a], [b]) => a - b);
    const requeued = waiting.map(([sequence, row]) => ({ sequence, notBeforeMs: row.nextAttemptAtMs ?? 0 }));
    const dead = [...outcomes.values()].filter((row) => row.state === "dead").length;
    let waitingBytes = 0;
    for (const [sequence, { event }] of messages) {
      if (sequence > frontier || outcomes.get(sequence)?.state === "waiting") waitingBytes += event.length;
    }
    return { ...EMPTY_LANE, accepted: Math.max(0, ...messages.keys()), frontier, requeued, dead, waitingBytes };
  }

  insertMessage(row: MessageRow): void {
    if (this.#messages[row.lane].has(row.sequence)) throw new Error("UNIQUE constraint failed");
    this.#messages[row.lane].set(row.sequence, row);
  }

  readMessage(lane: LaneName, sequence: number): MessageRow | undefined {
    return this.#messages[lane].get(sequence);
  }

  readTrial(lane: LaneName, sequence: number): Outcome | undefined {
    return this.#outcomes[lane].get(sequence);
  }

  saveOutcome(lane: LaneName, sequence: number, trial: Trial, verdict: Verdict): void {
    const reason = verdict.state === "dead" ? verdict.reason : null;
    const nextAttemptAtMs = verdict.state === "waiting" ? verdict.nextAttemptAtMs : null;
    this.#outcomes[lane].set(sequence, { ...trial, state: verdict.state, reason, nextAttemptAtMs });
  }

  readDeadLetters(lane: LaneName): ReturnType<TicketStore["readDeadLetters"]> {
    const dead = [...this.#outcomes[lane]].filter(([, row]) => row.state === "dead").toSorted(([a], [b]) => a - b);
    return dead.flatMap(([sequence]) => {
      const message = this.#messages[lane].get(sequence);
      return message ? [{ sequence, id: message.id, kind: message.kind, bytes: message.event.length }] : [];
    });
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

  deleteDelivered(lane: LaneName, cutoffMs: number): boolean {
    const newest = Math.max(0, ...this.#outcomes[lane].keys());
    for (const [sequence, { acceptedAtMs }] of this.#messages[lane]) {
      const isDelivered = this.#outcomes[lane].get(sequence)?.state === "delivered";
      if (!isDelivered || acceptedAtMs >= cutoffMs || sequence === newest) continue;
      this.#messages[lane].delete(sequence);
      this.#outcomes[lane].delete(sequence);
    }
    return false;
  }
}
