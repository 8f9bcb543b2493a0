import { required, type Config } from "../config";
import { deliverToDesk, wantsFailures } from "../desks/registry";
import type { Outcome } from "../egress/outcome";
import { deliverToEngine } from "../engine/event-delivery";
import type { EngineSession } from "../engine-session/engine-session";
import { engineContext } from "../engine-session/token";
import { errorText } from "../lib/log";
import { deliveryOf, type Delivery, type StoredMessage } from "../model/delivery";
import { AppError } from "../model/errors";
import type { LaneName } from "../model/timeline";
import { signingSecrets } from "../tenants/credentials";
import type { Directory } from "../tenants/directory";
import { openSecrets } from "../tenants/secrets";
import type { Tenant } from "../tenants/tenant-record";
import { writeIdentity } from "../tenants/ticket-reference";
import type { DeliveryPolicy } from "./retry";
import type { TicketRow } from "./schema";

/** For messages that still wait when the tenant's record is gone without a trace. */
const DEFAULT_POLICY: DeliveryPolicy = { maxAgeSeconds: 86_400, whenExhausted: "advance" };

export type DeliverDeps = {
  config: Config;
  directory: Directory;
  engineSessions: DurableObjectNamespace<EngineSession>;
};

/** What a delivery needs to know of its ticket. */
type TicketInfo = Pick<TicketRow, "owner" | "ticketNumber" | "channel" | "customerName">;

/** What the desk asked to have kept for the ticket, and how it keeps something else. */
type DeskConversation = { conversation: unknown; keep: (conversation: unknown) => void };

/** The outcome, with the tenant's policy as it was at the time. */
export type Delivered = { outcome: Outcome; policy: DeliveryPolicy; notifyFailures: boolean };

/**
 * Makes one attempt to deliver one message, with the tenant's record as it is now. Never throws: what stands in the way on
 * this side (no tenant, KV away, a setting missing) is an attempt that failed and is tried again.
 */
export async function deliver(
  deps: DeliverDeps,
  ticket: TicketInfo,
  lane: LaneName,
  message: StoredMessage,
  deskConversation: DeskConversation,
): Promise<Delivered> {
  const { config, directory, engineSessions } = deps;
  let policy = DEFAULT_POLICY;
  let notifyFailures = false;
  try {
    const sealed = await directory.tenant(ticket.owner);
    if (!sealed) {
      policy = (await directory.policy(ticket.owner))?.delivery ?? DEFAULT_POLICY;
      const error = "there is no such tenant any more: put its record again";
      return { policy, notifyFailures, outcome: { kind: "retry", error } };
    }
    policy = sealed.delivery;
    notifyFailures = lane === "toDolphins" && wantsFailures(sealed.desk);
    const tenant = await openSecrets(required(config.masterKeys), sealed);
    const delivery = deliveryOf(message);
    const outcome = await (lane === "toDesk"
      ? toDesk(deps, tenant, ticket, delivery, deskConversation)
      : deliverToEngine(delivery, tenant.dolphins, engineContext(tenant, config, engineSessions)));
    return { outcome, policy, notifyFailures };
  } catch (error) {
    const detail = error instanceof AppError ? error.detail : undefined;
    const why = `the relay itself failed: ${detail ?? errorText(error)}`;
    return { policy, notifyFailures, outcome: { kind: "retry", error: why } };
  }
}

async function toDesk(
  { config, directory }: DeliverDeps,
  tenant: Tenant,
  ticket: TicketInfo,
  delivery: Delivery,
  deskConversation: DeskConversation,
): Promise<Outcome> {
  if (delivery.kind === "outgoing") throw new Error("an Outgoing Event is not for a desk");
  const { owner, deskId, desk, language } = tenant;
  const masterKeys = required(config.masterKeys);
  return deliverToDesk(delivery, desk, {
    owner,
    ticketNumber: ticket.ticketNumber,
    signingSecrets: await signingSecrets(masterKeys, deskId, await directory.generation(deskId), Date.now()),
    ticketReference: () => writeIdentity(masterKeys, owner, ticket),
    language,
    timeoutMs: tenant.delivery.timeoutMs,
    allowInsecureTargets: config.allowInsecureTargets,
    ...deskConversation,
  });
}
