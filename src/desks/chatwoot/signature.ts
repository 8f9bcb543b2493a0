import { equalSecrets, utf8 } from "../../crypto/bytes";
import { hmacSha256, isRecent, signedContent } from "../../crypto/hmac";
import type { Webhook } from "../desk";

/**
 * Chatwoot 4.13 and later sign with the inbox's secret: `sha256=` and, in hex, HMAC-SHA256 over `{timestamp}.{raw body}`.
 * Older ones sign nothing, and the secret has to stand in the webhook's URL as `?token=`; that counts only where nothing is
 * signed, so that a signature which does not hold is never made good by it.
 */
export async function verifyWebhook({ headers, body, url }: Webhook, secret: string, nowMs: number): Promise<boolean> {
  const given = headers.get("x-chatwoot-signature");
  if (given === null) return equalSecrets(url.searchParams.get("token") ?? "", secret);
  const timestamp = headers.get("x-chatwoot-timestamp") ?? "";
  if (!isRecent(timestamp, nowMs)) return false;
  const mac = await hmacSha256(utf8(secret).toBase64(), signedContent(`${timestamp}.`, body));
  return equalSecrets(given, `sha256=${mac.toHex()}`);
}
