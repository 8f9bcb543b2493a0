import * as z from "zod/mini";
import { fromBase64, toBase64Url, utf8 } from "../crypto/bytes";
import type { MasterKeys } from "../crypto/derive";
import { signToken, verifyToken } from "../crypto/signed-token";
import { clipBytes } from "../lib/text";

/**
 * What a desk keeps with a conversation and sends back: which ticket it is, and what an agent's reply needs of it. It is
 * signed for its owner, so that no customer can name another's ticket.
 */
export type TicketReference = { ticketNumber: string; channel: string; customerName: string };

/** The same of a conversation that was named. What is left out, the ticket itself knows. */
export type NamedTicket = { ticketNumber: string; channel: string; customerName?: undefined };

/** A desk's field for it may hold 255 characters. Before the dot, as bytes: three for four characters, and the MAC has 43. */
const MAX_LENGTH = 200;
const MAX_BYTES = Math.floor((MAX_LENGTH - 1 - 43) / 4) * 3;

/** The name is part of the key's derivation: another would end every conversation that is open. */
const purposeOf = (owner: string) => ["conversation-identity", owner];

const parts = z.tuple([z.string(), z.string(), z.string()]);

/** Letters, digits, `-`, `_` and one dot, at most 200 characters: what is too long of the customer's name is cut off. */
export function writeTicketReference(
  masterKeys: MasterKeys,
  owner: string,
  { ticketNumber, channel, customerName }: TicketReference,
): Promise<string> {
  const bytesWith = (name: string) => utf8(JSON.stringify([ticketNumber, channel, name]));
  let name = clipBytes(customerName.toWellFormed(), MAX_BYTES);
  while (name !== "" && bytesWith(name).length > MAX_BYTES) name = clipBytes(name, utf8(name).length - 1);
  return signToken(masterKeys, purposeOf(owner), toBase64Url(bytesWith(name)));
}

/** The reference, when this owner's desk was given it; undefined when it is anything else. */
export async function readTicketReference(
  masterKeys: MasterKeys,
  owner: string,
  reference: string,
): Promise<TicketReference | undefined> {
  const text = await verifyToken(masterKeys, purposeOf(owner), reference);
  const bytes = text === undefined ? undefined : fromBase64(text);
  if (!bytes) return undefined;
  const [ticketNumber, channel, customerName] = parts.parse(JSON.parse(new TextDecoder().decode(bytes)));
  return { ticketNumber, channel, customerName };
}
