import * as z from "zod/mini";
import { extensionOf, nameOf } from "../../egress/file-name";
import { typeByExtension, type MediaType } from "../../egress/file-type";
import { download } from "../../egress/media";
import { statusOf, type Outcome } from "../../egress/outcome";
import { clip, split } from "../../lib/text";
import type { IncomingEvent } from "../../model/event";
import { isMediaType, locationText, mediaLinkNote } from "../agent-notes";
import type { DeskContext, DeskDelivery, Language } from "../desk";
import type { Api } from "./api";
import type { GenesysRecord } from "./record";

/** One request: a text, or a file with its caption. */
type Part = { text?: string; content?: [{ attachment: Attachment }] };
type Attachment = { mediaType: string; url: string; mime: string; filename?: string };

/** Not published: the longest that the other channels of Genesys take. */
const MAX_TEXT = 4000;
const MAX_NAME = 100;

/** Of a file whose link does not say what it is, so much is looked at. */
const MOST_BYTES = 25 * 1024 * 1024;
const LOOK_SHARE = 0.5;
const USUAL: Record<MediaType, string> = {
  image: "image/jpeg",
  video: "video/mp4",
  audio: "audio/mpeg",
  file: "application/octet-stream",
};
const MEDIA_TYPES: Record<MediaType, string> = { image: "Image", video: "Video", audio: "Audio", file: "File" };

/** What says that a file is not taken here, and not that the desk is away. */
const UNFIT = new Set([400, 413, 415, 422]);

type Customer = { id: string; idType: "Opaque"; nickname?: string; firstName?: string; lastName?: string };

/** Posts what the customer said, part by part. `moved` is called with the conversation that each answer names. */
export async function postIncoming(
  api: Api,
  delivery: DeskDelivery & { kind: "incoming" },
  { integrationId }: GenesysRecord,
  context: DeskContext,
  { customerId, moved }: { customerId: string; moved: (conversationId: string) => void },
): Promise<Outcome> {
  const { id, acceptedAtMs, attempt, event } = delivery;
  const { ticketNumber, owner } = context;
  const from = customerOf(customerId, event);
  const customAttributes = { ticketNumber, owner, channel: event.channel };
  const path = `/messages/${encodeURIComponent(integrationId)}/inbound/open/message?prefetchConversationId=true`;
  const post = async (parts: Part[], name: string): Promise<Outcome> => {
    let outcome: Outcome = { kind: "delivered", status: 200 };
    for (const [at, part] of parts.entries()) {
      // Both are the same in every attempt, so that a part whose answer was lost is told by them. Later parts have later times.
      const channel = {
        from,
        messageId: at === 0 ? name : `${name}-${at + 1}`,
        time: new Date(acceptedAtMs + at).toISOString(),
        metadata: { customAttributes },
      };
      const reply = await api.post(path, { channel, ...part });
      outcome = isRepeat(reply.outcome, attempt) ? { kind: "delivered", status: 200 } : reply.outcome;
      if (outcome.kind !== "delivered") return outcome;
      const conversationId = conversationIn(reply.json);
      if (conversationId !== undefined) moved(conversationId);
    }
    return outcome;
  };
  const { messageType, message, mediaLink } = event;
  if (!isMediaType(messageType))
    return post(texts(messageType === "Location" ? placeText(event, context.language) : message), id);
  const outcome = await post(await mediaParts(messageType, mediaLink, message, context), id);
  if (outcome.kind !== "rejected" || !UNFIT.has(statusOf(outcome) ?? 0)) return outcome;
  return post(texts(mediaLinkNote(context.language, messageType, message, mediaLink)), `${id}-link`);
}

const answered = z.object({ conversationId: z.string() });
const conversationIn = (json: unknown): string | undefined => answered.safeParse(json).data?.conversationId;

/** How an error says that there is a message with this id and time. */
const SAYS_REPEAT = /duplicat|already|unique/i;

/**
 * Whether an earlier attempt, of which no answer came, got through after all. How that is said is not published: a conflict
 * counts in an attempt that is not the first, and what says so in words counts in any.
 */
function isRepeat(outcome: Outcome, attempt: number): boolean {
  const status = statusOf(outcome);
  if (outcome.kind === "delivered" || (status !== 400 && status !== 409)) return false;
  const said = "answer" in outcome ? (outcome.answer ?? "") : "";
  return SAYS_REPEAT.test(said) || (status === 409 && attempt > 1);
}

function customerOf(id: string, { customerName }: IncomingEvent): Customer {
  const [, firstName = "", lastName = ""] = /^(\S*)\s*(.*)$/s.exec(customerName.trim()) ?? [];
  const cut = (name: string) => clip(name, MAX_NAME);
  return {
    id,
    idType: "Opaque",
    ...(firstName === "" ? {} : { nickname: cut(customerName.trim()), firstName: cut(firstName) }),
    ...(lastName === "" ? {} : { lastName: cut(lastName) }),
  };
}

const texts = (text: string): Part[] => split(text, MAX_TEXT).map((piece) => ({ text: piece }));

function placeText({ message }: IncomingEvent, language: Language): string {
  const [latitude = "", longitude = ""] = message.split(",");
  return locationText(language, latitude, longitude);
}

/** The file with as much of its caption as fits, then the rest. */
async function mediaParts(kind: MediaType, url: string, caption: string, context: DeskContext): Promise<Part[]> {
  const [text = "", ...rest] = split(caption, MAX_TEXT);
  const attachment = { mediaType: MEDIA_TYPES[kind], url, ...(await fileAt(kind, url, context)) };
  return [{ ...(text === "" ? {} : { text }), content: [{ attachment }] }, ...rest.flatMap(texts)];
}

/** Genesys fetches the file itself, and wants to be told what it is: as its link ends, else as it begins, else as most are. */
async function fileAt(
  kind: MediaType,
  url: string,
  context: DeskContext,
): Promise<{ mime: string; filename?: string }> {
  const filename = nameOf(null, url);
  const named = filename === undefined ? {} : { filename };
  const byName = typeByExtension(extensionOf(filename) ?? "", kind);
  if (byName !== undefined) return { mime: byName, ...named };
  const timeoutMs = Math.ceil(context.timeoutMs * LOOK_SHARE);
  const got = await download({ ...context, url, kind, timeoutMs, mostBytes: MOST_BYTES });
  if ("error" in got) return { mime: USUAL[kind], ...named };
  const { type, name, stream, release } = got.media;
  await stream.cancel();
  release();
  return { mime: type, filename: name };
}
