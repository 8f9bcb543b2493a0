const encoder = new TextEncoder();

export const utf8 = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text) as Uint8Array<ArrayBuffer>;

/** Where a text is written that is only measured or compared: no buffer of its own has to be made and collected. */
const SCRATCH_BYTES = 8 * 1024;
const [scratch, otherScratch] = [new Uint8Array(SCRATCH_BYTES), new Uint8Array(SCRATCH_BYTES)];

/** The text in UTF-8, good until the next is written there. */
function written(text: string, into: Uint8Array): Uint8Array {
  const { read, written: bytes } = encoder.encodeInto(text, into);
  return read === text.length ? into.subarray(0, bytes) : utf8(text);
}

/** How long a text is in UTF-8. */
export const byteLength = (text: string): number => written(text, scratch).byteLength;

export const toBase64Url = (bytes: Uint8Array): string => bytes.toBase64({ alphabet: "base64url", omitPadding: true });

/** The bytes of a base64 or base64url text, or undefined when it is neither. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/** Whether two secrets are equal, in a time that does not tell how much of them is. */
export function equalSecrets(given: string, expected: string): boolean {
  const a = written(given, scratch);
  const b = written(expected, otherScratch);
  if (a.byteLength !== b.byteLength) return !crypto.subtle.timingSafeEqual(a, a);
  return crypto.subtle.timingSafeEqual(a, b);
}
