import { toBase64Url, utf8 } from "../../crypto/bytes";
import { statusOf, type Failure } from "../../egress/outcome";
import { clip } from "../../lib/text";
import type { IncomingEvent } from "../../model/event";
import type { DeskContext } from "../desk";
import type { Api } from "./api";

/** The customer of an event as a user of the app. */

const MAX_EXTERNAL_ID = 1024;
const MAX_PROFILE_NAME = 128;

/** What a customer is known by: the same over all their tickets with one owner. */
export async function externalIdOf({ owner, ticketNumber }: DeskContext, event: IncomingEvent): Promise<string> {
  const { contactId, accountId, channel } = event;
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

/** `isNew` is false for a user that another ticket has made, or an attempt that was interrupted. */
export async function createUser(
  api: Api,
  externalId: string,
  { customerName }: IncomingEvent,
): Promise<{ isNew: boolean } | { failure: Failure }> {
  const [, givenName = "", surname = ""] = /^(\S*)\s*(.*)$/s.exec(customerName.trim()) ?? [];
  const profile = {
    ...(givenName === "" ? {} : { givenName: clip(givenName, MAX_PROFILE_NAME) }),
    ...(surname === "" ? {} : { surname: clip(surname, MAX_PROFILE_NAME) }),
  };
  const reply = await api.post("/users", { externalId, profile });
  if (!("failure" in reply)) return { isNew: true };
  return statusOf(reply.failure) === 409 ? { isNew: false } : reply;
}
