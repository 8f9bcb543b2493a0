import * as z from "zod/mini";
import type { RelayEvent } from "../../model/event";
import type { Delivery, DeskContext } from "../../egress/delivery";
import type { Outcome } from "../../egress/outcome";
import { chatwootApi, statusOf, type Api } from "./api";
import { openConversation, readSession } from "./conversation";
import { alreadyPosted, postIncoming, postText, type Slot } from "./message";
import { chatwootRecord, type ChatwootRecord } from "./record";
import { verifyWebhook } from "./signature";
import { parseWebhook } from "./webhook";
import { defineDesk } from "../desk";
import { failureNote } from "../agent-text";

/**
 * Chatwoot, through an inbox of type API. Requests are as its published Application API has them, or as its source has them
 * where a comment names a class; webhooks as its source writes and signs them (chatwoot/chatwoot#13573, #13892). Nothing
 * here was tried against a running Chatwoot. Not confirmed: that the secret which it shows is always the one it signs with
 * (#13809 says otherwise of some version), and that an agent's token may do all of this; an administrator's may.
 */
export const chatwoot = defineDesk({
  type: "chatwoot",
  record: chatwootRecord,
  secrets: ["apiAccessToken", "webhookSecret"],
  targets: ["baseUrl"],
  wantsFailures: () => true,

  async deliver(delivery, record, context) {
    const api = chatwootApi(record, context);
    switch (delivery.kind) {
      case "command":
        return { outcome: await resolve(api, context) };
      case "failure":
        return { outcome: await note(api, delivery, context) };
      default:
        return { outcome: await say(api, delivery, record, context) };
    }
  },

  webhook: {
    verify: (webhook, record, nowMs) => verifyWebhook(webhook, record.webhookSecret, nowMs),
    parse: parseWebhook,
    // Chatwoot waits 5 seconds, and marks the agent's message failed where the answer is no 2xx.
    waitSeconds: 4,
  },
});

/** What nothing had to be sent for. */
const NOTHING_TO_DO: Outcome = { kind: "delivered", status: 204 };

const slotOf = (api: Api, delivery: Delivery, context: DeskContext, conversationId: number): Slot => ({
  api,
  context,
  conversationId,
  messageId: delivery.id,
  attempt: delivery.attempt,
});

async function say(api: Api, delivery: Delivery, record: ChatwootRecord, context: DeskContext): Promise<Outcome> {
  const event = JSON.parse(delivery.event) as RelayEvent;
  const session = readSession(context.session);
  const { conversationId } = session;
  if (conversationId !== undefined) {
    const slot = slotOf(api, delivery, context, conversationId);
    const outcome = (await earlier(slot)) ?? (await postIncoming(slot, event));
    if (statusOf(outcome) !== 404) return outcome;
  }
  // Never opened, or deleted since; with the conversation its contact may be gone too.
  const known = conversationId === undefined ? session : {};
  const opened = await openConversation({ api, record, context, event }, known, conversationId);
  if (!opened.ok) return opened.outcome;
  return postIncoming(slotOf(api, delivery, context, opened.value), event);
}

/** How the message fares if an earlier attempt got through; undefined when it is to be posted. */
const earlier = async (slot: Slot) => (slot.attempt > 1 ? alreadyPosted(slot) : undefined);

/** Published as "Toggle Status". A conversation that never was, or is no more, is as closed as can be. */
async function resolve(api: Api, context: DeskContext): Promise<Outcome> {
  const { conversationId } = readSession(context.session);
  if (conversationId === undefined) return NOTHING_TO_DO;
  const { outcome } = await api.post(`/conversations/${conversationId}/toggle_status`, { status: "resolved" });
  return statusOf(outcome) === 404 ? { kind: "delivered", status: 404 } : outcome;
}

const report = z.object({
  reason: z.string(),
  status: z.nullable(z.int()),
  event: z.object({
    event: z.optional(z.string()),
    message: z._default(z.string(), ""),
    mediaLink: z._default(z.string(), ""),
  }),
});

/** Tells the agent, in a note that only agents see, which reply did not arrive. */
async function note(api: Api, delivery: Delivery, context: DeskContext): Promise<Outcome> {
  const { conversationId } = readSession(context.session);
  if (conversationId === undefined) return NOTHING_TO_DO;
  const { reason, status, event } = report.parse(JSON.parse(delivery.event));
  const reply = [event.message, event.mediaLink].filter((part) => part !== "").join("\n");
  const content = failureNote(context.language, reason, status ?? undefined, event.event ? undefined : reply);
  const slot = slotOf(api, delivery, context, conversationId);
  const outcome = (await earlier(slot)) ?? (await postText(slot, content, true));
  return statusOf(outcome) === 404 ? { kind: "delivered", status: 404 } : outcome;
}
