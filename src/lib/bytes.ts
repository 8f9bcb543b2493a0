const encoder = new TextEncoder();

export const utf8 = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text) as Uint8Array<ArrayBuffer>;

/** The beginning of a text, as many whole characters as fit into `most` bytes of UTF-8. */
export function firstBytes(text: string, most: number): string {
  if (text.length * 3 <= most) return text;
  return text.slice(0, encoder.encodeInto(text, new Uint8Array(most)).read);
}

export const toBase64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

export const toBase64Url = (bytes: Uint8Array): string =>
  toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

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
  const a = utf8(given);
  const b = utf8(expected);
  if (a.byteLength !== b.byteLength) return !crypto.subtle.timingSafeEqual(a, a);
  return crypto.subtle.timingSafeEqual(a, b);
}
