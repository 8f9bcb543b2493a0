import { fromBase64, toBase64Url, utf8 } from "./bytes";

/**
 * What people say, as it is kept: AES-256-GCM (NIST SP 800-38D) under a key that HKDF-SHA-256 derives from the tenant's data
 * key for one ticket. The nonce is random. NIST's limit for that is 2^32 texts under one key, which no ticket comes near.
 *
 * The bytes are a version, the id of the data key, the nonce, and then ciphertext and tag.
 */

const VERSION = 1;
const ID_BYTES = 6;
const NONCE_BYTES = 12;
const NONCE_AT = 1 + ID_BYTES;
const TEXT_AT = NONCE_AT + NONCE_BYTES;
const DIGEST_BYTES = 16;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** 32 bytes, and the id that stands in all that was sealed under them. */
export type DataKey = { id: string; bytes: Uint8Array<ArrayBuffer> };

export const newDataKey = (): DataKey => ({
  id: toBase64Url(crypto.getRandomValues(new Uint8Array(ID_BYTES))),
  bytes: crypto.getRandomValues(new Uint8Array(32)),
});

/** What the texts of one ticket are sealed under, and compared with. */
export type TicketKey = { id: string; sealing: CryptoKey; digesting: CryptoKey };

export async function ticketKeyOf({ id, bytes }: DataKey, owner: string, ticketNumber: string): Promise<TicketKey> {
  const { subtle } = crypto;
  const dataKey = await subtle.importKey("raw", bytes, "HKDF", false, ["deriveBits"]);
  const info = utf8(JSON.stringify(["ticket-texts", owner, ticketNumber]));
  const derived = await subtle.deriveBits(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info },
    dataKey,
    512,
  );
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const [sealing, digesting] = await Promise.all([
    subtle.importKey("raw", derived.slice(0, 32), "AES-GCM", false, ["encrypt", "decrypt"]),
    subtle.importKey("raw", derived.slice(32), hmac, false, ["sign"]),
  ]);
  return { id, sealing, digesting };
}

/** Which of its ticket's texts one is. It is bound in, so in another row it does not open. */
export type Place = readonly string[];

const cipher = (iv: Uint8Array<ArrayBuffer>, place: Place) => ({
  name: "AES-GCM",
  iv,
  additionalData: utf8(JSON.stringify(place)),
});

export async function sealText({ id, sealing }: TicketKey, place: Place, text: string): Promise<ArrayBuffer> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const ciphertext = await crypto.subtle.encrypt(cipher(nonce, place), sealing, utf8(text));
  const sealed = new Uint8Array(TEXT_AT + ciphertext.byteLength);
  sealed[0] = VERSION;
  sealed.set(fromBase64(id) ?? [], 1);
  sealed.set(nonce, NONCE_AT);
  sealed.set(new Uint8Array(ciphertext), TEXT_AT);
  return sealed.buffer;
}

/** The id of the data key; undefined where this is nothing that `sealText` has made. */
export function keyIdOf(sealed: ArrayBuffer): string | undefined {
  const bytes = new Uint8Array(sealed);
  return bytes[0] === VERSION && bytes.length > TEXT_AT ? toBase64Url(bytes.subarray(1, NONCE_AT)) : undefined;
}

/** Undefined when it was changed, or is another's. */
export async function openText({ sealing }: TicketKey, place: Place, sealed: ArrayBuffer): Promise<string | undefined> {
  const bytes = new Uint8Array(sealed);
  try {
    const nonce = bytes.subarray(NONCE_AT, TEXT_AT);
    return decoder.decode(await crypto.subtle.decrypt(cipher(nonce, place), sealing, bytes.subarray(TEXT_AT)));
  } catch {
    return undefined;
  }
}

/** Equal for equal texts of one ticket. Without its key it says nothing of them. */
export async function digestOf({ digesting }: TicketKey, text: string): Promise<string> {
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", digesting, utf8(text)));
  return toBase64Url(mac.subarray(0, DIGEST_BYTES));
}
