import * as z from "zod/mini";
import { statusOf, type Failure } from "../../egress/outcome";
import { clip } from "../../lib/text";
import type { Api } from "./api";
import { findUser, nameOf, openUser, ticketUser, type Opening, type User } from "./contact";

/** The conversation of a ticket. It is made once: what an interrupted attempt has made is found again. */

/** What is remembered of it, with the customer's user. */
const remembered = z.object({
  userExternalId: z.string(),
  /** Where the external id alone does not lead to the user: after a merge, and where users are kept apart by brand. */
  userId: z.optional(z.string()),
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
 * A conversation to write to, kept as soon as there is one. `wanted` says whose it is and which of the ticket's;
 * `isUserMade`, whether there is that user already.
 */
export async function openConversation(
  { api, record, event, context }: Opening,
  wanted: Conversation,
  isUserMade: boolean,
): Promise<OpenConversation | { failure: Failure }> {
  let known = wanted;
  // An external id leads to nobody where users are kept apart by brand: there the user's own id has to be known.
  if (!isUserMade || (record.brandId !== undefined && known.userId === undefined)) {
    const opened = await openUser(api, record, known.userExternalId, event);
    if ("failure" in opened) return opened;
    known = { ...known, ...opened.user };
    if (opened.isNew) context.keep(known);
  }
  const number = known.conversationNumber ?? 1;
  const relay = await context.ticketReference();
  // An app may serve several tenants, each with a webhook to the relay: all of them get what agents write to any of them.
  const metadata = { relay, relayConversation: number, relayOwner: context.owner };
  // All conversations of the ticket's own user are the ticket's, even if its reference has changed since.
  const isOwn = known.userExternalId === ticketUser(context, number);
  const found = await findConversation(api, known, number, isOwn ? undefined : relay);
  if ("failure" in found) {
    // The user of an earlier conversation may have been deleted with it.
    if (!isUserMade || statusOf(found.failure) !== 404) return found;
    const opened = await openUser(api, record, known.userExternalId, event);
    if ("failure" in opened) return opened;
    known = { ...known, ...opened.user };
  }
  const displayName = clip(event.customerName.trim() || context.ticketNumber, MAX_CONVERSATION_NAME);
  const there = "id" in found ? found : await createConversation(api, known, displayName, metadata);
  if ("failure" in there) return there;
  const open = { ...known, conversationId: there.id, conversationNumber: there.number };
  context.keep(open);
  return open;
}

/**
 * What is left of a conversation that takes nothing more. Parts that went with a deleted one are sent again. Where a user has
 * one conversation only, the next is another user's.
 */
export function nextConversation(
  { userExternalId, userId, conversationNumber = 1, sent }: OpenConversation,
  isFull: boolean,
  { record, context }: Opening,
): Conversation {
  const number = conversationNumber + 1;
  const same = { userExternalId, ...(userId === undefined ? {} : { userId }) };
  return {
    ...(record.users === "contact" ? same : { userExternalId: ticketUser(context, number) }),
    conversationNumber: number,
    ...(sent && isFull ? { sent } : {}),
  };
}

/** The same conversation with the user that its external id leads to now. Undefined when that is the one it has. */
export async function afterMerge(
  { api, record, context }: Opening,
  conversation: OpenConversation,
): Promise<OpenConversation | { failure: Failure } | undefined> {
  const found = await findUser(api, record.brandId, conversation.userExternalId);
  if ("failure" in found) return statusOf(found.failure) === 404 ? undefined : found;
  if (found.userId === conversation.userId) return undefined;
  const moved = { ...conversation, userId: found.userId };
  context.keep(moved);
  return moved;
}

type Found = { id: string; number: number };

/** The newest of the user's conversations that is not older than the one that is wanted; `relay`, where only some are the ticket's. */
async function findConversation(
  api: Api,
  user: User,
  wanted: number,
  relay: string | undefined,
): Promise<Found | { failure: Failure } | { none: true }> {
  let newest: Found | undefined;
  const [name, value] = Object.entries(nameOf(user))[0] ?? [];
  const filter = { [`filter[${name}]`]: String(value) };
  let after: Record<string, string> = {};
  for (let page = 0; page < MAX_PAGES; page++) {
    const reply = await api.get("/conversations", { ...filter, ...after });
    if ("failure" in reply) return reply;
    const list = conversations.safeParse(reply.json).data;
    for (const { id, metadata } of list?.conversations ?? []) {
      const number = metadata?.relayConversation;
      if ((relay !== undefined && metadata?.relay !== relay) || typeof number !== "number" || number < wanted) continue;
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
  user: User,
  displayName: string,
  metadata: { relay: string; relayConversation: number; relayOwner: string },
): Promise<Found | { failure: Failure }> {
  const reply = await api.post("/conversations", {
    type: "personal",
    participants: [nameOf(user)],
    displayName,
    metadata,
  });
  if ("failure" in reply) return reply;
  const { data } = created.safeParse(reply.json);
  if (data) return { id: data.conversation.id, number: metadata.relayConversation };
  const error = `HTTP ${reply.status}, but the answer has no conversation id`;
  return { failure: { kind: "retry", status: reply.status, error } };
}
