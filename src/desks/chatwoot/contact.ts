import * as z from "zod/mini";
import { utf8 } from "../../crypto/bytes";
import { statusOf } from "../../egress/outcome";
import { clip } from "../../lib/text";
import type { IncomingEvent } from "../../model/event";
import type { DeskContext } from "../desk";
import { stepOf, type Api, type Reply, type Step } from "./api";
import type { ChatwootRecord } from "./record";

/** The customer of an event as a contact. It is looked for before it is made. */

/** Longest text in a column of type string: ApplicationRecord#validates_column_content_length. */
const LONGEST = 255;

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

/** What a ticket's contact and conversation are made from. */
export type Opening = { api: Api; record: ChatwootRecord; context: DeskContext; event: IncomingEvent };

/** The id of the customer's contact, which is kept as soon as it is made. */
export async function contactOf({ api, record, context, event }: Opening): Promise<Step<number>> {
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

function created(reply: Reply, context: DeskContext): Step<number> {
  const step = stepOf(reply, (json) => newContact.safeParse(json).data);
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
    const found = contacts.safeParse(json).data;
    return found && (found.payload.find((one) => one.identifier === identifier)?.id ?? null);
  });
}

/**
 * What a contact is made of. The identifier is the same for all tickets of a customer, and unique in the account, which
 * several tenants may share. It ends in a slash, or the first page of a search for 1 would be full of 10 to 19. What LIKE
 * would not find as it stands is hashed.
 */
async function customerOf(owner: string, { contactId, accountId, channel, ticketNumber, customerName }: IncomingEvent) {
  const who = contactId || (accountId ? `${channel}/${accountId}` : `ticket/${ticketNumber}`);
  const plain = `3dolphins/${owner}/${who}/`;
  const fits = plain.length <= LONGEST && /^[\w./:@+-]+$/.test(plain);
  return {
    identifier: fits ? plain : `3dolphins/${await hashOf(plain)}/`,
    name: clip(customerName || accountId || ticketNumber, LONGEST),
    phone: phoneOf(channel, accountId),
  };
}

async function hashOf(text: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(text))).toHex();
}

/** E.164, where the channel is one on which the account is a phone number: an account elsewhere may look like one. */
function phoneOf(channel: string, account: string): string | undefined {
  const digits = /^\+?([1-9]\d{7,14})$/.exec(account)?.[1];
  return digits !== undefined && /whatsapp|sms|phone|call/i.test(channel) ? `+${digits}` : undefined;
}
