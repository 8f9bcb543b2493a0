import * as z from "zod/mini";
import type { DeskEvent } from "../desk";
import { deskContent } from "./flatten";
import type { ClosingSignal } from "./record";
import { repliesOf } from "./reply";

/** A batch as `POST /v1/desks/zendesk/{owner}` gets it: everything of the app, the relay's own messages among it. */
const batch = z.object({
  events: z.array(
    z.object({ id: z.string().check(z.minLength(1)), type: z.string(), payload: z.optional(z.unknown()) }),
  ),
});

/** Only conversations that the relay has opened have its mark. */
const marked = z.object({ conversation: z.object({ metadata: z.object({ relay: z.string() }) }) });

const messagePayload = z.object({
  message: z.object({
    author: z.object({ type: z.string() }),
    /** Of a message that the desk made by itself, such as that a ticket was closed. */
    activity: z.nullish(z.object({ type: z.string() })),
    content: z.optional(z.unknown()),
    metadata: z.nullish(z.partial(z.object({ relayMessageId: z.unknown() }))),
  }),
});

const releasePayload = z.object({ reason: z.nullish(z.string()) });

const CLOSING_ACTIVITIES: Record<string, ClosingSignal> = {
  "ticket:closed": "ticketClosed",
  "conversation:endedByUser": "endedByUser",
};

export function parse(json: unknown, closedBy: readonly ClosingSignal[]): DeskEvent[] | undefined {
  const { data } = batch.safeParse(json);
  return data?.events.flatMap(({ id, type, payload }): DeskEvent[] => {
    const identity = marked.safeParse(payload).data?.conversation.metadata.relay;
    if (identity === undefined) return [];
    const signal = closingSignal(type, payload);
    if (signal !== undefined) {
      return closedBy.includes(signal) ? [{ kind: "command", idempotencyKey: id, identity }] : [];
    }
    return agentReplies(type, payload).map(({ messageType, message, mediaLink }, at) => {
      // One message of the desk may take several of 3Dolphins.
      const idempotencyKey = at === 0 ? id : `${id}/${at + 1}`;
      return { kind: "outgoing", idempotencyKey, identity, messageType, message, mediaLink };
    });
  });
}

function closingSignal(type: string, payload: unknown): ClosingSignal | undefined {
  if (type === "switchboard:releaseControl") {
    // The other reason, transferToEmail, goes on with the same ticket by mail.
    const { reason } = releasePayload.safeParse(payload).data ?? {};
    return (reason ?? "ticketClosed") === "ticketClosed" ? "releaseControl" : undefined;
  }
  if (type !== "conversation:message") return undefined;
  const activity = messagePayload.safeParse(payload).data?.message.activity;
  return activity ? CLOSING_ACTIVITIES[activity.type] : undefined;
}

/** What an agent (or the desk's bot) says to the customer. The customer's own words, which the relay has posted, come by as well. */
function agentReplies(type: string, payload: unknown) {
  const message = type === "conversation:message" ? messagePayload.safeParse(payload).data?.message : undefined;
  if (message?.author.type !== "business" || message.activity) return [];
  if (message.metadata?.relayMessageId !== undefined) return [];
  const content = deskContent.safeParse(message.content).data;
  return content ? repliesOf(content) : [];
}
