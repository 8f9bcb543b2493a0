import { utf8 } from "../../../../src/crypto/bytes";

/** No event of an Open Messaging webhook says that the agent has ended it. */
export const tellsNoClose = true;

/** As Genesys Cloud signs: the body alone, in base64. */
export async function sign(body: string, record: unknown): Promise<{ headers: Record<string, string> }> {
  const { webhookSecret } = record as { webhookSecret: string };
  const usage = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", utf8(webhookSecret), usage, false, ["sign"]);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8(body)));
  return { headers: { "x-hub-signature-256": `sha256=${mac.toBase64()}` } };
}
