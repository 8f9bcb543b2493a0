import * as z from "zod/mini";
import { statusOf, type Outcome } from "../../egress/outcome";
import { failureCause, failureNote } from "../agent-notes";
import { NOTHING_TO_DO, type Receipt, type NoteContext } from "../desk";
import { chatwootApi, stepOf } from "./api";
import { alreadyPosted, postText } from "./message";
import type { ChatwootRecord } from "./record";

/** What an agent sees at a message: sent, delivered, or failed with the reason. */

/** Names the conversations of one inbox among those of all Chatwoots. */
export const inboxOf = ({ baseUrl, accountId, inboxId }: ChatwootRecord): string =>
  `${baseUrl} ${accountId} ${inboxId}`;

/** The inbox is a part of the name, so that no other inbox's message is ever marked. */
export const deskMessageOf = (
  record: ChatwootRecord,
  conversationId: number | undefined,
  id: number | string,
): string => `${inboxOf(record)} ${conversationId ?? 0} ${id}`;

/** Where a message is, by its name; undefined for another inbox's. */
function placeOf(deskMessage: string, record: ChatwootRecord) {
  const inbox = `${inboxOf(record)} `;
  if (!deskMessage.startsWith(inbox)) return undefined;
  const [conversationId = "", messageId = ""] = deskMessage.slice(inbox.length).split(" ");
  return { conversationId, messageId };
}

/** MessagesController#update, for inboxes of type API; the swagger file lacks it, and so do versions up to 3.16. */
export async function showStatus(receipt: Receipt, record: ChatwootRecord, context: NoteContext): Promise<Outcome> {
  const place = placeOf(receipt.deskMessage, record);
  if (!place) return NOTHING_TO_DO;
  const { conversationId, messageId } = place;
  const api = chatwootApi(record, context);
  const { outcome, json } = await api.patch(
    `/conversations/${conversationId}/messages/${messageId}`,
    receipt.state === "delivered"
      ? { status: "delivered" }
      : { status: "failed", external_error: failureCause(context.language, receipt.why) },
  );
  if (statusOf(outcome) !== 404) return outcome;
  // A message that is not there is said in JSON. A route that is not there is a page, and a note has to say it.
  if (json !== undefined || receipt.state === "delivered") return NOTHING_TO_DO;
  if (!receipt.note) return outcome;
  const { messageId: relayId, report } = receipt.note;
  const slot = { api, context, conversationId: Number(conversationId), messageId: relayId, attempt: receipt.attempt };
  const earlier = receipt.attempt > 1 ? await alreadyPosted(slot) : undefined;
  return earlier ?? postText(slot, failureNote(context.language, report), true);
}

const statuses = z.object({ payload: z.array(z.object({ id: z.int(), status: z.nullish(z.string()) })) });

/**
 * What "Retry" makes of a message that has failed. The webhook of it does not say the status, and others look the same.
 * MessageFinder: with both bounds, the messages from the one on and below the other.
 */
export async function showsSent(deskMessage: string, record: ChatwootRecord, context: NoteContext) {
  const place = placeOf(deskMessage, record);
  const id = Number(place?.messageId);
  if (!place || !Number.isSafeInteger(id)) return { ok: true as const, value: false };
  const reply = await chatwootApi(record, context).get(
    `/conversations/${place.conversationId}/messages?after=${id}&before=${id + 1}`,
  );
  if (statusOf(reply.outcome) === 404) return { ok: true as const, value: false };
  const read = stepOf(reply, (json) => statuses.safeParse(json).data?.payload);
  return read.ok
    ? { ok: true as const, value: read.value.some((one) => one.id === id && one.status === "sent") }
    : read;
}
