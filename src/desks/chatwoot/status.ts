import { statusOf, type Outcome } from "../../egress/outcome";
import { failureCause, failureNote } from "../agent-notes";
import { NOTHING_TO_DO, type Receipt, type NoteContext } from "../desk";
import { chatwootApi } from "./api";
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

/** MessagesController#update, for inboxes of type API; the swagger file lacks it, and so do versions up to 3.16. */
export async function showStatus(receipt: Receipt, record: ChatwootRecord, context: NoteContext): Promise<Outcome> {
  const inbox = `${inboxOf(record)} `;
  if (!receipt.deskMessage.startsWith(inbox)) return NOTHING_TO_DO;
  const [conversationId = "", messageId = ""] = receipt.deskMessage.slice(inbox.length).split(" ");
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
