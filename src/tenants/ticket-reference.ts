import * as z from "zod/mini";
import { fromBase64, toBase64Url, utf8 } from "../crypto/bytes";
import type { MasterKeys } from "../crypto/derive";
import { signToken, verifyToken } from "../crypto/signed-token";

/**
 * What a desk keeps with a conversation and sends back: which ticket it is, and what an agent's reply needs of it. It is
 * signed for its owner, so that no customer can name another's ticket.
 */
export type TicketReference = { ticketNumber: string; channel: string; customerName: string };

/** Longer names are cut: a desk's field for the reference may hold no more than some 4 KB. */
const MAX_NAME = 256;

/** The name is part of the key's derivation: another would end every conversation that is open. */
const purposeOf = (owner: string) => ["conversation-identity", owner];

const parts = z.tuple([z.string(), z.string(), z.string()]);

/** Letters, digits, `-`, `_` and one dot; some 200 characters for names of ordinary length. */
export function writeTicketReference(
  masterKeys: MasterKeys,
  owner: string,
  { ticketNumber, channel, customerName }: TicketReference,
): Promise<string> {
  const fields = [ticketNumber, channel, customerName.slice(0, MAX_NAME).toWellFormed()];
  return signToken(masterKeys, purposeOf(owner), toBase64Url(utf8(JSON.stringify(fields))));
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
