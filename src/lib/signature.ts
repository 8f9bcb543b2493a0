import { equalSecrets, fromBase64, toBase64, utf8 } from "./bytes";
import { memo } from "./memo";

/**
 * Standard Webhooks v1 signatures (standardwebhooks.com, "Webhook payloads and signatures"): HMAC-SHA256, base64, over
 * `{id}.{timestamp}.{body}`, under a secret written `whsec_<base64>`.
 */

/** How far a timestamp may be off, in seconds: the specification's own recommendation. */
const TOLERANCE_SECONDS = 300;

const signingKey = memo(100, (secret: string) =>
  crypto.subtle.importKey(
    "raw",
    fromBase64(secret.slice("whsec_".length)) ?? new Uint8Array(),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  ),
);

async function signatureOf(secret: string, content: Uint8Array<ArrayBuffer>): Promise<string> {
  const mac = await crypto.subtle.sign("HMAC", await signingKey(secret), content);
  return `v1,${toBase64(new Uint8Array(mac))}`;
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
  const timestamp = headers.get("webhook-timestamp");
  const given = (headers.get("webhook-signature") ?? "").split(" ").filter((part) => part.startsWith("v1,"));
  if (!id || !timestamp || !/^\d{1,12}$/.test(timestamp)) return false;
  if (Math.abs(nowMs / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) return false;
  const prefix = utf8(`${id}.${timestamp}.`);
  const content = new Uint8Array(prefix.byteLength + body.byteLength);
  content.set(prefix);
  content.set(body, prefix.byteLength);
  const expected = await Promise.all(secrets.map((secret) => signatureOf(secret, content)));
  return expected.some((signature) => given.some((one) => equalSecrets(one, signature)));
}
