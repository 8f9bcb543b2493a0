import * as z from "zod/mini";
import { equalSecrets, utf8 } from "../../crypto/bytes";
import { hmacSha256, isRecent, signedContent } from "../../crypto/hmac";
import { clip } from "../../lib/text";
import { withFallback } from "../../lib/zod";
import { isMediaType } from "../agent-notes";
import { partKey, textReply, type AgentReply, type DeskEvent, type Order, type Webhook } from "../desk";
import { toText } from "./agent-text";
import type { ChatwootRecord } from "./record";
import { deskMessageOf } from "./status";

/**
 * Chatwoot 4.13 and later sign with the inbox's secret. Older ones sign nothing, and the record's secret has to stand in the
 * webhook's URL as `?token=`. An upgrade to 4.13 gives every inbox a secret of its own and signs with it at once. Until the
 * record has it, that token goes on counting: whoever knows it could sign as well.
 */
export async function verifyWebhook(webhook: Webhook, secret: string, nowMs: number): Promise<boolean | string> {
  const isToken = equalSecrets(webhook.url.searchParams.get("token") ?? "", secret);
  const given = webhook.headers.get("x-chatwoot-signature");
  if (given === null) return isToken;
  return (await isSignature(given, webhook, secret, nowMs)) || (isToken && NEW_SECRET);
}

/** What the operator has to do after that upgrade. */
export const NEW_SECRET =
  "Chatwoot signs with the inbox's own secret since version 4.13, and the record still has the token of the webhook's URL: connect Chatwoot again, or copy the inbox's secret into the record.";

/** `sha256=` and, in hex, HMAC-SHA256 over `{timestamp}.{raw body}`. */
async function isSignature(given: string, { headers, body }: Webhook, secret: string, nowMs: number): Promise<boolean> {
  const timestamp = headers.get("x-chatwoot-timestamp") ?? "";
  if (!isRecent(timestamp, nowMs)) return false;
  const mac = await hmacSha256(utf8(secret).toBase64(), signedContent(`${timestamp}.`, body));
  return equalSecrets(given, `sha256=${mac.toHex()}`);
}

type Reply = DeskEvent & { kind: "outgoing" };

/** Names of Chatwoot's events (lib/events/types.rb) are of this form; new ones are left alone like the others. */
const anyEvent = z.object({ event: z.string().check(z.regex(/^[a-z]+(_[a-z]+)*$/)) });

const contactInbox = z.nullish(z.object({ source_id: z.string() }));

/** Older versions do not name the account at a conversation. */
const account = z.nullish(z.object({ id: z.int() }));
const conversation = z.object({ id: z.optional(z.int()), contact_inbox: contactInbox, inbox_id: z.nullish(z.int()) });

const attachment = z.object({
  id: z.optional(z.int()),
  file_type: z.nullish(z.string()),
  data_url: z.nullish(z.string()),
  // Read as written: a body's numbers may come as the text they were.
  coordinates_lat: z.optional(z.unknown()),
  coordinates_long: z.optional(z.unknown()),
  fallback_title: z.nullish(z.string()),
});
type Attachment = z.infer<typeof attachment>;

const attributes = z.looseObject({ deleted: z.optional(z.unknown()), external_error: z.optional(z.unknown()) });

/** What a message is made of, in webhooks and in lists. */
export const messageBody = z.object({
  id: z.union([z.int(), z.string().check(z.minLength(1), z.maxLength(100))]),
  content: z.nullish(z.string()),
  content_attributes: withFallback(z.nullish(attributes), undefined),
  private: z.nullish(z.boolean()),
  created_at: z.optional(z.unknown()),
  attachments: z.nullish(z.array(attachment)),
});
export type Message = z.infer<typeof messageBody> & { message_type: string };

/** Message#webhook_data. */
const messageCreated = z.extend(messageBody, { message_type: z.string(), account, conversation });

/** The same, with the conversation's newest message, which has a status. */
const messageUpdated = z.extend(messageCreated, {
  conversation: z.extend(conversation, {
    messages: withFallback(z.nullish(z.array(z.object({ id: z.int(), status: z.string() }))), undefined),
  }),
});

