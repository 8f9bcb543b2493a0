import * as z from "zod/mini";
import { toBase64Url, utf8 } from "../../crypto/bytes";
import type { Delivery, DeskContext } from "../../egress/delivery";
import type { Failure } from "../../egress/outcome";
import { statusOf, type Api } from "./api";
import type { Open, Session } from "./session";
import { clip } from "./text";

/** Opens the conversation of a ticket, once: what an interrupted attempt has made is found again. */

const MAX_EXTERNAL_ID = 1024;
const MAX_PROFILE_NAME = 128;
const MAX_CONVERSATION_NAME = 100;
/** Of 25 each: a customer with more conversations than that is looked through no further. */
const MAX_PAGES = 20;

const customer = z.object({
  channel: z.string(),
  accountId: z.string(),
  contactId: z.string(),
  customerName: z.string(),
});
type Customer = z.infer<typeof customer>;

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
 * The session with a conversation to write to, kept as soon as there is one. `before` is what is left of an earlier one:
 * its `conversationNumber` says which conversation of the ticket is wanted.
 */
export async function openConversation(
  api: Api,
  delivery: Delivery,
  context: DeskContext,
  before: Session | undefined,
): Promise<Open | { failure: Failure }> {
  const person = customer.parse(JSON.parse(delivery.event));
  let session = before;
  if (!session) {
    const userExternalId = await externalIdOf(context, person);
    const user = await createUser(api, userExternalId, person);
    if ("failure" in user) return user;
    session = { userExternalId };
    if (user.isNew) context.keep(session);
  }
  const wanted = { relay: await context.identity(), relayConversation: session.conversationNumber ?? 1 };
  const found = await findConversation(api, session.userExternalId, wanted);
  if ("failure" in found) {
    // The user of an earlier conversation may have been deleted with it.
    if (!before || statusOf(found.failure) !== 404) return found;
    const user = await createUser(api, session.userExternalId, person);
    if ("failure" in user) return user;
  }
  const conversation =
    "id" in found ? found : await createConversation(api, session.userExternalId, person, context.ticketNumber, wanted);
  if ("failure" in conversation) return conversation;
  const { id: conversationId, number: conversationNumber } = conversation;
  const open = { ...session, conversationId, conversationNumber };
  context.keep(open);
  return open;
}

/** One user for each contact of an owner; what they are known by stays the same over all of their tickets. */
async function externalIdOf({ owner, ticketNumber }: DeskContext, person: Customer): Promise<string> {
  const { contactId, accountId, channel } = person;
  const name =
    contactId !== ""
      ? `contact:${contactId}`
      : accountId !== ""
        ? `account:${channel}:${accountId}`
        : `ticket:${ticketNumber}`;
  const externalId = `${owner}:${name}`;
  if (externalId.length <= MAX_EXTERNAL_ID) return externalId;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(name)));
  return `${owner}:sha256:${toBase64Url(digest)}`;
}

async function createUser(
  api: Api,
  externalId: string,
  { customerName }: Customer,
): Promise<{ isNew: boolean } | { failure: Failure }> {
  const [, givenName = "", surname = ""] = /^(\S*)\s*(.*)$/s.exec(customerName.trim()) ?? [];
  const profile = {
    ...(givenName === "" ? {} : { givenName: clip(givenName, MAX_PROFILE_NAME) }),
    ...(surname === "" ? {} : { surname: clip(surname, MAX_PROFILE_NAME) }),
  };
  const reply = await api.post("/users", { externalId, profile });
  if (!("failure" in reply)) return { isNew: true };
  // There is one already, of another ticket or of an attempt that was interrupted.
  return statusOf(reply.failure) === 409 ? { isNew: false } : reply;
}

type Wanted = { relay: string; relayConversation: number };
type Conversation = { id: string; number: number };

/** The newest of the ticket's conversations that is not older than the one that is wanted. */
async function findConversation(
  api: Api,
  userExternalId: string,
  { relay, relayConversation }: Wanted,
): Promise<Conversation | { failure: Failure } | { none: true }> {
  let newest: Conversation | undefined;
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
  { customerName }: Customer,
  ticketNumber: string,
  metadata: Wanted,
): Promise<Conversation | { failure: Failure }> {
  const reply = await api.post("/conversations", {
    type: "personal",
    participants: [{ userExternalId }],
    displayName: clip(customerName.trim() || ticketNumber, MAX_CONVERSATION_NAME),
    metadata,
  });
  if ("failure" in reply) return reply;
  const { data } = created.safeParse(reply.json);
  if (data) return { id: data.conversation.id, number: metadata.relayConversation };
  const error = `HTTP ${reply.status}, but the answer has no conversation id`;
  return { failure: { kind: "retry", status: reply.status, error } };
}
