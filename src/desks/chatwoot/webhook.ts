import * as z from "zod/mini";
import { equalSecrets, utf8 } from "../../crypto/bytes";
import { hmacSha256, isRecent, signedContent } from "../../crypto/hmac";
import { clip } from "../../lib/text";
import { isMediaType } from "../agent-notes";
import { textReply, type AgentReply, type DeskEvent, type Webhook } from "../desk";
import { toText } from "./agent-text";

/**
 * Chatwoot 4.13 and later sign with the inbox's secret: `sha256=` and, in hex, HMAC-SHA256 over `{timestamp}.{raw body}`.
 * Older ones sign nothing, and the secret has to stand in the webhook's URL as `?token=`. That counts only where nothing is
 * signed, so that a signature which does not hold is never made good by it.
 */
export async function verifyWebhook({ headers, body, url }: Webhook, secret: string, nowMs: number): Promise<boolean> {
  const given = headers.get("x-chatwoot-signature");
  if (given === null) return equalSecrets(url.searchParams.get("token") ?? "", secret);
  const timestamp = headers.get("x-chatwoot-timestamp") ?? "";
  if (!isRecent(timestamp, nowMs)) return false;
  const mac = await hmacSha256(utf8(secret).toBase64(), signedContent(`${timestamp}.`, body));
  return equalSecrets(given, `sha256=${mac.toHex()}`);
}

/** Names of Chatwoot's events (lib/events/types.rb) are of this form; new ones are left alone like the others. */
const anyEvent = z.object({ event: z.string().check(z.regex(/^[a-z]+(_[a-z]+)*$/)) });

const contactInbox = z.nullish(z.object({ source_id: z.string() }));

const attachment = z.object({
  file_type: z.nullish(z.string()),
  data_url: z.nullish(z.string()),
  // Read as written: a body's numbers may come as the text they were.
  coordinates_lat: z.optional(z.unknown()),
  coordinates_long: z.optional(z.unknown()),
  fallback_title: z.nullish(z.string()),
});
type Attachment = z.infer<typeof attachment>;

/** Message#webhook_data. */
const messageCreated = z.object({
  id: z.union([z.int(), z.string().check(z.minLength(1), z.maxLength(100))]),
  content: z.nullish(z.string()),
  content_attributes: z.optional(z.unknown()),
  message_type: z.string(),
  private: z.nullish(z.boolean()),
  conversation: z.object({ contact_inbox: contactInbox }),
  attachments: z.nullish(z.array(attachment)),
});

/** Conversation#webhook_data with what changed; older versions name `updated_at` among it, newer ones the status alone. */
const statusChanged = z.object({
  id: z.union([z.int(), z.string().check(z.minLength(1), z.maxLength(100))]),
  status: z.string(),
  contact_inbox: contactInbox,
  changed_attributes: z.nullish(z.array(z.record(z.string(), z.unknown()))),
  timestamp: z.optional(z.unknown()),
});

/** What tenants/ticket-reference.ts writes. A UUID, a phone number or an address is of Chatwoot's own making. */
const isTicketReference = (sourceId: string) => /^[\w-]+\.[\w-]{43}$/.test(sourceId);

/** Longest key that the relay takes. */
const LONGEST_KEY = 256;

export function parseWebhook(json: unknown, webhook: Webhook): DeskEvent[] | undefined {
  const event = anyEvent.safeParse(json).data?.event;
  switch (event) {
    case undefined:
      return undefined;
    case "message_created":
      return ifRead(messageCreated, json, repliesOf);
    case "conversation_status_changed":
      return ifRead(statusChanged, json, (changed) => closeOf(changed, webhook));
    default:
      return [];
  }
}

function ifRead<T>(schema: z.ZodMiniType<T>, json: unknown, read: (value: T) => DeskEvent[]): DeskEvent[] | undefined {
  const result = schema.safeParse(json);
  return result.success ? read(result.data) : undefined;
}

/**
 * What an agent told the customer. A message with several attachments becomes as many, in their order. The text is the
 * caption of the first, if that is a picture, a video or a file. Otherwise it is a message of its own before them, since a
 * voice message has no caption on most channels.
 */
function repliesOf(message: z.infer<typeof messageCreated>): DeskEvent[] {
  const ticketReference = message.conversation.contact_inbox?.source_id ?? "";
  // The customer's own messages come back as incoming, notes as private.
  if (message.message_type !== "outgoing" || message.private || !isTicketReference(ticketReference)) return [];
  const text = toText(message.content ?? "", message.content_attributes);
  const replies = (message.attachments ?? []).map(attachmentReply).filter((one) => one !== undefined);
  const [first] = replies;
  if (first && ["image", "video", "file"].includes(first.messageType)) first.message = text;
  else if (text !== "") replies.unshift(textReply(text));
  return replies.map(({ messageType, message: caption, mediaLink }, index) => ({
    kind: "outgoing",
    idempotencyKey: index === 0 ? `message:${message.id}` : `message:${message.id}:${index}`,
    ticketReference,
    messageType,
    message: caption,
    mediaLink,
  }));
}

function attachmentReply({ file_type, data_url, fallback_title, ...place }: Attachment): AgentReply | undefined {
  const type = file_type ?? "";
  if (isMediaType(type) && data_url) return { messageType: type, message: "", mediaLink: data_url };
  const [latitude, longitude] = [degrees(place.coordinates_lat), degrees(place.coordinates_long)];
  if (type === "location" && latitude !== undefined && longitude !== undefined) {
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
  const updated = changed.changed_attributes?.find((one) => "updated_at" in one)?.["updated_at"];
  const change = updated === undefined ? headers.get("x-chatwoot-delivery") : JSON.stringify(updated);
  const which = change ?? JSON.stringify(changed.timestamp ?? null);
  return [{ kind: "command", idempotencyKey: clip(`closed:${changed.id}:${which}`, LONGEST_KEY), ticketReference }];
}
