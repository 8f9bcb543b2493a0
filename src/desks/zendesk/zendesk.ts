import { equalSecrets } from "../../crypto/bytes";
import { statusOf, type Outcome } from "../../egress/outcome";
import {
  defineDesk,
  NOTHING_TO_DO,
  type DeskContext,
  type DeskDelivery,
  type NoteContext,
  type RefusedReply,
} from "../desk";
import { privateFiles, sunshine } from "./api";
import { checkZendesk } from "./check";
import { externalIdOf, type Opening } from "./contact";
import {
  afterMerge,
  isOpen,
  nextConversation,
  openConversation,
  readConversation,
  type Conversation,
  type OpenConversation,
} from "./conversation";
import { post, postsFor, refusalPosts } from "./message";
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
 * Not confirmed: in which order conversations are listed (nothing here relies on it); with which status a second conversation
 * is refused in an app without multi-conversations; that a merged user is still found by its external id; that a private file
 * is at the host of `baseUrl`; whether 4,096 characters are counted in UTF-16 units (the strictest way to count); whether the
 * name of a message's author is shown to agents when it differs from the user's.
 */
export const zendesk = defineDesk({
  type: "zendesk",
  record: zendeskRecord,
  secrets: { keySecret: ["baseUrl"], webhookSecret: [] },
  targets: ["baseUrl"],
  farEnd: ({ baseUrl, appId }) => `${baseUrl} ${appId}`,
  wantsFailures: () => true,
  deliver,
  check: checkZendesk,
  files: privateFiles,
  webhook: {
    // The webhook carries its bare secret: neither the body nor the time is signed.
    verify: ({ headers }, { webhookSecret }) =>
      Promise.resolve(equalSecrets(headers.get("x-api-key") ?? "", webhookSecret)),
    provesTime: false,
    parse: parseWebhook,
    // Of a conversation of another tenant of the same app, that tenant's webhook has brought the reply.
    tellRefusal: (refused, record, context) => (refused.isForeign ? undefined : tellRefusal(refused, record, context)),
    showsAnswer: false,
  },
});

/** A note in the conversation that the reply was written in. It is looked for first, since the reply may have come before. */
async function tellRefusal(refused: RefusedReply, record: ZendeskRecord, context: NoteContext): Promise<Outcome> {
  const { conversationId, idempotencyKey } = refused.event;
  if (conversationId === undefined) return NOTHING_TO_DO;
  const note = { id: `refused:${idempotencyKey}`, attempt: 2 };
  const kept = { keep: () => undefined };
  const conversation = { userExternalId: "", conversationId };
  const posts = refusalPosts(refused, context.language);
  return (await post(sunshine(record, context), note, kept, conversation, posts)).outcome;
}

/** The user is none of the conversation's, or no more: it was merged into another one. */
const MERGED = 403;
const GONE = 404;
/** The conversation has its 30,000 messages. */
const FULL = 423;

/**
 * Makes the messages of one delivery. What the customer says is by the customer's user: only that makes a ticket for an agent,
 * or opens it again. A Close is a note to the agent: nothing in the API closes the ticket. (`releaseControl` takes the
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
    return [GONE, FULL].includes(statusOf(outcome) ?? 0) ? NOTHING_TO_DO : outcome;
  }
  const opening = { api, record, event: delivery.event, context };
  const opened = isOpen(known) ? known : await firstConversation(opening, known);
  if ("failure" in opened) return opened.failure;
  const { outcome, conversation } = await post(api, delivery, context, opened, posts);
  const next = await elsewhere(opening, conversation, statusOf(outcome));
  if (next === undefined) return outcome;
  return "failure" in next ? next.failure : (await post(api, delivery, context, next, posts)).outcome;
}

const firstConversation = async (opening: Opening, known: Conversation | undefined) =>
  openConversation(opening, known ?? { userExternalId: await externalIdOf(opening) }, known !== undefined);

/** Where a message goes on that was refused with this status. Undefined when the refusal is final, or there was none. */
function elsewhere(opening: Opening, refusing: OpenConversation, status: number | undefined) {
  switch (status) {
    case MERGED:
      return afterMerge(opening, refusing);
    case GONE:
    case FULL: {
      const next = nextConversation(refusing, status === FULL, opening);
      return openConversation(opening, next, next.userExternalId === refusing.userExternalId);
    }
    default:
      return undefined;
  }
}