/** Conversation#webhook_data with what changed. Older versions name `updated_at` among it, newer ones nothing at all. */
const statusChanged = z.extend(conversation, {
  account,
  id: z.union([z.int(), z.string().check(z.minLength(1), z.maxLength(100))]),
  status: z.string(),
  changed_attributes: z.nullish(z.array(z.record(z.string(), z.unknown()))),
  updated_at: z.optional(z.unknown()),
  timestamp: z.optional(z.unknown()),
});

/** What tenants/ticket-reference.ts writes. A UUID, a phone number or an address is of Chatwoot's own making. */
const isTicketReference = (sourceId: string) => /^[\w-]+\.[\w-]{43}$/.test(sourceId);

/** Longest key that the relay takes. */
const LONGEST_KEY = 256;

export function parseWebhook(json: unknown, webhook: Webhook, record: ChatwootRecord): DeskEvent[] | undefined {
  const event = anyEvent.safeParse(json).data?.event;
  switch (event) {
    case undefined:
      return undefined;
    case "message_created":
      return ifRead(messageCreated, json, (created) =>
        isFrom(record, created, created.conversation) ? toldReplies(created, webhook, record) : [],
      );
    case "message_updated":
      return ifRead(messageUpdated, json, (updated) =>
        isFrom(record, updated, updated.conversation) ? retryOf(updated, webhook, record) : [],
      );
    case "conversation_status_changed":
      return ifRead(statusChanged, json, (changed) =>
        isFrom(record, changed, changed) ? closeOf(changed, webhook) : [],
      );
    default:
      return [];
  }
}

/**
 * Whether it is of the record's own inbox. An account's webhook tells of all its inboxes, and one that the record has left may
 * still hold conversations of tickets that go on elsewhere.
 */
const isFrom = (
  { accountId, inboxId }: ChatwootRecord,
  { account: of }: { account?: z.infer<typeof account> },
  { inbox_id }: { inbox_id?: number | null | undefined },
): boolean => (of?.id ?? accountId) === accountId && (inbox_id ?? inboxId) === inboxId;

function ifRead<T>(schema: z.ZodMiniType<T>, json: unknown, read: (value: T) => DeskEvent[]): DeskEvent[] | undefined {
  const result = schema.safeParse(json);
  return result.success ? read(result.data) : undefined;
}

/** An agent who writes in a conversation that is not the relay's has to hear that nobody gets it: it is refused as unknown. */
function toldReplies(created: z.infer<typeof messageCreated>, webhook: Webhook, record: ChatwootRecord): Reply[] {
  const { conversation: of, message_type } = created;
  if (message_type === "template" && !isTicketReference(of.contact_inbox?.source_id ?? "")) return [];
  return repliesOf(created, of, ageMsOf(webhook, created.created_at), record);
}

/**
 * What is for the customer, of an agent or of Chatwoot itself, as its own channels send it on. A message with several
 * attachments becomes as many. They come in no certain order, and are in the order of their ids here. The text is the caption
 * of the first, if that is a picture, a video or a file. Otherwise it is a message of its own before them, since a voice
 * message has no caption on most channels.
 */
export function repliesOf(
  message: Message,
  of: z.infer<typeof conversation>,
  ageMs: number,
  record: ChatwootRecord,
): Reply[] {
  const { id, content_attributes } = message;
  // The customer's own messages come back as incoming, notes as private.
  const isForTheCustomer =
    message.message_type === "outgoing" || (message.message_type === "template" && record.templates !== false);
  if (!isForTheCustomer || message.private || content_attributes?.deleted) return [];
  const ticketReference = of.contact_inbox?.source_id ?? "";
  const replies = (message.attachments ?? [])
    .toSorted((a, b) => (a.id ?? 0) - (b.id ?? 0))
    .flatMap((one, index) => {
      const reply = attachmentReply(one);
      return reply ? [{ ...reply, part: String(one.id ?? index) }] : [];
    });
  const text = toText(message.content ?? "", content_attributes);
  const [first] = replies;
  if (first && ["image", "video", "file"].includes(first.messageType)) first.message = text;
  else if (text !== "") replies.unshift({ ...textReply(text), part: "text" });
  const deskMessage = deskMessageOf(record, of.id, id);
  const order = typeof id === "number" ? { key: id, ageMs } : undefined;
  const conversationId = conversationIdOf(of.id);
  const quoted = content_attributes?.["in_reply_to_external_id"];
  return replies.map(({ part, messageType, message: caption, mediaLink }, index) => ({
    kind: "outgoing" as const,
    conversationId,
    // As its editor writes it from 4.9.0 on; an inbox of type API has to convert it itself.
    isMarkdown: true,
    idempotencyKey: partKey(deskMessage, part),
    deskMessage,
    ticketReference,
    order,
    quotes: index === 0 && typeof quoted === "string" ? quoted : undefined,
    messageType,
    message: caption,
    mediaLink,
    // The relay's own link to it ends by this.
    sentAtMs: mediaLink === "" ? undefined : sentAtMs(message.created_at),
  }));
}

