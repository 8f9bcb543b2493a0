import * as z from "zod/mini";
import type { NoteContext, Unheard } from "../desk";
import { chatwootApi, stepOf } from "./api";
import { readConversation } from "./conversation";
import type { ChatwootRecord } from "./record";
import { messageBody, repliesOf } from "./webhook";

/** Chatwoot sends each webhook once, and what its worker has in hand is gone when that is killed. */

/** Message.message_types, which a list gives as numbers. */
const TYPES = ["incoming", "outgoing", "activity", "template"];

const listed = z.extend(messageBody, {
  id: z.int(),
  message_type: z.int(),
  status: z.nullish(z.string()),
  content_type: z.nullish(z.string()),
});
const list = z.object({ payload: z.array(listed) });

/** A list is in order and lacks nothing, so what is found in it need not lie as if it had overtaken another. */
const AGE_MS = 0;

/** MessageFinder#messages_after gives at most so many, the oldest first. */
const PAGE = 100;
const MOST_PAGES = 10;

/**
 * What stands behind a message in the ticket's conversation. A failed one is for its agent to retry. A survey's text has its
 * link in the webhook alone.
 */
export async function readUnheard(kept: unknown, after: number, record: ChatwootRecord, context: NoteContext) {
  const { conversationId } = readConversation(kept);
  const found: Unheard = { ok: true, events: [], upTo: after };
  if (conversationId === undefined) return found;
  const api = chatwootApi(record, context);
  for (let page = 0; page < MOST_PAGES; page++) {
    const reply = await api.get(`/conversations/${conversationId}/messages?after=${found.upTo}`);
    const read = stepOf(reply, (json) => list.safeParse(json).data?.payload);
    if (!read.ok) return read;
    for (const one of read.value) {
      found.upTo = Math.max(found.upTo, one.id);
      if (one.status === "failed" || one.content_type === "input_csat") continue;
      const said = { ...one, message_type: TYPES[one.message_type] ?? "" };
      found.events.push(...repliesOf(said, { id: conversationId }, AGE_MS, record));
    }
    if (read.value.length < PAGE) break;
  }
  return found;
}
