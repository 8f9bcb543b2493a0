import { required, type Config } from "../config";
import type { Receipt } from "../desks/desk";
import { deliverToDesk, farEndOf, hasReceipts, showReceipt, wantsFailures } from "../desks/registry";
import type { Outcome } from "../egress/outcome";
import { deliverToEngine } from "../engine/event-delivery";
import type { EngineSession } from "../engine-session/engine-session";
import { deskContext, engineContext } from "../engine-session/token";
import { errorText } from "../lib/log";
import { deliveryOf, type Delivery, type DueMessage } from "../model/delivery";
import { AppError } from "../model/errors";
import type { LaneName } from "../model/answers";
import type { PauseState } from "../model/pause";
import type { Result } from "../model/result";
import { signingSecrets } from "../tenants/credentials";
import type { Directory } from "../tenants/directory";
import type { TenantIndex } from "../tenant-index/tenant-index";
import { writeTicketReference } from "../tenants/ticket-reference";
import { openSecrets } from "../tenants/secrets";
import type { Tenant } from "../tenants/tenant-record";
import type { Unreadable } from "../tenants/texts";
import type { DeliveryPolicy } from "./retry";
import type { TicketRow } from "./schema";

/** For messages that still wait when the tenant's record is gone without a trace. */
const DEFAULT_POLICY: DeliveryPolicy = { maxAgeSeconds: 86_400, whenExhausted: "advance" };

export type DeliverDeps = {
  config: Config;
  directory: Directory;
  engineSessions: DurableObjectNamespace<EngineSession>;
  indexes: DurableObjectNamespace<TenantIndex>;
};

/** What a delivery needs to know of its ticket. */
type TicketInfo = Pick<TicketRow, "owner" | "ticketNumber" | "channel" | "customerName">;

/** What a far end asked to have kept of its conversation with the ticket, and how it keeps something else. */
export type KeptConversation = {
  of: (farEnd: string) => unknown;
  keep: (farEnd: string, conversation: unknown, since?: number) => void;
  /** Whether the tenant's index leads from this name to the ticket. */
  isNamed: (farEnd: string, name: string) => boolean;
  keepNamed: (farEnd: string, name: string) => void;
};

/** Nothing was sent: the tenant has paused the lane. */
export type Held = { held: PauseState };
/** Gives the message's text, as JSON. Throws what passes. */
export type ReadText = () => Promise<Result<string, Unreadable>>;

/** The outcome, with the tenant's policy as it was at the time. */
export type Delivered = { outcome: Outcome; policy: DeliveryPolicy; notifyFailures: boolean; hasReceipts: boolean };

/**
 * Makes one attempt to deliver one message, with the tenant's record as it is now. Never throws: what stands in the way on
 * this side (no tenant, KV away, a setting missing) is an attempt that failed and is tried again.
 */
export async function deliver(
  deps: DeliverDeps,
  ticket: TicketInfo,
  lane: LaneName,
  message: DueMessage,
  read: ReadText,
  kept: KeptConversation,
): Promise<Delivered> {
  const { config, directory, engineSessions } = deps;
  let policy = DEFAULT_POLICY;
  let notifyFailures = false;
  let receipts = false;
  try {
    const sealed = await directory.tenant(ticket.owner);
    if (!sealed) {
      policy = (await directory.policy(ticket.owner))?.delivery ?? DEFAULT_POLICY;
      const error = "there is no such tenant any more: put its record again";
      return { policy, notifyFailures, hasReceipts: receipts, outcome: { kind: "retry", error } };
    }
    policy = sealed.delivery;
    notifyFailures = lane === "toDolphins" && wantsFailures(sealed.desk);
    receipts = lane === "toDolphins" && hasReceipts(sealed.desk);
    const tenant = await openSecrets(required(config.masterKeys), sealed);
    const text = await read();
    if (!text.ok) {
      const { why, isFinal } = text.error;
      const outcome: Outcome = { kind: isFinal ? "rejected" : "retry", error: `the message cannot be read: ${why}` };
      return { policy, notifyFailures, hasReceipts: receipts, outcome };
    }
    const delivery = deliveryOf(message, text.value);
    const outcome = await (lane === "toDesk"
      ? toDesk(deps, tenant, ticket, delivery, kept)
      : deliverToEngine(delivery, tenant.dolphins, engineContext(tenant, config, engineSessions)));
    return { outcome, policy, notifyFailures, hasReceipts: receipts };
  } catch (error) {
    const detail = error instanceof AppError ? error.detail : undefined;
    const why = `the relay itself failed: ${detail ?? errorText(error)}`;
    return { policy, notifyFailures, hasReceipts: receipts, outcome: { kind: "retry", error: why } };
  }
}

/**
 * Whether a lane is paused. The record says so first, and may say so for a while after it was resumed: then the tenant's index
 * has the last word, and knows from then on of this ticket. Throws when it does not answer.
 */
export async function heldBy(
  { directory, indexes }: Pick<DeliverDeps, "directory"> & { indexes: DurableObjectNamespace<TenantIndex> },
  { owner, ticketNumber }: TicketInfo,
  lane: LaneName,
): Promise<Held | undefined> {
  // Without a record there is an outcome that says so.
  const tenant = await directory.tenant(owner).catch(() => undefined);
  if (!tenant?.paused?.[lane]) return undefined;
  const held = await indexes.getByName(owner).pauseFor(ticketNumber, lane);
  return held.pause ? { held } : undefined;
}

/** Shows a receipt at the tenant's desk. Undefined where there is no such place, or no such tenant any more. */
export async function sendReceipt(
  { config, directory, engineSessions }: DeliverDeps,
  { owner }: TicketInfo,
  receipt: Receipt,
): Promise<Outcome | undefined> {
  try {
    const sealed = await directory.tenant(owner);
    if (!sealed) return undefined;
    const tenant = await openSecrets(required(config.masterKeys), sealed);
    return await showReceipt(receipt, tenant.desk, deskContext(tenant, config, engineSessions));
  } catch (error) {
    return { kind: "retry", error: `the relay itself failed: ${errorText(error)}` };
  }
}

async function toDesk(
  { config, directory, engineSessions, indexes }: DeliverDeps,
  tenant: Tenant,
  ticket: TicketInfo,
  delivery: Delivery,
  kept: KeptConversation,
): Promise<Outcome> {
  if (delivery.kind === "outgoing") throw new Error("an Outgoing Event is not for a desk");
  const { owner, deskId, desk } = tenant;
  const { ticketNumber, channel } = ticket;
  const masterKeys = required(config.masterKeys);
  const farEnd = farEndOf(desk);
  return deliverToDesk(delivery, desk, {
    ...deskContext(tenant, config, engineSessions),
    owner,
    ticketNumber,
    signingSecrets: await signingSecrets(masterKeys, deskId, await directory.generation(deskId), Date.now()),
    ticketReference: () => writeTicketReference(masterKeys, owner, ticket),
    nameConversation: async (name) => {
      if (kept.isNamed(farEnd, name)) return;
      await indexes.getByName(owner).nameConversation({ farEnd, name, ticketNumber, channel });
      kept.keepNamed(farEnd, name);
    },
    conversation: kept.of(farEnd),
    keep: (conversation, since) => kept.keep(farEnd, conversation, since),
  });
}
