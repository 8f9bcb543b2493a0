import { fromBase64, toBase64Url, utf8 } from "./bytes";
import { derive, type MasterKeys } from "./derive";

/**
 * Secrets of tenant records, sealed with AES-256-GCM under a key derived from MASTER_KEY. Owner and field are bound in as
 * additional data, so a value copied into another record or field does not open.
 */

const PREFIX = "sealed:v1:";
const IV_BYTES = 12;

const sealingKey = async (masterKey: Uint8Array<ArrayBuffer>) =>
  crypto.subtle.importKey("raw", await derive(masterKey, "tenant-secrets"), "AES-GCM", false, ["encrypt", "decrypt"]);

const boundTo = (owner: string, path: string) => utf8(JSON.stringify([owner, path]));

export async function seal([masterKey]: MasterKeys, owner: string, path: string, secret: string): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const algorithm = { name: "AES-GCM", iv, additionalData: boundTo(owner, path) };
  const sealed = await crypto.subtle.encrypt(algorithm, await sealingKey(masterKey), utf8(secret));
  return PREFIX + toBase64Url(new Uint8Array([...iv, ...new Uint8Array(sealed)]));
}

/**
 * Opens what `seal` made for the same owner and field, under the key in force or the one before. Throws when neither does:
 * another MASTER_KEY, a value that was changed, or one copied from elsewhere.
 */
export async function open(masterKeys: MasterKeys, owner: string, path: string, sealed: string): Promise<string> {
  const bytes = sealed.startsWith(PREFIX) ? fromBase64(sealed.slice(PREFIX.length)) : undefined;
  if (bytes && bytes.byteLength > IV_BYTES) {
    const algorithm = { name: "AES-GCM", iv: bytes.subarray(0, IV_BYTES), additionalData: boundTo(owner, path) };
    for (const masterKey of masterKeys) {
      try {
        const opened = await crypto.subtle.decrypt(algorithm, await sealingKey(masterKey), bytes.subarray(IV_BYTES));
        return new TextDecoder().decode(opened);
      } catch {
        // Not under this key; perhaps under the one before.
      }
    }
  }
  throw new Error(`the sealed ${path} of tenant ${owner} does not open: was MASTER_KEY changed? Put that secret again`);
}
