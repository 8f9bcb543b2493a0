import * as z from "zod/mini";
import { equalSecrets, fromBase64, toBase64Url, utf8 } from "../crypto/bytes";
import { hmacSha256 } from "../crypto/hmac";
import { derive, type MasterKeys } from "../crypto/derive";
import { clip } from "../lib/text";

/**
 * What a desk keeps with a conversation and sends back: which ticket it is, and what an agent's reply needs of it. Signed
 * with HMAC-SHA-256 under a key derived for the owner, so that no customer can name another's ticket.
 */
export type Identity = { ticketNumber: string; channel: string; customerName: string };

/** Longer names are cut: a desk's field for the identity may hold no more than some 4 KB. */
const MAX_NAME = 256;

const parts = z.tuple([z.string(), z.string(), z.string()]);

async function macOf(masterKey: Uint8Array<ArrayBuffer>, owner: string, text: string): Promise<string> {
  const key = toBase64Url(await derive(masterKey, "conversation-identity", owner));
  return toBase64Url(await hmacSha256(key, utf8(text)));
}

/** Letters, digits, `-`, `_` and one dot; some 200 characters for names of ordinary length. */
export async function writeIdentity(
  [masterKey]: MasterKeys,
  owner: string,
  { ticketNumber, channel, customerName }: Identity,
): Promise<string> {
  const name = clip(customerName, MAX_NAME).toWellFormed();
  const text = toBase64Url(utf8(JSON.stringify([ticketNumber, channel, name])));
  return `${text}.${await macOf(masterKey, owner, text)}`;
}

/** The identity, when this owner's desk was given it; undefined when it is anything else. */
export async function readIdentity(
  masterKeys: MasterKeys,
  owner: string,
  identity: string,
): Promise<Identity | undefined> {
  const [text = "", mac = ""] = identity.split(".");
  const macs = await Promise.all(masterKeys.map((masterKey) => macOf(masterKey, owner, text)));
  const bytes = fromBase64(text);
  if (!bytes || !macs.some((one) => equalSecrets(mac, one))) return undefined;
  const [ticketNumber, channel, customerName] = parts.parse(JSON.parse(new TextDecoder().decode(bytes)));
  return { ticketNumber, channel, customerName };
}
