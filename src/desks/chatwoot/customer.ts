import type { RelayEvent } from "../../model/event";
import { utf8 } from "../../crypto/bytes";

/** Longest text in a column of type string: ApplicationRecord#validates_column_content_length. */
const LONGEST = 255;

type Customer = { identifier: string; name: string; phone: string | undefined };

/**
 * The customer of an event as a contact. The identifier is the same for all their tickets, and unique in the account, which
 * several tenants may share. It ends in a slash, or the first page of a search for 1 would be full of 10 to 19; and what
 * LIKE would not find as it stands is hashed.
 */
export async function customerOf(owner: string, event: RelayEvent): Promise<Customer> {
  const { contactId, channel = "", ticketNumber } = event;
  const account = typeof event["accountId"] === "string" ? event["accountId"] : "";
  const who = contactId || (account ? `${channel}/${account}` : `ticket/${ticketNumber}`);
  const name = event.customerName || account || ticketNumber;
  const plain = `3dolphins/${owner}/${who}/`;
  const fits = plain.length <= LONGEST && /^[\w./:@+-]+$/.test(plain);
  return {
    identifier: fits ? plain : `3dolphins/${await hashOf(plain)}/`,
    name: name.slice(0, LONGEST),
    phone: phoneOf(channel, account),
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
