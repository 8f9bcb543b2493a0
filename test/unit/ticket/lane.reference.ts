import type { MessageKind } from "../../../src/model/event";
import type { DeliveryPolicy } from "../../../src/ticket/retry";
import { LANES, type LaneName, type MessageState, type TicketState } from "../../../src/model/timeline";

/**
 * What the protocol promises of a ticket, in the most naive form: two plain lists of messages, each with its state,
 * searched from the front every time. It shares nothing with lane.ts but the words.
 */

/** How the far end took one attempt. `lost`: it took the message, and its answer never came back. */
export type FarEnd = "delivered" | "rejected" | "blocked" | "unreachable" | "lost";

export type Message = {
  lane: LaneName;
  sequence: number;
  kind: MessageKind;
  bytes: number;
  state: MessageState;
  /** From when its age counts. */
  sinceMs: number;
  /** Attempts on record. */
  tries: number;
  /** When its next attempt is due after a failed one; 0 for at once. */
  dueMs: number;
  replays: number;
  /** Times the far end took it, and how often of those the relay did not learn of it. */
  taken: number;
  unrecorded: number;
};

const MAX_WAIT_MS = 720_000;

export class Reference {
  readonly messages: Record<LaneName, Message[]> = { toDesk: [], toDolphins: [] };
  inFlight: Partial<Record<LaneName, Message>> = {};
  /** The Close that is on its way, or was delivered. */
  close: Message | undefined;

  get ticketState(): TicketState {
    if (!this.close) return "open";
    return this.close.state === "delivered" ? "closed" : "closing";
  }

  withState(lane: LaneName, state: MessageState): Message[] {
    return this.messages[lane].filter((message) => message.state === state);
  }

  head(lane: LaneName): Message | undefined {
    return this.withState(lane, "waiting")[0];
  }

  accept(lane: LaneName, kind: MessageKind, bytes: number, nowMs: number): number | undefined {
    if (kind === "command" && this.close) return this.close.sequence;
    if (kind === "outgoing" && this.close) return undefined;
    const trace = { tries: 0, dueMs: 0, replays: 0, taken: 0, unrecorded: 0 };
    const sequence = this.messages[lane].length + 1;
    const message: Message = { lane, sequence, kind, bytes, state: "waiting", sinceMs: nowMs, ...trace };
    this.messages[lane].push(message);
    if (kind === "command") this.close = message;
    if (kind === "incoming") this.close = undefined;
    return sequence;
  }

  /** The far end takes a message. First deliveries are in the order of acceptance, but for replays; says what is wrong. */
  take(message: Message, isRecorded: boolean): string | undefined {
    const before = this.messages[message.lane].slice(0, message.sequence - 1);
    const overtaken = before.find((one) => one.state === "waiting" && one.taken === 0 && one.replays === 0);
    message.taken++;
    if (message.taken > 1 + message.unrecorded) return `${message.sequence} was repeated though its outcome was known`;
    if (!isRecorded) message.unrecorded++;
    return overtaken && `${message.sequence} overtook ${overtaken.sequence}`;
  }

  /** An attempt's outcome is recorded: says what is wrong with what the machine made of it. */
  settle(
    message: Message,
    far: FarEnd,
    policy: DeliveryPolicy,
    nowMs: number,
    verdict: { state: MessageState; nextAttemptAtMs?: number },
  ): string | undefined {
    message.tries++;
    const deadlineMs = message.sinceMs + policy.maxAgeSeconds * 1000;
    const holds = policy.whenExhausted === "hold";
    const isSpent = !holds && nowMs >= deadlineMs;
    if (far === "delivered") message.state = "delivered";
    else if (far === "rejected" || far === "blocked" || isSpent) message.state = "dead";
    if (verdict.state !== message.state) return `after ${far} it is ${verdict.state}, not ${message.state}`;
    if (message.state !== "waiting") {
      if (message === this.close && message.state === "dead") this.close = undefined;
      return undefined;
    }
    message.dueMs = verdict.nextAttemptAtMs ?? 0;
    if (message.dueMs <= nowMs || message.dueMs > nowMs + MAX_WAIT_MS) return `its wait is ${message.dueMs - nowMs} ms`;
    return !holds && message.dueMs > deadlineMs ? "it is tried next after its deadline" : undefined;
  }

  replay(wanted: (lane: LaneName, sequence: number) => boolean, nowMs: number): Record<LaneName, number[]> {
    const replayed: Record<LaneName, number[]> = { toDesk: [], toDolphins: [] };
    for (const lane of LANES) {
      const letters = this.withState(lane, "dead").filter((message) => wanted(lane, message.sequence));
      for (const letter of letters) {
        Object.assign(letter, { state: "waiting", sinceMs: nowMs, dueMs: 0, replays: letter.replays + 1 });
        if (letter.kind === "command") this.close ??= letter;
        replayed[lane].push(letter.sequence);
      }
      if (letters.length === 0) continue;
      // A replay lets the lane try at once.
      for (const waiting of this.withState(lane, "waiting")) waiting.dueMs = 0;
    }
    return replayed;
  }
}
