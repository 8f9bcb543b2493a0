import * as z from "zod/mini";
import { utf8 } from "../../crypto/bytes";
import { statusOf } from "../../egress/outcome";
import { clip } from "../../lib/text";
import type { IncomingEvent } from "../../model/event";
import type { DeskContext } from "../desk";
import { stepOf, type Api, type Reply, type Step } from "./api";
import { phoneNumberOf } from "./phone-number";
import type { ChatwootRecord } from "./record";

/**
 * The customer of an event as a contact. It is looked for before it is made: by the relay's own identifier, and then by the
 * customer's phone number, as Chatwoot's own channels do. So a customer whom the account knows is that contact, and stays it
 * when somebody merges contacts, which takes the identifier away.
 */

/** Longest text in a column of type string: ApplicationRecord#validates_column_content_length. */
const LONGEST = 255;

const contact = z.object({
  id: z.int(),
  identifier: z.nullish(z.string()),
  phone_number: z.nullish(z.string()),
});
type Contact = z.infer<typeof contact>;
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
  const known = { identifier, ...(phone === undefined ? {} : { phone_number: phone }) };
  const before = await findContact(api, known);
  if (!before.ok || before.value !== null) return before as Step<number>;
  const made = await api.post("/contacts", { ...fields, ...known });
  if (statusOf(made.outcome) !== 422) return created(made, context);

  // Another ticket of the same customer may have made it meanwhile, or Chatwoot thinks otherwise of the number.
  const meanwhile = await findContact(api, known);
  if (!meanwhile.ok || meanwhile.value !== null) return meanwhile as Step<number>;
  if (phone === undefined) return created(made, context);
  return created(await api.post("/contacts", fields), context);
}

function created(reply: Reply, context: DeskContext): Step<number> {
  const step = stepOf(reply, (json) => newContact.safeParse(json).data);
  if (step.ok) context.keep({ contactId: step.value });
  return step;
}

type Known = Partial<Record<"identifier" | "phone_number", string>>;

/**
 * The first that is known by any of these; null when there is none. Published as "Contact Filter": the search is limited to 100
 * a minute for the whole account, its agents included. It compares without regard to case, the account's own rules do not.
 */
async function findContact(api: Api, known: Known): Promise<Step<number | null>> {
  for (const [key, value] of Object.entries(known) as [keyof Known, string][]) {
    const asked = { attribute_key: key, filter_operator: "equal_to", values: [value], query_operator: null };
    const reply = await api.post("/contacts/filter", { payload: [asked] });
    const found = stepOf(reply, (json): Contact[] | undefined => contacts.safeParse(json).data?.payload);
    if (!found.ok) return found;
    const match = found.value.find((one) => one[key] === value);
    if (match) return { ok: true, value: match.id };
  }
  return { ok: true, value: null };
}

/**
 * What a contact is made of. The identifier is the same for all tickets of a customer, and unique in the account, which
 * several tenants may share. It ends in a slash because it always did: tickets that are open know their contact by it. What
 * is too long, or odd, is hashed.
 */
async function customerOf(owner: string, { contactId, accountId, channel, ticketNumber, customerName }: IncomingEvent) {
  const who = contactId || (accountId ? `${channel}/${accountId}` : `ticket/${ticketNumber}`);
  const plain = `3dolphins/${owner}/${who}/`;
  const fits = plain.length <= LONGEST && /^[\w./:@+-]+$/.test(plain);
  return {
    identifier: fits ? plain : `3dolphins/${await hashOf(plain)}/`,
    name: clip(customerName || accountId || ticketNumber, LONGEST),
    phone: phoneNumberOf(channel, accountId),
  };
}

async function hashOf(text: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(text))).toHex();
}
