import { Hono } from "hono";
import { required } from "../config";
import type { DeskEvent } from "../desks/desk";
import { readBody } from "../http/body";
import { AppError } from "../model/errors";
import type { RelayEvent } from "../model/event";
import { log } from "../lib/log";
import { readTicketReference, type TicketReference } from "../tenants/ticket-reference";
import type { Tenant } from "../tenants/tenant-record";
import { deliveryFailed, eventOf, outlookOf, storeEvent, type Stored } from "../http/accept-event";
import { authenticateWebhook } from "../http/auth";
import { configOf, jsonOf, type AppContext, type AppEnv } from "../http/context";

/** The webhooks that a desk such as Chatwoot sends of its own, signed in its own way. */
export const webhooks = new Hono<AppEnv>();

webhooks
  // Zendesk asks by HEAD whether there is anything at the URL before it takes it; it hears the same of every URL.
  .use("/:deskType/:owner", async (c, next) => (c.req.method === "HEAD" ? c.body(null) : next()))
  .post("/:deskType/:owner", async (c) => {
    const body = await readBody(c.req.raw);
    const { tenant, webhook, request } = await authenticateWebhook(c, body);
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
  });

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
  const reference = await readTicketReference(required(configOf(c).masterKeys), owner, said.identity);
  if (!reference) {
    log("foreign_conversation", { requestId: c.var.requestId, owner });
    throw new AppError(
      "unknown_ticket",
      "This conversation was not opened by the relay for that owner, or under a MASTER_KEY that is gone. The customer's next ticket opens a new one.",
    );
  }
  c.set("about", { owner, ticketNumber: reference.ticketNumber });
  const { kind, idempotencyKey } = said;
  const event = eventFrom(said, reference, owner);
  return storeEvent(c, { tenant, lane: "toDolphins", kind, event, idempotencyKey, fromWebhook: true });
}

/** What the agent wrote is judged as any reply is. Of a Close there is nothing to judge: all of it is the relay's own. */
function eventFrom(
  said: DeskEvent,
  { ticketNumber, channel, customerName }: TicketReference,
  owner: string,
): RelayEvent {
  if (said.kind === "command") return { ticketNumber, channel, owner, event: "Close" };
  const { messageType, message, mediaLink } = said;
  return eventOf("outgoing", { ticketNumber, channel, messageType, message, mediaLink, customerName, owner });
}