/** Whole seconds: webhooks have a text with milliseconds, lists a number, and both have to make the same event. */
function sentAtMs(createdAt: unknown): number | undefined {
  const seconds = Math.floor(typeof createdAt === "number" ? createdAt : Date.parse(String(createdAt)) / 1000);
  return Number.isNaN(seconds) ? undefined : seconds * 1000;
}

const conversationIdOf = (id: number | string | undefined) => (id === undefined ? undefined : String(id));

/**
 * Six things are told so, and one of them is that an agent pressed "Retry" at a failed message: that takes its error away and
 * shows it as sent. Of the others a message's delivery and its death can be told here already.
 */
function retryOf(updated: z.infer<typeof messageUpdated>, webhook: Webhook, record: ChatwootRecord): Reply[] {
  const { id, content_attributes } = updated;
  const shown = updated.conversation.messages?.find((one) => one.id === id)?.status ?? "sent";
  if (shown !== "sent" || content_attributes?.external_error) return [];
  const replies = toldReplies(updated, webhook, record);
  for (const reply of replies) reply.mayBeRetry = true;
  return replies;
}

/** Each webhook is a job of its own. After a stop of Chatwoot's worker they come ten at once, in any order. */
const BEHIND_REPLIES: Order = { key: null };

/** How long before its webhook a message was written, by Chatwoot's clock. 0 where that is not known. */
function ageMsOf({ headers }: Webhook, createdAt: unknown): number {
  const createdAtMs = typeof createdAt === "number" ? createdAt * 1000 : Date.parse(String(createdAt));
  return Number(headers.get("x-chatwoot-timestamp") ?? Number.NaN) * 1000 - createdAtMs || 0;
}

function attachmentReply({ file_type, data_url, fallback_title, ...place }: Attachment): AgentReply | undefined {
  const type = file_type ?? "";
  if (isMediaType(type) && data_url) return { messageType: type, message: "", mediaLink: data_url };
  const [latitude, longitude] = [degrees(place.coordinates_lat), degrees(place.coordinates_long)];
  // Chatwoot writes 0 and 0 where it knows no place.
  const isPlace = latitude !== undefined && longitude !== undefined && (latitude !== "0" || longitude !== "0");
  if (type === "location" && isPlace) {
    return { messageType: "Location", message: `${latitude},${longitude}`, mediaLink: "" };
  }
  // A contact's number, a shared story: what there is of it as text.
  const text = [fallback_title, data_url].filter(Boolean).join("\n");
  return text === "" ? undefined : textReply(text);
}

function degrees(value: unknown): string | undefined {
  const number = Number(JSON.stringify(value ?? null) ?? Number.NaN);
  if (value === null || value === undefined || !Number.isFinite(number)) return undefined;
  return /e/.test(String(number)) ? number.toFixed(8) : String(number);
}

/**
 * An agent resolved the conversation. If the relay itself did, for the engine, that comes back here too: the ticket is
 * closed or closing then, and takes it as a repeat.
 */
function closeOf(changed: z.infer<typeof statusChanged>, { headers }: Webhook): DeskEvent[] {
  const ticketReference = changed.contact_inbox?.source_id ?? "";
  if (changed.status !== "resolved" || !isTicketReference(ticketReference)) return [];
  const before = changed.changed_attributes?.find((one) => "updated_at" in one)?.["updated_at"];
  const updated = before ?? changed.updated_at;
  const change = updated === undefined ? headers.get("x-chatwoot-delivery") : JSON.stringify(updated);
  const which = change ?? JSON.stringify(changed.timestamp ?? null);
  const idempotencyKey = clip(`closed:${changed.id}:${which}`, LONGEST_KEY);
  const conversationId = conversationIdOf(changed.id);
  return [{ kind: "command", idempotencyKey, conversationId, ticketReference, order: BEHIND_REPLIES }];
}
