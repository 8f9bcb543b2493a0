import { memo } from "../lib/bounded-map";
import { utf8 } from "./bytes";

/** Keys for one purpose each, derived from MASTER_KEY by HKDF-SHA-256 (RFC 5869). */

/** The key in force, and behind it the one before while that is being rotated out. 32 bytes each. */
export type MasterKeys = readonly [Uint8Array<ArrayBuffer>, ...Uint8Array<ArrayBuffer>[]];

type Derive = (info: string) => Promise<Uint8Array<ArrayBuffer>>;

/** What has been derived of each key. */
const derivedOf = new WeakMap<Uint8Array, Derive>();

/** 32 bytes, unique to the key, the purpose and the names in `about`. */
export function derive(masterKey: Uint8Array<ArrayBuffer>, ...about: string[]): Promise<Uint8Array<ArrayBuffer>> {
  const known = derivedOf.get(masterKey) ?? memo(2000, (info) => hkdf(masterKey, info));
  derivedOf.set(masterKey, known);
  return known(JSON.stringify(about));
}

async function hkdf(masterKey: Uint8Array<ArrayBuffer>, info: string): Promise<Uint8Array<ArrayBuffer>> {
  const key = await crypto.subtle.importKey("raw", masterKey, "HKDF", false, ["deriveBits"]);
  const algorithm = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: utf8(info) };
  return new Uint8Array(await crypto.subtle.deriveBits(algorithm, key, 256));
}
