import { required } from "../config";
import type { DeskEvent } from "../desks/desk";
import { farEndOf, type webhookOf } from "../desks/registry";
import { readBody } from "../http/body";
import { AppError } from "../model/errors";
import type { RelayEvent } from "../model/event";
import type { Result } from "../model/result";
import { log } from "../lib/log";
import { agentReply } from "../tenants/agent-reply";
import type { NamedTicket, TicketReference } from "../tenants/ticket-reference";
import type { Tenant } from "../tenants/tenant-record";
import { eventOf, nameMessage, storeEvent, type Stored } from "../http/accept-event";
import { authenticateWebhook } from "../http/auth";
import { ask, configOf, jsonOf, ticketOf, type AppContext } from "../http/context";
import { Routes } from "../http/routes";
import { mayBeRetry, retriedReplies } from "./agent-retry";
import { tellAgent } from "./tell-refusal";
import { ticketNamedBy } from "./named-ticket";

type WebhookReader = NonNullable<ReturnType<typeof webhookOf>>;

/** An hour less than keys are kept, for clocks that differ. */
const LONGEST_UNDERWAY_MS = 23 * 3600_000;

/** The webhooks that a desk such as Chatwoot sends of its own, signed in its own way. */
export const webhooks = new Routes();

webhooks
  // Zendesk asks by HEAD whether there is anything at the URL before it takes it; it hears the same of every URL.
  .use("/:deskType/:owner", async (c, next) => (c.req.method === "HEAD" ? c.body(null) : next()))
  .post("/:deskType/:owner", async (c) => {
    const body = await readBody(c.req.raw);
    const { tenant, webhook, request } = await authenticateWebhook(c, body);
    const json = jsonOf(body);
    const own = webhook.answer(json);
    if (own) return own;
    const events = await webhook.parse(json, request);
    if (!events) {
      throw new AppError(
        "invalid_event",
        "This is not a webhook that this desk sends. Check the desk's type in the URL.",
        {
          issues: [{ path: "", message: `must be a webhook of a desk of type ${tenant.desk.type}` }],
        },
      );
    }
    const timely = webhook.provesTime ? events : events.filter((event) => !isReplay(c, tenant, event));
    const retried = timely.filter(mayBeRetry);
    const told = retried.length === 0 ? timely : await retriedReplies(c, tenant, webhook, retried);
    const { stored, refusal } = await storeAll(c, tenant, webhook, told);
    if (refusal && webhook.showsAnswer) throw refusal;
    const last = stored.at(-1);
    if (!last) return c.json({ status: "success" });
    nameMessage(c, last);
    if (stored.every((one) => one.repeat)) c.header("idempotent-replay", "true");
    return c.json({ status: "success" });
  });

/**
 * An event that comes again is known by its key, which is kept for 24 hours. One that is older was kept by somebody and sent
 * once more: no desk tries for so long. It gets the answer of any other, since a refusal would make a desk try again.
 */
function isReplay(c: AppContext, { owner }: Tenant, { sentAtMs, idempotencyKey }: DeskEvent): boolean {
  const isTooOld = sentAtMs !== undefined && sentAtMs < c.var.receivedAtMs - LONGEST_UNDERWAY_MS;
  if (isTooOld) log("webhook_too_old", { requestId: c.var.requestId, owner, key: idempotencyKey });
  return isTooOld;
}

/**
 * Stores the events of one webhook one after another, in the order in which the agent wrote them. Each is judged for itself.
 * Behind one that may be sent again the rest of its ticket waits, for the whole webhook will be sent again.
 */
async function storeAll(c: AppContext, tenant: Tenant, webhook: WebhookReader, events: DeskEvent[]) {
  const stored: Stored[] = [];
  const held = new Map<string, unknown>();
  let refusal: AppError | undefined;
  for (const event of events) {
    const ticket = event.ticketReference ?? event.conversationName;
    if (held.has(ticket)) continue;
    try {
      const taken = await storeDeskEvent(c, tenant, webhook, event);
      if (taken.ok) stored.push(taken.value);
      else if (!taken.error.isTold) refusal ??= taken.error.refusal;
    } catch (error) {
      held.set(ticket, error);
    }
  }
  if (held.size > 0) throw [...held.values()][0];
  return { stored, refusal };
}

type Refused = { refusal: AppError; isTold: boolean };

/** The stored event, or why it is refused for good and whether its agent was told. Throws what passes. */
async function storeDeskEvent(
  c: AppContext,
  tenant: Tenant,
  webhook: WebhookReader,
  said: DeskEvent,
): Promise<Result<Stored, Refused>> {
  const { owner } = tenant;
  const refuse = async (refusal: AppError, isForeign: boolean): Promise<Result<Stored, Refused>> => {
    const refused = { code: refusal.code, isForeign };
    const isTold = said.kind === "outgoing" && (await tellAgent(c, tenant, webhook, { event: said, ...refused }));
    return { ok: false, error: { refusal, isTold } };
  };
  const reference = await ticketNamedBy(c, tenant, said);
  if (!reference) {
    log("foreign_conversation", { requestId: c.var.requestId, owner });
    return refuse(foreignConversation(), said.owner !== undefined && said.owner !== owner);
  }
  c.set("about", { owner, ticketNumber: reference.ticketNumber });
  const { kind, idempotencyKey, conversationId, order } = said;
  try {
    const event = await eventFrom(c, said, reference, tenant);
    const place = conversationId === undefined ? undefined : { farEnd: farEndOf(tenant.desk), conversationId };
    const about = { tenant, lane: "toDolphins", kind, event, idempotencyKey, fromWebhook: true, place, order } as const;
    const stored = await storeEvent(c, about);
    return { ok: true, value: stored };
  } catch (error) {
    if (!(error instanceof AppError) || error.status >= 500) throw error;
    // The end of a conversation that the ticket has left is nobody's concern.
    if (kind === "command" && error.code === "not_found") return { ok: false, error: { refusal: error, isTold: true } };
    // A desk that shows a refusal to its agent does not send the webhook again.
    if (error.status === 429 && !webhook.showsAnswer && !webhook.tellsLater) throw error;
    return refuse(error, false);
  }
}

const foreignConversation = () =>
  new AppError(
    "unknown_ticket",
    "This conversation was not opened by the relay for that owner, or under a MASTER_KEY that is gone. The customer's next ticket opens a new one.",
  );

/** What the agent wrote is judged as any reply is. Of a Close there is nothing to judge: all of it is the relay's own. */
async function eventFrom(
  c: AppContext,
  said: DeskEvent,
  reference: TicketReference | NamedTicket,
  tenant: Tenant,
): Promise<RelayEvent> {
  const { ticketNumber, channel } = reference;
  if (said.kind === "command") return { ticketNumber, channel, owner: tenant.owner, event: "Close" };
  const masterKeys = required(configOf(c).masterKeys);
  const quotable = (id: string) => ask(() => ticketOf(c, tenant.owner, ticketNumber).quotable(id));
  const how = { masterKeys, origin: new URL(c.req.url).origin, nowMs: c.var.receivedAtMs, quotable };
  return eventOf("outgoing", await agentReply(said, reference, tenant, how));
}
