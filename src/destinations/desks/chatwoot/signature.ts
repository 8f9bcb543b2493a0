import { equalSecrets, utf8 } from "../../../lib/bytes";
import { memo } from "../../../lib/memo";
import type { Webhook } from "../desk";

/** How far a timestamp may be off. */
const TOLERANCE_SECONDS = 300;

const hmacKey = memo(100, (secret: string) =>
  crypto.subtle.importKey("raw", utf8(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]),
);

/**
 * Chatwoot 4.13 and later sign with the inbox's secret: `sha256=` and, in hex, HMAC-SHA256 over `{timestamp}.{raw body}`.
 * Older ones sign nothing, and the secret has to stand in the webhook's URL as `?token=`; that counts only where nothing is
 * signed, so that a signature which does not hold is never made good by it.
 */
export async function verifyWebhook({ headers, body, url }: Webhook, secret: string, nowMs: number): Promise<boolean> {
  const given = headers.get("x-chatwoot-signature");
  if (given === null) return equalSecrets(url.searchParams.get("token") ?? "", secret);
  const timestamp = headers.get("x-chatwoot-timestamp") ?? "";
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(nowMs / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) return false;
  const prefix = utf8(`${timestamp}.`);
  const content = new Uint8Array(prefix.byteLength + body.byteLength);
  content.set(prefix);
  content.set(body, prefix.byteLength);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", await hmacKey(secret), content));
  return equalSecrets(given, `sha256=${mac.toHex()}`);
}
