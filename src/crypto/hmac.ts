import { fromBase64, utf8 } from "./bytes";
import { memo } from "../lib/bounded-map";

/** How far the timestamp of a signed request may be off, in seconds: Standard Webhooks' own recommendation. */
const TOLERANCE_SECONDS = 300;

const keyOf = memo(1000, (key: string) =>
  crypto.subtle.importKey("raw", fromBase64(key) ?? new Uint8Array(), { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]),
);

/** HMAC-SHA-256 (RFC 2104) of `content`; `key` is base64 or base64url. */
export async function hmacSha256(key: string, content: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.sign("HMAC", await keyOf(key), content));
}

/** What a request's signature is over: a prefix, and the body as it came. */
export function signedContent(prefix: string, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const before = utf8(prefix);
  const content = new Uint8Array(before.byteLength + body.byteLength);
  content.set(before);
  content.set(body, before.byteLength);
  return content;
}

/** Whether a timestamp, in unix seconds, is one, and not over 5 minutes ago or ahead. */
export const isRecent = (timestamp: string, nowMs: number): boolean =>
  /^\d{1,12}$/.test(timestamp) && Math.abs(nowMs / 1000 - Number(timestamp)) <= TOLERANCE_SECONDS;
