import { equalSecrets } from "../../crypto/bytes";
import { statusOf, type Outcome } from "../../egress/outcome";
import { defineDesk, NOTHING_TO_DO, type DeskContext, type DeskDelivery } from "../desk";
import { sunshine } from "./api";
import { isOpen, nextConversation, openConversation, readConversation } from "./conversation";
import { post, postsFor } from "./message";
import { zendeskRecord, type ZendeskRecord } from "./record";
import { parseWebhook } from "./webhook";

/**
 * Zendesk by way of Sunshine Conversations, API v2.
 *
 * From what the vendor publishes (OpenAPI documents, clients, help centre): the paths and bodies used here; 409 for a user
 * that exists, 404 for a user or conversation that does not, 423 for a conversation with 30,000 messages; the lists of a
 * user's conversations and of a conversation's messages; metadata on both, and its return in webhooks; the reasons of
 * `switchboard:releaseControl`; `message.activity`; the limits.
 *
 * Not confirmed: which of the signals of `closedBy` an agent's Solved or Closed sends; in which order conversations are
 * listed (nothing here relies on it); whether 4,096 characters are counted in UTF-16 units (the strictest way to count);
 * whether the name of a message's author is shown to agents when it differs from the user's.
 */
export const zendesk = defineDesk({
  type: "zendesk",
  record: zendeskRecord,
  secrets: ["keySecret", "webhookSecret"],
  targets: ["baseUrl"],
  wantsFailures: () => true,
  deliver,
  webhook: {
    // The webhook carries its bare secret: neither the body nor the time is signed.
    verify: ({ headers }, { webhookSecret }) =>
      Promise.resolve(equalSecrets(headers.get("x-api-key") ?? "", webhookSecret)),
    parse: (json, _webhook, { closedBy }) => parseWebhook(json, closedBy),
    // An agent is not shown what becomes of a message behind a webhook, so there is nothing to wait for.
    waitSeconds: 0,
  },
});

const GONE = 404;
/** The conversation has its 30,000 messages. */
const FULL = 423;

/**
 * Makes the messages of one delivery, by the customer's user: only these make a ticket for an agent, or open it again.
 * A Close comes as a message to the agent as well: nothing in the API closes the ticket. (`releaseControl` takes the
 * conversation from whoever is in control of it. It is not said to close anything, and is refused to other integrations.)
 */
async function deliver(delivery: DeskDelivery, record: ZendeskRecord, context: DeskContext): Promise<Outcome> {
  const api = sunshine(record, context);
  const posts = postsFor(delivery, context.language);
  const known = readConversation(context.conversation);
  if (delivery.kind !== "incoming") {
    // A note on a conversation that is not there has nobody to read it.
    if (!isOpen(known)) return NOTHING_TO_DO;
    const { outcome } = await post(api, delivery, context, known, posts);
    return takesNoMore(outcome) ? NOTHING_TO_DO : outcome;
  }
  const { event } = delivery;
  const opened = isOpen(known) ? known : await openConversation(api, event, context, known);
  if ("failure" in opened) return opened.failure;
  const { outcome, conversation } = await post(api, delivery, context, opened, posts);
  if (!takesNoMore(outcome)) return outcome;
  const left = nextConversation(conversation, statusOf(outcome) === FULL);
  const next = await openConversation(api, event, context, left);
  return "failure" in next ? next.failure : (await post(api, delivery, context, next, posts)).outcome;
}

const takesNoMore = (outcome: Outcome): boolean => statusOf(outcome) === GONE || statusOf(outcome) === FULL;
