import { required, type Config } from "../config";
import type { Delivered, Delivery } from "../egress/delivery";
import { deliverToDesk, wantsFailures } from "../desks/registry";
import { deliverToEngine } from "../engine/event-delivery";
import { engineContext } from "../engine-session/token";
import type { EngineSession } from "../engine-session/engine-session";
import { AppError } from "../model/errors";
import { errorText } from "../lib/log";
import { signingSecrets } from "../tenants/credentials";
import type { Directory } from "../tenants/directory";
import { writeTicketReference } from "../tenants/ticket-reference";
import { openSecrets } from "../tenants/secrets";
import type { Tenant } from "../tenants/tenant-record";
import type { DeliveryPolicy } from "./retry";
import type { TicketRow } from "./schema";
import type { LaneName } from "../model/timeline";

/** For what waits of a tenant whose record is gone without a trace. */
const DEFAULT_POLICY: DeliveryPolicy = { maxAgeSeconds: 86_400, whenExhausted: "advance" };

/** What a delivery needs to know of its ticket. */
type Addressee = Pick<TicketRow, "owner" | "ticketNumber" | "channel" | "customerName">;
export type Services = { config: Config; directory: Directory; sessions: DurableObjectNamespace<EngineSession> };
type Session = { session: unknown; keep: (session: unknown) => void };

/**
 * One attempt to deliver one message, with the tenant's record as it is now. Never throws: what stands in the way on this
 * side (no tenant, KV away, a setting missing) is an attempt that failed and is tried again.
 */
export async function deliver(
  services: Services,
  ticket: Addressee,
  lane: LaneName,
  delivery: Delivery,
  session: Session,
): Promise<Delivered & { policy: DeliveryPolicy; notifyFailures: boolean }> {
  const { directory } = services;
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
    const tenant = await openSecrets(required(services.config.masterKeys), sealed);
    const delivered = await (lane === "toDesk"
      ? toDesk(services, tenant, ticket, delivery, session)
      : toEngine(services, tenant, delivery));
    return { ...delivered, policy, notifyFailures };
  } catch (error) {
    const detail = error instanceof AppError ? error.detail : undefined;
    const why = `the relay itself failed: ${detail ?? errorText(error)}`;
    return { policy, notifyFailures, outcome: { kind: "retry", error: why } };
  }
}

async function toDesk(
  { config, directory }: Services,
  tenant: Tenant,
  ticket: Addressee,
  delivery: Delivery,
  session: Session,
): Promise<Delivered> {
  const { owner, deskId, desk, language } = tenant;
  const masterKeys = required(config.masterKeys);
  return deliverToDesk(delivery, desk, {
    owner,
    ticketNumber: ticket.ticketNumber,
    signingSecrets: await signingSecrets(masterKeys, deskId, await directory.generation(deskId), Date.now()),
    identity: () => writeTicketReference(masterKeys, owner, ticket),
    language,
    timeoutMs: tenant.delivery.timeoutMs,
    allowInsecureTargets: config.allowInsecureTargets,
    ...session,
  });
}

const toEngine = ({ config, sessions }: Services, tenant: Tenant, delivery: Delivery): Promise<Delivered> =>
  deliverToEngine(delivery, tenant.dolphins, engineContext(tenant, config, sessions));
