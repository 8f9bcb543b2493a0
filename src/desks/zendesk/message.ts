import * as z from "zod/mini";
import type { Failure, Outcome } from "../../egress/outcome";
import { clip, split } from "../../lib/text";
import type { IncomingEvent } from "../../model/event";
import { closedNote, failureNote, fromTheRelay, refusalNote } from "../agent-notes";
import type { DeskContext, DeskDelivery, Language, RefusedReply } from "../desk";
import type { Api } from "./api";
import { nameOf } from "./contact";
import type { OpenConversation } from "./conversation";

/** What a message of the relay becomes: one or more messages of the desk, in this order. */
export type Posts = {
  contents: Content[];
  /** Shown as the author's name. */
  displayName: string;
  /** What a message that no customer wrote is about. A note of the customer's would open a solved ticket again. */
  note?: "closed" | "failure" | "refused";
};

type Content =
  | { type: "text"; text: string }
  | { type: "image" | "file"; mediaUrl: string; altText?: string; text?: string }
  | { type: "location"; coordinates: { lat: number; long: number } };

/** Limits of the API. The 100 kB for a request's JSON are never reached: texts and links within theirs make some 30. */
const MAX_TEXT = 4096;
const MAX_ALT_TEXT = 128;
const MAX_NAME = 100;
const RELAY_NAME = "dolphin-relay";

export function postsFor(delivery: DeskDelivery, language: Language): Posts {
  switch (delivery.kind) {
    case "incoming":
      return { contents: contentsOf(delivery.event), displayName: clip(delivery.event.customerName, MAX_NAME) };
    case "command":
      return note("closed", fromTheRelay(language, closedNote(language)));
    case "failure":
      return note("failure", fromTheRelay(language, failureNote(language, delivery.report)));
  }
}

export const refusalPosts = ({ event, code }: RefusedReply, language: Language): Posts =>
  note("refused", fromTheRelay(language, refusalNote(language, code, event)));

const note = (about: NonNullable<Posts["note"]>, text: string): Posts => ({
  contents: texts(text),
  displayName: RELAY_NAME,
  note: about,
});

function contentsOf({ messageType, message, mediaLink }: IncomingEvent): Content[] {
  switch (messageType) {
    case "image":
      return media("image", mediaLink, message);
    case "audio":
    case "video":
    case "file":
      return media("file", mediaLink, message);
    case "Location": {
      const [lat, long] = message.split(",").map(Number);
      if (lat !== undefined && long !== undefined) return [{ type: "location", coordinates: { lat, long } }];
      return texts(message);
    }
    default:
      return texts(message);
  }
}

const texts = (text: string): Content[] => split(text, MAX_TEXT).map((piece) => ({ type: "text", text: piece }));

/** The file with as much of its caption as fits, then the rest. Left out, `altText` becomes the file's name. */
function media(type: "image" | "file", mediaUrl: string, caption: string): Content[] {
  if (caption === "") return [{ type, mediaUrl }];
  const [text = "", ...rest] = split(caption, MAX_TEXT);
  return [{ type, mediaUrl, altText: clip(text, MAX_ALT_TEXT), text }, ...rest.flatMap(texts)];
}

/** Posts what is not there yet, part by part, and remembers how far it came while there is more. */
export async function post(
  api: Api,
  { id, attempt }: Pick<DeskDelivery, "id" | "attempt">,
  { keep }: Pick<DeskContext, "keep">,
  opened: OpenConversation,
  { contents, displayName, note: relayNote }: Posts,
): Promise<{ outcome: Outcome; conversation: OpenConversation }> {
  let conversation = opened;
  const author = {
    ...(relayNote === undefined ? { type: "user", ...nameOf(opened) } : { type: "business" }),
    ...(displayName === "" ? {} : { displayName }),
  };
  const path = `/conversations/${encodeURIComponent(opened.conversationId)}/messages`;
  let done = opened.sent?.id === id ? opened.sent.parts : 0;
  if (attempt > 1) {
    const there = await partsThere(api, path, id);
    if ("failure" in there) return { outcome: there.failure, conversation };
    done = Math.max(done, there.parts);
  }
  let outcome: Outcome = { kind: "delivered", status: 200 };
  for (const [at, content] of contents.entries()) {
    if (at < done) continue;
    const reply = await api.post(path, {
      author,
      content,
      metadata: {
        relayMessageId: id,
        ...(contents.length > 1 ? { relayPart: at + 1 } : {}),
        ...(relayNote === undefined ? {} : { relayNote }),
      },
    });
    if ("failure" in reply) return { outcome: reply.failure, conversation };
    outcome = { kind: "delivered", status: reply.status };
    if (at + 1 === contents.length) continue;
    conversation = { ...opened, sent: { id, parts: at + 1 } };
    keep(conversation);
  }
  return { outcome, conversation };
}

const messages = z.object({
  messages: z.array(
    z.object({
      metadata: z.nullish(z.partial(z.object({ relayMessageId: z.unknown(), relayPart: z.unknown() }))),
    }),
  ),
});

/**
 * How many parts of a message are among the conversation's newest: an attempt whose answer was lost may have made them. A
 * part that is too far back to be seen, or in a list too long to be read, is sent once more.
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
