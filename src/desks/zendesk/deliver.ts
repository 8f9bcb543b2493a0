import * as z from "zod/mini";
import type { Delivered, Delivery, DeskContext } from "../../egress/delivery";
import type { Failure, Outcome } from "../../egress/outcome";
import type { ZendeskRecord } from "./record";
import { statusOf, sunshine, type Api } from "./api";
import { postedFor, type Posted } from "./content";
import { openConversation } from "./open";
import { isOpen, readSession, type Open, type Session } from "./session";

/** A note on a conversation that is not there has nobody to read it. */
const NOTHING_TO_DO: Outcome = { kind: "delivered", status: 204 };

const GONE = 404;
/** The conversation has its 30,000 messages. */
const FULL = 423;

const messages = z.object({
  messages: z.array(
    z.object({
      metadata: z.nullish(z.partial(z.object({ relayMessageId: z.unknown(), relayPart: z.unknown() }))),
    }),
  ),
});

/**
 * Makes the messages of one delivery, by the customer's user: only these make a ticket for an agent, or open it again.
 * A Close comes as a message to the agent as well: nothing in the API closes the ticket. (`releaseControl` takes the
 * conversation from whoever is in control of it, which is not said to close anything, and is refused to other integrations.)
 */
export async function deliver(delivery: Delivery, record: ZendeskRecord, context: DeskContext): Promise<Delivered> {
  const api = sunshine(record, context);
  const posted = postedFor(delivery, context.language);
  const before = readSession(context.session);
  const isMessage = delivery.kind === "incoming";
  if (!isMessage && !isOpen(before)) return { outcome: NOTHING_TO_DO };

  const opened = isOpen(before) ? before : await openConversation(api, delivery, context, before);
  if ("failure" in opened) return { outcome: opened.failure };
  const { outcome, session } = await post(api, delivery, context, opened, posted);
  const status = outcome.kind === "delivered" ? undefined : statusOf(outcome);
  if (status !== GONE && status !== FULL) return { outcome };

  if (!isMessage) return { outcome: NOTHING_TO_DO };
  const next = await openConversation(api, delivery, context, replaced(session, status));
  if ("failure" in next) return { outcome: next.failure };
  return { outcome: (await post(api, delivery, context, next, posted)).outcome };
}

/** What is left of a session whose conversation takes nothing more. Parts that went with a deleted one are sent again. */
function replaced({ userExternalId, conversationNumber = 1, sent }: Session, status: number): Session {
  const next = { userExternalId, conversationNumber: conversationNumber + 1 };
  return sent && status === FULL ? { ...next, sent } : next;
}

/** Posts what is not there yet, part by part, and remembers how far it came while there is more. */
async function post(
  api: Api,
  { id, attempt }: Delivery,
  context: DeskContext,
  opened: Open,
  { contents, displayName, note }: Posted,
): Promise<{ outcome: Outcome; session: Open }> {
  let session = opened;
  const path = `/conversations/${encodeURIComponent(session.conversationId)}/messages`;
  let done = session.sent?.id === id ? session.sent.parts : 0;
  if (attempt > 1) {
    const there = await partsThere(api, path, id);
    if ("failure" in there) return { outcome: there.failure, session };
    done = Math.max(done, there.parts);
  }
  let outcome: Outcome = { kind: "delivered", status: 200 };
  for (const [at, content] of contents.entries()) {
    if (at < done) continue;
    const reply = await api.post(path, {
      author: {
        type: "user",
        userExternalId: session.userExternalId,
        ...(displayName === "" ? {} : { displayName }),
      },
      content,
      metadata: {
        relayMessageId: id,
        ...(contents.length > 1 ? { relayPart: at + 1 } : {}),
        ...(note === undefined ? {} : { relayNote: note }),
      },
    });
    if ("failure" in reply) return { outcome: reply.failure, session };
    outcome = { kind: "delivered", status: reply.status };
    if (at + 1 === contents.length) continue;
    session = { ...opened, sent: { id, parts: at + 1 } };
    context.keep(session);
  }
  return { outcome, session };
}

/**
 * How many parts of a message are among the conversation's newest: an attempt whose answer was lost may have made them.
 * What is too far back to be seen, or in a list too long to be read, is sent once more.
 */
async function partsThere(api: Api, path: string, id: string): Promise<{ parts: number } | { failure: Failure }> {
  const reply = await api.get(path);
  if ("failure" in reply) return reply;
  const list = messages.safeParse(reply.json).data?.messages ?? [];
  const parts = list
    .filter(({ metadata }) => metadata?.relayMessageId === id)
    .map(({ metadata }) => Number(metadata?.relayPart ?? 1));
  return { parts: Math.max(0, ...parts) };
}
