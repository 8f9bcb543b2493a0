import { utf8 } from "../../../../src/crypto/bytes";

/** As Chatwoot's lib/webhooks/trigger.rb signs from version 4.13 on. */
export async function sign(body: string, record: unknown, nowMs: number): Promise<{ headers: Record<string, string> }> {
  const { webhookSecret } = record as { webhookSecret: string };
  const timestamp = String(Math.floor(nowMs / 1000));
  const usage = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", utf8(webhookSecret), usage, false, ["sign"]);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8(`${timestamp}.${body}`)));
  return {
    headers: {
      "x-chatwoot-timestamp": timestamp,
      "x-chatwoot-signature": `sha256=${mac.toHex()}`,
      "x-chatwoot-delivery": "4b1d0e4c-8d53-4f39-9a7e-0f4d4c2a6c11",
    },
  };
}
