import * as z from "zod/mini";
import { split } from "../../lib/text";
import { withFallback } from "../../lib/zod";
import { isLink, MAX_MESSAGE } from "../../model/event";
import { textReply, type AgentReply, type DeskEvent } from "../desk";
import { deskContent, toText, type DeskContent } from "./agent-text";

/** A batch as `POST /v1/desks/zendesk/{owner}` gets it: everything of the app, the relay's own messages among it. */
const batch = z.object({ events: z.array(z.unknown()) });

const event = z.object({
  id: z.string().check(z.minLength(1)),
  type: z.string(),
  createdAt: withFallback(z.optional(z.string()), undefined),
  payload: z.optional(z.unknown()),
});

/** Only conversations that the relay has opened have a ticket reference. */
const referring = z.object({
  conversation: z.object({
    id: z.string(),
    metadata: z.object({ relay: z.string(), relayOwner: withFallback(z.optional(z.string()), undefined) }),
  }),
});

const messagePayload = z.object({
  message: z.object({
    author: z.object({ type: z.string(), subtypes: withFallback(z.nullish(z.array(z.string())), undefined) }),
    /** Of a message that the desk made by itself, such as that a ticket was closed. */
    activity: z.optional(z.unknown()),
    /** It stands in the place of one that was deleted. */
    deleted: z.optional(z.unknown()),
    content: z.optional(z.unknown()),
    metadata: withFallback(z.nullish(z.partial(z.object({ relayMessageId: z.unknown() }))), undefined),
  }),
});

const controlPayload = z.object({ reason: z.string() });

/** Control of a conversation passes to a bot, or to nobody, in these. Only the reason says that a ticket was closed by it. */
const CONTROL = new Set(["switchboard:releaseControl", "switchboard:passControl"]);

/** An event of a batch that cannot be read is left alone, and spoils none of the others. */
export function parseWebhook(json: unknown): DeskEvent[] | undefined {
  const { data } = batch.safeParse(json);
  return data?.events.flatMap((one): DeskEvent[] => {
    const { id, type, createdAt = "", payload } = event.safeParse(one).data ?? {};
    const conversation = referring.safeParse(payload).data?.conversation;
    if (id === undefined || type === undefined || !conversation) return [];
    const conversationId = conversation.id;
    const { relay: ticketReference, relayOwner: owner } = conversation.metadata;
    const createdAtMs = Date.parse(createdAt);
    const sentAtMs = Number.isNaN(createdAtMs) ? undefined : createdAtMs;
    if (CONTROL.has(type)) {
      // The other reason, transferToEmail, goes on with the same ticket by mail.
      const isClosed = controlPayload.safeParse(payload).data?.reason === "ticketClosed";
      return isClosed
        ? [{ kind: "command", idempotencyKey: id, conversationId, ticketReference, owner, sentAtMs }]
        : [];
    }
    return agentReplies(type, payload).map(({ messageType, message, mediaLink }, at) => {
      // One message of the desk may take several of 3Dolphins.
      const idempotencyKey = at === 0 ? id : `${id}/${at + 1}`;
      return {
        kind: "outgoing",
        idempotencyKey,
        conversationId,
        ticketReference,
        owner,
        sentAtMs,
        messageType,
        message,
        mediaLink,
      };
    });
  });
}

/** What an agent, or the desk's bot, says to the customer. What the customer says comes by as well: the relay has posted it. */
function agentReplies(type: string, payload: unknown): AgentReply[] {
  const message = type === "conversation:message" ? messagePayload.safeParse(payload).data?.message : undefined;
  if (message?.author.type !== "business" || message.metadata?.relayMessageId !== undefined) return [];
  const isActivity = Boolean(message.activity) || message.author.subtypes?.includes("activity");
  if (isActivity || message.deleted === true) return [];
  const content = deskContent.safeParse(message.content).data;
  return content ? repliesOf(content) : [];
}

/** An agent's message as the Outgoing Events it takes; none when there is nothing in it to send. */
function repliesOf(content: DeskContent): AgentReply[] {
  const { type, mediaUrl, coordinates } = content;
  const text = toText(content);
  if ((type === "image" || type === "file") && mediaUrl !== undefined) {
    // A link that an event cannot hold still works in the customer's hands.
    if (!isLink(mediaUrl)) return texts([text, mediaUrl].filter((part) => part !== "").join("\n"));
    const [caption = "", ...rest] = split(text, MAX_MESSAGE);
    const messageType = type === "image" ? "image" : mediaKind(content.mediaType, mediaUrl);
    return [{ messageType, message: caption, mediaLink: mediaUrl }, ...rest.flatMap(texts)];
  }
  if (type === "location" && coordinates) return location(content.location, coordinates);
  return texts(text);
}

const texts = (text: string): AgentReply[] => (text === "" ? [] : split(text, MAX_MESSAGE).map(textReply));

/** A Location has room for two numbers: the name and the address of the place follow as text. */
function location(place: DeskContent["location"], { lat, long }: { lat?: unknown; long?: unknown }): AgentReply[] {
  const named = texts([place?.name, place?.address].filter((part) => part).join("\n"));
  const latitude = degrees(lat, 90);
  const longitude = degrees(long, 180);
  if (latitude === undefined || longitude === undefined) return named;
  return [{ messageType: "Location", message: `${latitude},${longitude}`, mediaLink: "" }, ...named];
}

/**
 * Degrees without an exponent; undefined when they are none. A number too long for a double comes as its own source text,
 * which is why it is written as JSON first.
 */
function degrees(value: unknown, most: number): string | undefined {
  const number = Number(JSON.stringify(value) ?? Number.NaN);
  if (!(Math.abs(number) <= most)) return undefined;
  const text = String(number);
  return text.includes("e") ? number.toFixed(7) : text;
}

const EXTENSIONS = {
  image: ["jpg", "jpeg", "png", "gif", "webp", "bmp", "svg", "heic"],
  audio: ["mp3", "m4a", "aac", "ogg", "oga", "opus", "wav", "amr", "flac"],
  video: ["mp4", "m4v", "mov", "webm", "3gp", "mkv", "avi"],
};
const KINDS = ["image", "audio", "video"] as const;

/** What kind of file it is, by its media type or else by its name. */
function mediaKind(mediaType: string | undefined, mediaUrl: string): AgentReply["messageType"] {
  const [family = ""] = (mediaType ?? "").toLowerCase().split("/");
  const extension = /\.(\w+)$/.exec(URL.parse(mediaUrl)?.pathname ?? "")?.[1]?.toLowerCase() ?? "";
  return KINDS.find((kind) => kind === family) ?? KINDS.find((kind) => EXTENSIONS[kind].includes(extension)) ?? "file";
}
