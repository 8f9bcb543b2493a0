import { statusOf, type Outcome } from "../../egress/outcome";
import { failureNote } from "../agent-notes";
import { defineDesk, NOTHING_TO_DO, type DeskContext, type DeskDelivery } from "../desk";
import { chatwootApi, type Api } from "./api";
import { checkChatwoot } from "./check";
import { openConversation, readConversation } from "./conversation";
import { redirectedFiles } from "./files";
import { alreadyPosted, postIncoming, postText, type Slot } from "./message";
import { chatwootRecord, type ChatwootRecord } from "./record";
import { inboxOf, showsSent, showStatus } from "./status";
import { readUnheard } from "./unheard";
import { parseWebhook, verifyWebhook } from "./webhook";

/**
 * Chatwoot, through an inbox of type API. Requests are as its published Application API has them, or as its source has them
 * where a comment names a class; webhooks as its source writes and signs them (chatwoot/chatwoot#13573, #13892). A running
 * 4.15.1 took these requests from a plain agent who is in the inbox, and its webhooks were signed with the secret it shows.
 */
export const chatwoot = defineDesk({
  type: "chatwoot",
  record: chatwootRecord,
  secrets: { apiAccessToken: ["baseUrl"], webhookSecret: [] },
  targets: ["baseUrl"],
  farEnd: inboxOf,
  wantsFailures: () => true,
  deliver,
  receipt: showStatus,
  check: checkChatwoot,
  files: redirectedFiles,
  unheard: readUnheard,
  conversations: {
    numberOf: (kept) => readConversation(kept).conversationId,
    moved: (kept, conversationId) => ({ ...readConversation(kept), conversationId }),
  },
  webhook: {
    verify: (webhook, record, nowMs) => verifyWebhook(webhook, record.webhookSecret, nowMs),
    provesTime: true,
    parse: parseWebhook,
    tellRefusal: ({ event: { deskMessage }, code }, record, context) =>
      deskMessage === undefined
        ? Promise.resolve(NOTHING_TO_DO)
        : showStatus({ deskMessage, attempt: 1, state: "failed", why: { code } }, record, context),
    showsSent,
    showsAnswer: true,
  },
});

async function deliver(delivery: DeskDelivery, record: ChatwootRecord, context: DeskContext): Promise<Outcome> {
  const api = chatwootApi(record, context);
  const known = readConversation(context.conversation);
  const { conversationId } = known;
  const slotIn = (id: number): Slot => ({
    api,
    context,
    conversationId: id,
    messageId: delivery.id,
    attempt: delivery.attempt,
  });
  if (delivery.kind === "incoming") {
    const { event } = delivery;
    if (conversationId !== undefined) {
      const slot = slotIn(conversationId);
      const outcome = (await earlier(slot)) ?? (await postIncoming(slot, event));
      if (statusOf(outcome) !== 404) return outcome;
    }
    // Never opened, or deleted since; with the conversation its contact may be gone too.
    const left = conversationId === undefined ? known : {};
    const opened = await openConversation({ api, record, context, event }, left, conversationId);
    return opened.ok ? postIncoming(slotIn(opened.value), event) : opened.outcome;
  }
  if (conversationId === undefined) return NOTHING_TO_DO;
  const outcome =
    delivery.kind === "command"
      ? await resolve(api, conversationId)
      : await note(slotIn(conversationId), failureNote(context.language, delivery.report));
  // A conversation that is no more is as closed as can be, and has nobody to read a note.
  return statusOf(outcome) === 404 ? { kind: "delivered", status: 404 } : outcome;
}

/** How the message fares if an earlier attempt got through; undefined when it is to be posted. */
const earlier = async (slot: Slot) => (slot.attempt > 1 ? alreadyPosted(slot) : undefined);

/** Published as "Toggle Status". */
const resolve = async (api: Api, conversationId: number): Promise<Outcome> =>
  (await api.post(`/conversations/${conversationId}/toggle_status`, { status: "resolved" })).outcome;

/** Tells the agent, in a note that only agents see, which reply did not arrive. */
const note = async (slot: Slot, text: string): Promise<Outcome> =>
  (await earlier(slot)) ?? (await postText(slot, text, true));
