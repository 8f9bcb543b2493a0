import { required } from "../config";
import { deskMessageOfKey, type Order } from "../desks/desk";
import { farEndOf, unheardOf } from "../desks/registry";
import type { Outcome } from "../egress/outcome";
import { deskContext } from "../engine-session/token";
import { errorText } from "../lib/log";
import { parseEvent, withStickerText, type RelayEvent } from "../model/event";
import { agentReply } from "../tenants/agent-reply";
import { openSecrets } from "../tenants/secrets";
import type { DeliverDeps } from "./deliver";
import type { DeskPlace } from "./desk-conversation";
import type { TicketRow } from "./schema";

/** A reply that stands at the desk. Without an event it is one that the relay does not take. */
export type FoundReply = {
  idempotencyKey: string;
  deskMessage: string;
  place: DeskPlace | undefined;
  order: Order | undefined;
  event: RelayEvent | undefined;
};
export type Answer = { ok: true; replies: FoundReply[]; upTo: number } | { ok: false; outcome: Outcome };

/** What is asked for: what stands behind a message in the conversation at this far end. Undefined where none is known. */
type Question = {
  conversation: unknown;
  after: number;
  origin: string | undefined;
  quotable: (messageId: string) => Promise<string | undefined>;
};

/** Asks the tenant's desk for what no webhook told. Undefined where there is nothing to ask. */
export type AskDesk = (
  ticket: TicketRow,
  question: (farEnd: string) => Question | undefined,
  mostMs: number,
) => Promise<Answer | undefined>;

export async function askDesk(
  { config, directory, engineSessions }: DeliverDeps,
  ticket: TicketRow,
  question: Parameters<AskDesk>[1],
  mostMs: number,
): Promise<Answer | undefined> {
  try {
    const sealed = await directory.tenant(ticket.owner);
    const farEnd = sealed && farEndOf(sealed.desk);
    const asked = farEnd === undefined ? undefined : question(farEnd);
    if (!sealed || farEnd === undefined || !asked) return undefined;
    const masterKeys = required(config.masterKeys);
    const tenant = await openSecrets(masterKeys, sealed);
    const { stickerText, owner } = tenant;
    const context = deskContext(tenant, config, engineSessions, mostMs);
    const found = await unheardOf(asked.conversation, asked.after, tenant.desk, context);
    if (!found?.ok) return found;
    const replies = found.events.map(async (said): Promise<FoundReply> => {
      const how = { masterKeys, origin: asked.origin, nowMs: Date.now(), quotable: asked.quotable };
      const parsed = parseEvent("outgoing", await agentReply(said, ticket, tenant, how));
      const { idempotencyKey, conversationId, order } = said;
      return {
        idempotencyKey,
        deskMessage: deskMessageOfKey(idempotencyKey) ?? "",
        place: conversationId === undefined ? undefined : { farEnd, conversationId },
        order,
        event: parsed.ok ? withStickerText("outgoing", { ...parsed.event, owner }, stickerText) : undefined,
      };
    });
    return { ok: true, upTo: found.upTo, replies: await Promise.all(replies) };
  } catch (error) {
    return { ok: false, outcome: { kind: "retry", error: `the relay itself failed: ${errorText(error)}` } };
  }
}
