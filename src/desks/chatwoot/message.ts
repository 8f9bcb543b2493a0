import * as z from "zod/mini";
import type { MediaType } from "../../egress/file-type";
import { download, formWith } from "../../egress/media";
import { statusOf, type Failure, type Outcome } from "../../egress/outcome";
import type { IncomingEvent } from "../../model/event";
import { isMediaType, locationText, mediaLinkNote } from "../agent-notes";
import type { NoteContext } from "../desk";
import { errorIn, type Api, type Reply } from "./api";

/** Chatwoot takes 40 MB unless it was set otherwise, what stands before it often less. */
const MOST_MEDIA_BYTES = 25 * 1024 * 1024;
/** Of what is left of an attempt: the rest is for saying that the media did not come. */
const MEDIA_SHARE = 0.75;
/** So many attempts wait for media that may yet come; a chat goes on without it then. */
const MEDIA_ATTEMPTS = 2;
/** Until then, half a minute, a refusal may be a fault that passes. */
const REFUSED_ATTEMPTS = 6;

/** Where a message goes, and the id under which a repeat of it is found. */
export type Slot = { api: Api; context: NoteContext; conversationId: number; messageId: string; attempt: number };

/** Says what the customer said. */
export async function postIncoming(slot: Slot, { messageType, message, mediaLink }: IncomingEvent): Promise<Outcome> {
  if (isMediaType(messageType)) return postMedia(slot, messageType, message, mediaLink);
  if (messageType !== "Location") return postText(slot, message);
  const [latitude = "", longitude = ""] = message.split(",");
  return postText(slot, locationText(slot.context.language, latitude, longitude));
}

/** Published as "Create New Message". `source_id` is taken by MessageBuilder#message_params; the swagger file lacks it. */
export const postText = (slot: Slot, content: string, isNote = false): Promise<Outcome> =>
  slot.api
    .post(`/conversations/${slot.conversationId}/messages`, {
      content,
      message_type: isNote ? "outgoing" : "incoming",
      private: isNote,
      content_type: "text",
      content_attributes: {},
      source_id: slot.messageId,
    })
    .then((reply) => judgeRefusal(slot, reply));

/**
 * A 422 is what Chatwoot makes of any error here (MessagesController#create), a database that is away among them, and of one
 * that came after the message was stored. What it says of the message itself is final; a contact that is missing was deleted,
 * and its conversation is about to be.
 */
async function judgeRefusal(slot: Slot, { outcome, json }: Reply): Promise<Outcome> {
  if (outcome.kind !== "rejected" || outcome.status !== 422) return outcome;
  if (/^Validation failed(?!: Contact must exist)|null byte/.test(errorIn(json))) return outcome;
  const stored = await alreadyPosted(slot);
  if (stored) return stored;
  return slot.attempt < REFUSED_ATTEMPTS ? { ...outcome, kind: "retry" } : outcome;
}

/** The file itself, or the link to it where the file is not to be had or not taken. */
async function postMedia(slot: Slot, type: MediaType, caption: string, link: string): Promise<Outcome> {
  const { api, context, attempt } = slot;
  const asLink = () => postText(slot, mediaLinkNote(context.language, type, caption, link));
  const later = (error: string, transient: boolean): Failure | undefined =>
    transient && attempt <= MEDIA_ATTEMPTS ? { kind: "retry", error } : undefined;

  const got = await download({
    ...context,
    url: link,
    kind: type,
    timeoutMs: Math.ceil(api.leftMs() * MEDIA_SHARE),
    mostBytes: MOST_MEDIA_BYTES,
  });
  if ("error" in got) return later(got.error, got.transient) ?? asLink();
  const { media } = got;
  try {
    const fields = {
      ...(caption === "" ? {} : { content: caption }),
      message_type: "incoming",
      private: "false",
      source_id: slot.messageId,
    };
    const form = formWith(fields, "attachments[]", media);
    const reply = await api.upload(`/conversations/${slot.conversationId}/messages`, form);
    const outcome = await judgeRefusal(slot, reply);
    const failure = media.failure();
    if (failure !== undefined && statusOf(outcome) === undefined) return later(failure, true) ?? (await asLink());
    // Too large, or of a kind that is not taken here.
    return [413, 415, 422].includes(statusOf(outcome) ?? 0) && outcome.kind === "rejected" ? await asLink() : outcome;
  } finally {
    media.release();
  }
}

const messages = z.object({ payload: z.array(z.object({ source_id: z.nullish(z.string()) })) });

/**
 * Whether an earlier attempt, of which no answer came, got through after all. Undefined when it did not. Published as "Get
 * Messages", the newest 20.
 */
export async function alreadyPosted({ api, conversationId, messageId }: Slot): Promise<Outcome | undefined> {
  const { outcome, json } = await api.get(`/conversations/${conversationId}/messages`);
  if (outcome.kind !== "delivered") return outcome;
  const isThere = messages.safeParse(json).data?.payload.some(({ source_id }) => source_id === messageId);
  return isThere ? outcome : undefined;
}
