import * as z from "zod/mini";
import type { RelayEvent } from "../../model/event";
import type { DeskContext } from "../../egress/delivery";
import { statusOf, stepOf, type Api, type Step } from "./api";
import { customerOf } from "./customer";
import type { ChatwootRecord } from "./record";

/**
 * Finds or makes the conversation of a ticket. Everything is looked for before it is made, and kept as soon as it is: an
 * attempt that dies at any point makes no second contact and no second conversation.
 */
const session = z.catch(z.object({ contactId: z.optional(z.int()), conversationId: z.optional(z.int()) }), {});
export type Session = z.infer<typeof session>;

export const readSession = (kept: unknown): Session => session.parse(kept);

const contact = z.object({ id: z.int(), identifier: z.nullish(z.string()) });
const contacts = z.object({ payload: z.array(contact) });
/** The swagger file and the view differ in how deep the new contact lies. */
const newContact = z.union([
  z.pipe(
    z.object({ payload: z.object({ contact }) }),
    z.transform(({ payload }) => payload.contact.id),
  ),
  z.pipe(
    z.object({ payload: contact }),
    z.transform(({ payload }) => payload.id),
  ),
  z.pipe(
    contact,
    z.transform(({ id }) => id),
  ),
]);
const conversation = z.object({
  id: z.int(),
  inbox_id: z.nullish(z.int()),
  custom_attributes: z.nullish(z.record(z.string(), z.unknown())),
});
const conversations = z.object({ payload: z.array(conversation) });

const reading =
  <T>(schema: z.ZodMiniType<T>) =>
  (json: unknown): T | undefined =>
    schema.safeParse(json).data;

type Place = { api: Api; record: ChatwootRecord; context: DeskContext; event: RelayEvent };

/** The ticket's conversation. `gone` is one that Chatwoot has deleted. */
export async function openConversation(place: Place, known: Session, gone?: number): Promise<Step<number>> {
  const { api, record, context, event } = place;
  const { owner, ticketNumber, keep } = context;
  const found = known.contactId === undefined ? await contactOf(place) : { ok: true as const, value: known.contactId };
  if (!found.ok) return found;
  const contactId = found.value;

  // In the API's list a conversation does not say its source_id: what it was made with says which ticket it is. Published
  // as "Contact Conversations"; the newest 20.
  const reply = await api.get(`/contacts/${contactId}/conversations`);
  if (statusOf(reply.outcome) === 404 && known.contactId !== undefined) return openConversation(place, {}, gone);
  const listed = stepOf(reply, reading(conversations));
  if (!listed.ok) return listed;
  const ours = listed.value.payload.find(
    ({ id, inbox_id, custom_attributes }) =>
      id !== gone &&
      inbox_id === record.inboxId &&
      custom_attributes?.["owner"] === owner &&
      custom_attributes["ticketNumber"] === ticketNumber,
  );
  if (ours) {
    keep({ contactId, conversationId: ours.id });
    return { ok: true, value: ours.id };
  }

  // A chosen source_id is taken when inbox_id and contact_id stand beside it (ConversationsController#build_contact_inbox):
  // it makes the contact_inbox that comes back in every webhook. Its column holds 20,000 characters.
  const made = stepOf(
    await api.post("/conversations", {
      source_id: await context.identity(),
      inbox_id: record.inboxId,
      contact_id: contactId,
      status: "open",
      custom_attributes: { owner, ticketNumber, channel: event.channel },
    }),
    reading(conversation),
  );
  if (!made.ok) return made;
  keep({ contactId, conversationId: made.value.id });
  return { ok: true, value: made.value.id };
}

async function contactOf({ api, record, context, event }: Place): Promise<Step<number>> {
  const { identifier, name, phone } = await customerOf(context.owner, event);
  const fields = { inbox_id: record.inboxId, name, identifier };

  const before = await findContact(api, identifier);
  if (!before.ok || before.value !== null) return before as Step<number>;
  const made = await api.post("/contacts", phone === undefined ? fields : { ...fields, phone_number: phone });
  if (statusOf(made.outcome) !== 422) return created(made, context);

  // Another ticket of the same customer may have made it meanwhile, or the number is not one or is another contact's.
  const meanwhile = await findContact(api, identifier);
  if (!meanwhile.ok || meanwhile.value !== null) return meanwhile as Step<number>;
  if (phone === undefined) return created(made, context);
  return created(await api.post("/contacts", fields), context);
}

function created(reply: Parameters<typeof stepOf>[0], context: DeskContext): Step<number> {
  const step = stepOf(reply, reading(newContact));
  if (step.ok) context.keep({ contactId: step.value });
  return step;
}

/**
 * Null when there is none. Published as "Search Contacts", which looks for the text anywhere in several fields. Without
 * `include_contact_inboxes=false` (ContactsController; not in the swagger file) a contact brings all its tickets with it.
 */
async function findContact(api: Api, identifier: string): Promise<Step<number | null>> {
  const reply = await api.get(`/contacts/search?q=${encodeURIComponent(identifier)}&include_contact_inboxes=false`);
  return stepOf(reply, (json) => {
    const found = reading(contacts)(json);
    return found && (found.payload.find((one) => one.identifier === identifier)?.id ?? null);
  });
}
