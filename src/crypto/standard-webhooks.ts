import { equalSecrets, utf8 } from "./bytes";
import { hmacSha256, isRecent, signedContent } from "./hmac";

/**
 * Standard Webhooks v1 signatures (standardwebhooks.com, "Webhook payloads and signatures"): HMAC-SHA256, base64, over
 * `{id}.{timestamp}.{body}`, under a secret written `whsec_<base64>`.
 */

async function signatureOf(secret: string, content: Uint8Array<ArrayBuffer>): Promise<string> {
  return `v1,${(await hmacSha256(secret.slice("whsec_".length), content)).toBase64()}`;
}

/** The three headers of a signed webhook, with one signature per secret. `secrets` are written `whsec_<base64>`. */
export async function signatureHeaders(
  secrets: readonly string[],
  id: string,
  nowMs: number,
  body: string,
): Promise<Record<string, string>> {
  const timestamp = String(Math.floor(nowMs / 1000));
  const content = utf8(`${id}.${timestamp}.${body}`);
  const signatures = await Promise.all(secrets.map((secret) => signatureOf(secret, content)));
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures.join(" ") };
}

/** Whether the request's `webhook-*` headers sign `body` (the raw bytes) under one of `secrets`, not over 5 minutes ago or ahead. */
export async function verifySignature(
  secrets: readonly string[],
  headers: Headers,
  body: Uint8Array,
  nowMs: number,
): Promise<boolean> {
  const id = headers.get("webhook-id");
  const timestamp = headers.get("webhook-timestamp") ?? "";
  const given = (headers.get("webhook-signature") ?? "").split(" ").filter((part) => part.startsWith("v1,"));
  if (!id || !isRecent(timestamp, nowMs)) return false;
  const content = signedContent(`${id}.${timestamp}.`, body);
  const expected = await Promise.all(secrets.map((secret) => signatureOf(secret, content)));
  return expected.some((signature) => given.some((one) => equalSecrets(one, signature)));
}
