import * as z from "zod/mini";
import { statusOf } from "../../egress/outcome";
import { withFallback } from "../../lib/zod";
import { errorIn, stepOf, type Step } from "./api";
import { contactOf, type Opening } from "./contact";
import { phoneNumberOf } from "./phone-number";

/**
 * The conversation of a ticket. Everything is looked for before it is made, and kept as soon as it is: an attempt that dies
 * at any point makes no second contact and no second conversation.
 */

/** What is remembered of it. */
const remembered = withFallback(z.object({ contactId: z.optional(z.int()), conversationId: z.optional(z.int()) }), {});
export type Conversation = z.infer<typeof remembered>;

export const readConversation = (kept: unknown): Conversation => remembered.parse(kept);

const conversation = z.object({
  id: z.int(),
  inbox_id: z.nullish(z.int()),
  custom_attributes: z.nullish(z.record(z.string(), z.unknown())),
  /** In a list: the newest one. */
  messages: withFallback(z.nullish(z.array(z.object({ id: z.int() }))), undefined),
  meta: z.optional(z.object({ sender: z.optional(z.object({ id: z.optional(z.int()) })) })),
});
const conversations = z.object({ payload: z.array(conversation) });

/** The id of the ticket's conversation. `gone` is one that Chatwoot has deleted. */
export async function openConversation(opening: Opening, known: Conversation, gone?: number): Promise<Step<number>> {
  const { api, record, context, event } = opening;
  const { owner, ticketNumber, keep } = context;
  const found =
    known.contactId === undefined ? await contactOf(opening) : { ok: true as const, value: known.contactId };
  if (!found.ok) return found;
  const contactId = found.value;

  // In the API's list a conversation does not say its source_id: what it was made with says which ticket it is. Published
  // as "Contact Conversations"; the newest 20.
  const reply = await api.get(`/contacts/${contactId}/conversations`);
  if (statusOf(reply.outcome) === 404 && known.contactId !== undefined) return openConversation(opening, {}, gone);
  const listed = stepOf(reply, (json) => conversations.safeParse(json).data);
  if (!listed.ok) return listed;
  const ours = listed.value.payload.find(
    ({ id, inbox_id, custom_attributes }) =>
      id !== gone &&
      inbox_id === record.inboxId &&
      custom_attributes?.["owner"] === owner &&
      custom_attributes["ticketNumber"] === ticketNumber,
  );
  if (ours) {
    // What is there already is of a ticket that has been forgotten since.
    const newest = ours.messages ? Math.max(0, ...ours.messages.map((one) => one.id)) : undefined;
    keep({ contactId, conversationId: ours.id }, newest);
    return { ok: true, value: ours.id };
  }

  // A chosen source_id is taken when inbox_id and contact_id stand beside it (ConversationsController#build_contact_inbox):
  // it makes the contact_inbox that comes back in every webhook.
  const source_id = await context.ticketReference();
  const phone = phoneNumberOf(event.channel, event.accountId);
  const attributes = { owner, ticketNumber, channel: event.channel, ...(phone === undefined ? {} : { phone }) };
  const fields = { status: "open", custom_attributes: attributes };
  const whose = { inbox_id: record.inboxId, contact_id: contactId };
  const asked = await api.post("/conversations", { source_id, ...whose, ...fields });
  if (statusOf(asked.outcome) === 404 && known.contactId !== undefined) return openConversation(opening, {}, gone);
  // The ticket's contact_inbox may be another contact's, since somebody merged this one into it. Asked by the source_id alone,
  // Chatwoot finds it itself.
  const isTaken = statusOf(asked.outcome) === 422 && errorIn(asked.json).includes("source_id should be unique");
  const answer = isTaken ? await api.post("/conversations", { source_id, ...fields }) : asked;
  const made = stepOf(answer, (json) => conversation.safeParse(json).data);
  if (!made.ok) return made;
  const { id, meta } = made.value;
  keep({ contactId: meta?.sender?.id ?? contactId, conversationId: id }, 0);
  return { ok: true, value: id };
}
