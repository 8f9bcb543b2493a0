import type { DeskEvent } from "../desks/desk";
import { farEndOf, type webhookOf } from "../desks/registry";
import { deskContext } from "../engine-session/token";
import { ask, configOf, ticketOf, type AppContext } from "../http/context";
import { log } from "../lib/log";
import { AppError } from "../model/errors";
import type { Tenant } from "../tenants/tenant-record";
import { ticketNamedBy } from "./named-ticket";

type WebhookReader = NonNullable<ReturnType<typeof webhookOf>>;
type Reply = DeskEvent & { kind: "outgoing" };

/** Desks wait some 5 seconds for the answer. */
const READING_MS = 2_500;

export const mayBeRetry = (event: DeskEvent): event is Reply => event.kind === "outgoing" && event.mayBeRetry === true;

/**
 * Something about one message has changed at the desk. If its agent has asked for another try, the parts of it that are dead
 * are replayed, and those that are to be stored are returned: it was refused, or its webhook was lost. What the ticket knows
 * is asked first, because most of these webhooks tell only what the relay itself did.
 */
export async function retriedReplies(
  c: AppContext,
  tenant: Tenant,
  webhook: WebhookReader,
  replies: Reply[],
): Promise<Reply[]> {
  const [first] = replies;
  if (first?.deskMessage === undefined) return [];
  const { owner } = tenant;
  const { deskMessage } = first;
  const reference = await ticketNamedBy(c, tenant, first);
  // It is refused again: its agent would otherwise see it as sent.
  if (!reference) return (await showsSent(c, tenant, webhook, deskMessage)) ? replies : [];
  const { ticketNumber } = reference;
  const ticket = () => ticketOf(c, owner, ticketNumber);
  const { stored, dead, isDeathOwed, isOurs } = await ask(() =>
    ticket().knownReply(deskMessage, farEndOf(tenant.desk)),
  );
  const missing = isOurs ? replies.filter(({ idempotencyKey }) => !stored.includes(idempotencyKey)) : [];
  if (dead.length + missing.length === 0 && !isDeathOwed) return [];
  if (!(await showsSent(c, tenant, webhook, deskMessage))) return [];
  // It has not been possible to show it so far. The refusal of this webhook does.
  if (isDeathOwed) throw AppError.unavailable("the desk does not show yet that this reply is dead");
  const replayed = dead.length === 0 ? 0 : await ask(() => ticket().replayUnchanged(dead));
  log("agent_retry", { requestId: c.var.requestId, owner, ticketNumber, replayed, missing: missing.length });
  return missing;
}

/** Throws when that cannot be read now: then the desk shows the message as failed, and its agent may try again. */
async function showsSent(c: AppContext, tenant: Tenant, webhook: WebhookReader, deskMessage: string): Promise<boolean> {
  const context = deskContext(tenant, configOf(c), c.env.ENGINE_SESSION, READING_MS);
  const shown = await webhook.showsSent?.(deskMessage, context);
  if (!shown) return false;
  if (shown.ok) return shown.value;
  throw AppError.unavailable("error" in shown.outcome ? shown.outcome.error : "the desk did not say");
}
