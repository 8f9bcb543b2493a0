import * as z from "zod/mini";
import { toBase64Url, utf8 } from "../../crypto/bytes";
import { statusOf, type Failure } from "../../egress/outcome";
import { clip } from "../../lib/text";
import type { IncomingEvent } from "../../model/event";
import type { DeskContext } from "../desk";
import type { Api } from "./api";
import type { ZendeskRecord } from "./record";

/** The customer of an event as a user of the app. */

const MAX_EXTERNAL_ID = 1024;
const MAX_PROFILE_NAME = 128;

/** What a conversation of the desk is opened with. */
export type Opening = { api: Api; record: ZendeskRecord; event: IncomingEvent; context: DeskContext };

/** `userId` is known where the external id alone does not lead to the user. */
export type User = { userExternalId: string; userId?: string | undefined };

/** How requests name a user: one or the other, never both. */
export const nameOf = ({ userExternalId, userId }: User): { userId: string } | { userExternalId: string } =>
  userId === undefined ? { userExternalId } : { userId };

/** A colon in a part is escaped, so that no two lists of parts make the same text. */
const joined = (...parts: (string | number)[]): string =>
  parts.map((part) => String(part).replaceAll(/[%:]/g, (sign) => encodeURIComponent(sign))).join(":");

/**
 * A user that is this ticket's alone, in an app where a user has one conversation. `conversationNumber` is from 1: the next
 * conversation of the ticket takes another user.
 */
export const ticketUser = ({ owner, ticketNumber }: DeskContext, conversationNumber: number): string =>
  joined(owner, "ticket", ticketNumber, ...(conversationNumber === 1 ? [] : [conversationNumber]));

/** What the customer of a new ticket is known by. */
export async function externalIdOf({ record, context, event }: Opening): Promise<string> {
  const { contactId, accountId, channel } = event;
  if (record.users !== "contact" || (contactId === "" && accountId === "")) return ticketUser(context, 1);
  const name = contactId === "" ? joined("account", channel, accountId) : joined("contact", contactId);
  const externalId = `${joined(context.owner)}:${name}`;
  if (externalId.length <= MAX_EXTERNAL_ID) return externalId;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(name)));
  return joined(context.owner, "sha256", toBase64Url(digest));
}

const userAnswer = z.object({ user: z.object({ id: z.string() }) });

/**
 * The user with this external id, made unless it is there. `isNew` is false for one that another ticket has made, or an
 * attempt that was interrupted.
 */
export async function openUser(
  api: Api,
  { brandId }: ZendeskRecord,
  externalId: string,
  { customerName }: IncomingEvent,
): Promise<{ user: User; isNew: boolean } | { failure: Failure }> {
  const [, givenName = "", surname = ""] = /^(\S*)\s*(.*)$/s.exec(customerName.trim()) ?? [];
  const profile = {
    ...(givenName === "" ? {} : { givenName: clip(givenName, MAX_PROFILE_NAME) }),
    ...(surname === "" ? {} : { surname: clip(surname, MAX_PROFILE_NAME) }),
  };
  const reply = await api.post("/users", { externalId, ...(brandId === undefined ? {} : { brandId }), profile });
  const isThere = "failure" in reply && statusOf(reply.failure) === 409;
  if ("failure" in reply && !isThere) return reply;
  // An external id is unique within a brand, and a participant of a conversation has no brand: the user's own id has.
  const userId = brandId === undefined || isThere ? undefined : idIn("json" in reply ? reply.json : undefined);
  if (brandId === undefined || userId !== undefined) {
    return { user: { userExternalId: externalId, userId }, isNew: !isThere };
  }
  const found = await findUser(api, brandId, externalId);
  return "failure" in found ? found : { user: found, isNew: false };
}

/** The user that an external id leads to now: another one after a merge. */
export async function findUser(
  api: Api,
  brandId: string | undefined,
  userExternalId: string,
): Promise<Required<User> | { failure: Failure }> {
  const reply = await api.get(`/users/${encodeURIComponent(userExternalId)}`, brandId === undefined ? {} : { brandId });
  if ("failure" in reply) return reply;
  const userId = idIn(reply.json);
  if (userId !== undefined) return { userExternalId, userId };
  const error = `HTTP ${reply.status}, but the answer has no user id`;
  return { failure: { kind: "retry", status: reply.status, error } };
}

const idIn = (json: unknown): string | undefined => userAnswer.safeParse(json).data?.user.id;
