import { Hono } from "hono";
import { required } from "../config";
import type { DeskEvent } from "../desks/desk";
import { webhookOf } from "../desks/registry";
import { readBody } from "../http/body";
import { AppError } from "../model/errors";
import { log } from "../lib/log";
import { readIdentity } from "../tenants/ticket-reference";
import { openSecrets } from "../tenants/secrets";
import type { Tenant } from "../tenants/tenant-record";
import { ask, deliveryFailed, eventOf, outlookOf, storeEvent, type Stored } from "../http/accept-event";
import { withinDeskRate } from "../http/auth";
import { configOf, directoryOf, jsonOf, methodNotAllowed, type AppContext, type AppEnv } from "../http/context";

/** The webhooks that a desk such as Chatwoot sends of its own, signed in its own way. */
export const webhooks = new Hono<AppEnv>();

webhooks
  .post("/:deskType/:owner", async (c) => {
    const body = await readBody(c.req.raw);
    const { tenant, webhook, request } = await authenticateWebhook(c, body);
    await withinDeskRate(c, tenant.deskId);
    const events = webhook.parse(jsonOf(body), request);
    if (!events) {
      throw new AppError(
        "invalid_event",
        "This is not a webhook that this desk sends. Check the desk's type in the URL.",
        {
          issues: [{ path: "", message: `must be a webhook of a desk of type ${tenant.desk.type}` }],
        },
      );
    }
    const { stored, refusal } = await storeAll(c, tenant, events);
    if (refusal) throw refusal;
    const last = stored.at(-1);
    if (!last) return c.json({ status: "success" });
    c.header("relay-message-id", last.id);
    c.header("relay-sequence", String(last.sequence));
    if (stored.every((one) => one.repeat)) c.header("idempotent-replay", "true");
    if (webhook.waitSeconds === 0) return c.json({ status: "success" });
    const outlooks = await Promise.all(
      stored.map(async (one) => ({ one, outlook: await outlookOf(c, one, webhook.waitSeconds) })),
    );
    for (const { one, outlook } of outlooks) if (outlook.state === "dead") throw deliveryFailed(outlook, one);
    const isDelivered = outlooks.every(({ outlook }) => outlook.state === "delivered");
    c.header("relay-delivery", isDelivered ? "delivered" : "pending");
    return c.json({ status: "success" });
  })
  // Zendesk asks by HEAD whether there is anything at the URL before it takes it; it hears the same of every URL.
  .get("/:deskType/:owner", (c) => (c.req.method === "HEAD" ? c.body(null) : methodNotAllowed("POST")()))
  .all("/:deskType/:owner", methodNotAllowed("POST"));

/** The tenant whose desk sent this. Throws `unauthorized`, whatever it is that does not hold. */
async function authenticateWebhook(c: AppContext, body: Uint8Array<ArrayBuffer>) {
  const { deskType = "", owner = "" } = c.req.param();
  const sealed = await directoryOf(c).tenant(owner);
  if (sealed?.desk.type === deskType) {
    const tenant = await ask(() => openSecrets(required(configOf(c).masterKeys), sealed));
    const webhook = webhookOf(tenant.desk);
    const request = { headers: c.req.raw.headers, body, url: new URL(c.req.url) };
    if (webhook && (await webhook.verify(request, Date.now()))) return { tenant, webhook, request };
  }
  throw new AppError(
    "unauthorized",
    "The webhook's signature or secret does not hold. Check its secret in the tenant record.",
  );
}

/**
 * Stores the events of one webhook one after another, in the order in which the agent wrote them. One that is refused for
 * good does not keep those behind it from being stored; one that may be sent again does, for the whole webhook will be.
 */
async function storeAll(c: AppContext, tenant: Tenant, events: DeskEvent[]) {
  const stored: Stored[] = [];
  let refusal: AppError | undefined;
  for (const event of events) {
    try {
      stored.push(await storeDeskEvent(c, tenant, event));
    } catch (error) {
      if (!(error instanceof AppError) || error.status === 429 || error.status >= 500) throw error;
      refusal ??= error;
    }
  }
  return { stored, refusal };
}

async function storeDeskEvent(c: AppContext, tenant: Tenant, said: DeskEvent): Promise<Stored> {
  const { owner } = tenant;
  const identity = await readIdentity(required(configOf(c).masterKeys), owner, said.ticketReference);
  if (!identity) {
    log("foreign_conversation", { requestId: c.var.requestId, owner });
    throw new AppError(
      "unknown_ticket",
      "This conversation was not opened by the relay for that owner, or under a MASTER_KEY that is gone. The customer's next ticket opens a new one.",
    );
  }
  const { ticketNumber, channel, customerName } = identity;
  c.set("about", { owner, ticketNumber });
  const fields =
    said.kind === "command"
      ? { ticketNumber, channel, owner, event: "Close" }
      : {
          ticketNumber,
          channel,
          messageType: said.messageType,
          message: said.message,
          mediaLink: said.mediaLink,
          customerName,
          owner,
        };
  const event = eventOf(said.kind, fields);
  const { idempotencyKey } = said;
  return storeEvent(c, { tenant, lane: "toDolphins", kind: said.kind, event, idempotencyKey, fromWebhook: true });
}
