import * as z from "zod/mini";
import { id } from "../model/event";
import { ingressNames, required } from "../config";
import { parseJson } from "../lib/json";
import { log } from "../lib/log";
import { isMessageId } from "../lib/message-id";
import { webhookOf } from "../desks/registry";
import { decodeBody, type Body } from "./body";
import { AppError } from "../model/errors";
import { verifySignature } from "../crypto/standard-webhooks";
import { acceptedSecrets, deskOfToken, generationOfToken, isTaken } from "../tenants/credentials";
import { REVOKED_MS } from "../tenants/directory";
import { openSecrets } from "../tenants/secrets";
import { ask, bearerOf, configOf, directoryOf, type AppContext } from "./context";
import { withinRate } from "./rate";

/**
 * Who is calling. Each of these throws `unauthorized`, and does not say what it is that does not hold; or `rate_limited`, to a
 * caller whose credential holds.
 */

/** The names in INGRESS_KEYS that this engine's key stands under. */
export async function authenticateEngine(c: AppContext): Promise<string[]> {
  const names = ingressNames(configOf(c), c.req.param("ingressKey") ?? "");
  if (names.length > 0) {
    await withinRate(c.env.ENGINE_RATE, names.join());
    return names;
  }
  throw new AppError("unauthorized", "The key in the path is not known. Copy the URL again from the relay's operator.");
}

/** The desk whose token the request carries. */
export async function authenticateToken(c: AppContext): Promise<string> {
  const masterKeys = required(configOf(c).masterKeys);
  const token = bearerOf(c) ?? "";
  const deskId = deskOfToken(token);
  if (deskId !== undefined) {
    const directory = directoryOf(c);
    const claimed = await directory.claimedGeneration(deskId);
    const generation = await generationOfToken(masterKeys, token, deskId, claimed);
    // Only a token that was good once leads to the object that knows whether it still is.
    if (generation !== undefined && isTaken(generation, await directory.generation(deskId, REVOKED_MS), Date.now())) {
      await withinDeskRate(c, deskId);
      return deskId;
    }
  }
  throw unauthorized(
    "The desk's token is missing or wrong. Send Authorization: Bearer <token>; the relay's operator has it.",
  );
}

/** The desk that sent this request, by its token, or else by a Standard Webhooks signature over the raw body. */
export async function authenticateDesk(c: AppContext, body: Body): Promise<{ deskId: string; isSigned: boolean }> {
  const isSigned = c.req.header("authorization") === undefined && c.req.header("webhook-signature") !== undefined;
  if (!isSigned) return { deskId: await authenticateToken(c), isSigned };
  const masterKeys = required(configOf(c).masterKeys);
  // The owner is read to find the secret, and believed only when the signature holds.
  const owner = ownerIn(body);
  const directory = directoryOf(c);
  const tenant = owner === undefined ? undefined : await directory.tenant(owner);
  if (tenant) {
    const nowMs = Date.now();
    const generation = await directory.generation(tenant.deskId, REVOKED_MS);
    const secrets = await acceptedSecrets(masterKeys, tenant.deskId, generation, nowMs);
    if (await verifySignature(secrets, c.req.raw.headers, body.sent, nowMs)) {
      refuseDelivery(c);
      await withinDeskRate(c, tenant.deskId);
      return { deskId: tenant.deskId, isSigned };
    }
  }
  throw unauthorized(
    "The signature does not hold. Sign the raw body by Standard Webhooks with the desk's whsec_ secret, within 5 minutes, and give the owner in the body.",
  );
}

/** One secret signs both ways. What the relay has sent is no reply, whoever sends it back. */
function refuseDelivery(c: AppContext): void {
  if (!isMessageId(c.req.header("webhook-id") ?? "")) return;
  throw unauthorized(
    "A webhook-id that begins with msg_ is of the relay's own deliveries, and one that is sent back is no reply. Give the reply another.",
  );
}

function ownerIn(body: Body): string | undefined {
  let text: string;
  try {
    text = decodeBody(body);
  } catch (error) {
    // The one thing about a body that is known without reading it.
    if (error instanceof AppError && error.code === "unsupported_encoding") throw error;
    return undefined;
  }
  const parsed = parseJson(text);
  return parsed.ok ? z.object({ owner: id }).safeParse(parsed.value).data?.owner : undefined;
}

/** The tenant whose desk has signed this webhook in its own way, and what reads the webhooks of that desk. */
export async function authenticateWebhook(c: AppContext, body: Body) {
  const { deskType = "", owner = "" } = c.req.param();
  const sealed = await directoryOf(c).tenant(owner);
  if (sealed?.desk.type === deskType) {
    const tenant = await ask(() => openSecrets(required(configOf(c).masterKeys), sealed));
    const webhook = webhookOf(tenant.desk);
    const request = { headers: c.req.raw.headers, body: body.sent, url: new URL(c.req.url) };
    const verified = webhook ? await webhook.verify(request, Date.now()) : false;
    if (webhook && verified !== false) {
      if (verified !== true) log("webhook_secret_outdated", { requestId: c.var.requestId, owner, advice: verified });
      await withinDeskRate(c, tenant.deskId);
      return { tenant, webhook, request };
    }
  }
  throw new AppError(
    "unauthorized",
    "The webhook's signature or secret does not hold. Check its secret in the tenant record.",
  );
}

/** Throws `rate_limited` when this desk has called too often. */
const withinDeskRate = (c: AppContext, deskId: string): Promise<void> =>
  withinRate(c.env.CALLER_RATE, `desk ${deskId}`);

const unauthorized = (message: string) =>
  new AppError("unauthorized", message, { headers: { "www-authenticate": "Bearer" } });
