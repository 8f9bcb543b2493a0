import { parseJson } from "../lib/json";
import type { DeadLetter, FailureReport } from "./answers";
import type { CommandEvent, IncomingEvent, MessageKind, OutgoingEvent } from "./event";

export type DeadReason = DeadLetter["reason"];

type Attempt = {
  /** Stable over all attempts: the receiver drops repeats by it. */
  id: string;
  sequence: number;
  /** From 1. */
  attempt: number;
  /** When the relay took it, epoch ms: the same in every attempt. */
  acceptedAtMs: number;
};

/** One message on its way out, parsed. `text` is the same as it is stored, for who is sent it to the letter. */
export type Delivery = Attempt & { text: string } & (
    | { kind: "incoming"; event: IncomingEvent }
    | { kind: "outgoing"; event: OutgoingEvent }
    | { kind: "command"; event: CommandEvent }
    | { kind: "failure"; report: FailureReport }
  );

export type DeliveryOf<Kind extends MessageKind> = Extract<Delivery, { kind: Kind }>;

/** A message that is to be attempted. Its text is that of its event, or of a failure's report. */
export type DueMessage = Attempt & { kind: MessageKind };

/**
 * A message and its text, parsed where it is looked at: who is sent the text to the letter does not pay for it. It was validated
 * before it was stored, which makes the cast true.
 */
export function deliveryOf(message: DueMessage, text: string): Delivery {
  let parsed: unknown;
  const content = { enumerable: true, get: () => (parsed ??= parseStored(text)) };
  const name = message.kind === "failure" ? "report" : "event";
  return Object.defineProperty({ ...message, text }, name, content) as Delivery;
}

/** Parses an event, or a report, as it is stored. Unlike JSON.parse, this keeps a number that a double would change. */
export function parseStored(text: string): unknown {
  const parsed = parseJson(text);
  if (!parsed.ok) throw new Error("the stored message is not JSON");
  return parsed.value;
}

/** Whether it is an agent's reply, and no Close. */
export const isReply = (event: OutgoingEvent | CommandEvent): event is OutgoingEvent => "messageType" in event;
