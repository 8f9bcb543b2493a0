import * as z from "zod/mini";
import { statusOf, type Failure } from "../../egress/outcome";
import { clip } from "../../lib/text";
import type { IncomingEvent } from "../../model/event";
import type { DeskContext } from "../desk";
import type { Api } from "./api";
import { createUser, externalIdOf } from "./contact";

/** The conversation of a ticket. It is made once: what an interrupted attempt has made is found again. */

/** What is remembered of it, with the customer's user. */
const remembered = z.object({
  userExternalId: z.string(),
  conversationId: z.optional(z.string()),
  /** From 1; it goes up when a conversation was deleted or is full and the next one takes its place. */
  conversationNumber: z.optional(z.int()),
  /** How many parts of which message went through, while there were more to come. */
  sent: z.optional(z.object({ id: z.string(), parts: z.int() })),
});

export type Conversation = z.infer<typeof remembered>;
/** One to write to. */
export type OpenConversation = Conversation & { conversationId: string };

export const readConversation = (kept: unknown): Conversation | undefined => remembered.safeParse(kept).data;

export const isOpen = (known: Conversation | undefined): known is OpenConversation =>
  known?.conversationId !== undefined;

const MAX_CONVERSATION_NAME = 100;
/** Of 25 each: a customer with more conversations than that is looked through no further. */
const MAX_PAGES = 20;

const conversations = z.object({
  conversations: z.array(
    z.object({
      id: z.string(),
      metadata: z.nullish(z.partial(z.object({ relay: z.unknown(), relayConversation: z.unknown() }))),
    }),
  ),
  meta: z.nullish(z.partial(z.object({ hasMore: z.boolean(), afterCursor: z.string() }))),
});

const created = z.object({ conversation: z.object({ id: z.string() }) });

/**
 * A conversation to write to, kept as soon as there is one. `before` is what is left of an earlier one: its
 * `conversationNumber` says which conversation of the ticket is wanted.
 */
export async function openConversation(
  api: Api,
  event: IncomingEvent,
  context: DeskContext,
  before: Conversation | undefined,
): Promise<OpenConversation | { failure: Failure }> {
  let known = before;
  if (!known) {
    const userExternalId = await externalIdOf(context, event);
    const user = await createUser(api, userExternalId, event);
    if ("failure" in user) return user;
    known = { userExternalId };
    if (user.isNew) context.keep(known);
  }
  const { userExternalId } = known;
  const wanted = { relay: await context.ticketReference(), relayConversation: known.conversationNumber ?? 1 };
  const found = await findConversation(api, userExternalId, wanted);
  if ("failure" in found) {
    // The user of an earlier conversation may have been deleted with it.
    if (!before || statusOf(found.failure) !== 404) return found;
    const user = await createUser(api, userExternalId, event);
    if ("failure" in user) return user;
  }
  const name = clip(event.customerName.trim() || context.ticketNumber, MAX_CONVERSATION_NAME);
  const there = "id" in found ? found : await createConversation(api, userExternalId, name, wanted);
  if ("failure" in there) return there;
  const open = { ...known, conversationId: there.id, conversationNumber: there.number };
  context.keep(open);
  return open;
}

/** What is left of a conversation that takes nothing more. Parts that went with a deleted one are sent again. */
export function nextConversation(
  { userExternalId, conversationNumber = 1, sent }: Conversation,
  isFull: boolean,
): Conversation {
  const next = { userExternalId, conversationNumber: conversationNumber + 1 };
  return sent && isFull ? { ...next, sent } : next;
}

type Wanted = { relay: string; relayConversation: number };
type Found = { id: string; number: number };

/** The newest of the ticket's conversations that is not older than the one that is wanted. */
async function findConversation(
  api: Api,
  userExternalId: string,
  { relay, relayConversation }: Wanted,
): Promise<Found | { failure: Failure } | { none: true }> {
  let newest: Found | undefined;
  let after: Record<string, string> = {};
  for (let page = 0; page < MAX_PAGES; page++) {
    const reply = await api.get("/conversations", { "filter[userExternalId]": userExternalId, ...after });
    if ("failure" in reply) return reply;
    const list = conversations.safeParse(reply.json).data;
    for (const { id, metadata } of list?.conversations ?? []) {
      const number = metadata?.relayConversation;
      if (metadata?.relay !== relay || typeof number !== "number" || number < relayConversation) continue;
      if (!newest || number > newest.number) newest = { id, number };
    }
    const { hasMore, afterCursor } = list?.meta ?? {};
    if (!hasMore || afterCursor === undefined) break;
    after = { "page[after]": afterCursor };
  }
  return newest ?? { none: true };
}

async function createConversation(
  api: Api,
  userExternalId: string,
  displayName: string,
  metadata: Wanted,
): Promise<Found | { failure: Failure }> {
  const reply = await api.post("/conversations", {
    type: "personal",
    participants: [{ userExternalId }],
    displayName,
    metadata,
  });
  if ("failure" in reply) return reply;
  const { data } = created.safeParse(reply.json);
  if (data) return { id: data.conversation.id, number: metadata.relayConversation };
  const error = `HTTP ${reply.status}, but the answer has no conversation id`;
  return { failure: { kind: "retry", status: reply.status, error } };
}
