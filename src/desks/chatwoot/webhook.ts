import * as z from "zod/mini";
import type { DeskEvent, Webhook } from "../desk";
import { isMediaType } from "../agent-text";
import { flatten } from "./flatten";

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

/** What tenants/identity.ts writes; what Chatwoot makes of its own (a UUID, a phone number, an address) is not. */
const isIdentity = (sourceId: string | undefined) => /^[\w-]+\.[\w-]{43}$/.test(sourceId ?? "");

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

type Content = { messageType: string; message: string; mediaLink: string };

const text = (message: string): Content => ({ messageType: "text", message, mediaLink: "" });

/**
 * What an agent told the customer. The words ride on the first picture, video or file as its caption; before anything else
 * (a voice message has no caption on most channels) they are a message of their own. A message with several attachments
 * becomes as many, in their order.
 */
function repliesOf(message: z.infer<typeof messageCreated>): DeskEvent[] {
  const identity = message.conversation.contact_inbox?.source_id ?? "";
  // The customer's own messages come back as incoming, notes as private.
  if (message.message_type !== "outgoing" || message.private || !isIdentity(identity)) return [];
  const words = flatten(message.content ?? "", message.content_attributes);
  const contents = (message.attachments ?? []).map(contentOf).filter((one) => one !== undefined);
  const [first] = contents;
  if (first && ["image", "video", "file"].includes(first.messageType)) first.message = words;
  else if (words !== "") contents.unshift(text(words));
  return contents.map(({ messageType, message: caption, mediaLink }, index) => ({
    kind: "outgoing",
    idempotencyKey: index === 0 ? `message:${message.id}` : `message:${message.id}:${index}`,
    identity,
    messageType,
    message: caption,
    mediaLink,
  }));
}

function contentOf({ file_type, data_url, fallback_title, ...place }: Attachment): Content | undefined {
  const type = file_type ?? "";
  if (isMediaType(type) && data_url) return { messageType: type, message: "", mediaLink: data_url };
  const [latitude, longitude] = [degrees(place.coordinates_lat), degrees(place.coordinates_long)];
  if (type === "location" && latitude !== undefined && longitude !== undefined) {
    return { messageType: "Location", message: `${latitude},${longitude}`, mediaLink: "" };
  }
  // A contact's number, a shared story: what there is of it in words.
  const words = [fallback_title, data_url].filter(Boolean).join("\n");
  return words === "" ? undefined : text(words);
}

function degrees(value: unknown): string | undefined {
  const number = Number(JSON.stringify(value ?? null) ?? Number.NaN);
  if (value === null || value === undefined || !Number.isFinite(number)) return undefined;
  return /e/.test(String(number)) ? number.toFixed(8) : String(number);
}

/**
 * An agent resolved the conversation. That the relay itself did, for the engine, comes back here too: the ticket is closed
 * or closing then, and takes it as a repeat.
 */
function closeOf(changed: z.infer<typeof statusChanged>, { headers }: Webhook): DeskEvent[] {
  const identity = changed.contact_inbox?.source_id ?? "";
  if (changed.status !== "resolved" || !isIdentity(identity)) return [];
  const updated = changed.changed_attributes?.find((one) => "updated_at" in one)?.["updated_at"];
  const change = updated === undefined ? headers.get("x-chatwoot-delivery") : JSON.stringify(updated);
  const which = change ?? JSON.stringify(changed.timestamp ?? null);
  return [{ kind: "command", idempotencyKey: `closed:${changed.id}:${which}`.slice(0, 256), identity }];
}
