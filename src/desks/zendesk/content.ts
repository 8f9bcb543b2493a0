import * as z from "zod/mini";
import type { Delivery, Language } from "../../egress/delivery";
import { closedNote, failureNote, fromTheRelay } from "../agent-text";
import { clip, split } from "./text";

/** What is posted for a message of the relay: one or more messages of the desk, in this order. */
export type Posted = {
  contents: Content[];
  /** Shown as the author's name. */
  displayName: string;
  /** What a message that no customer wrote is about. */
  note?: "closed" | "failure";
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

const incoming = z.object({
  messageType: z.string(),
  message: z.string(),
  mediaLink: z.string(),
  customerName: z.string(),
});

const failure = z.object({
  reason: z.string(),
  status: z.nullable(z.number()),
  event: z.partial(z.object({ event: z.string(), message: z.string(), mediaLink: z.string() })),
});

export function postedFor({ kind, event }: Delivery, language: Language): Posted {
  const json: unknown = JSON.parse(event);
  if (kind === "incoming") {
    const message = incoming.parse(json);
    return { contents: contentsOf(message), displayName: clip(message.customerName, MAX_NAME) };
  }
  if (kind === "failure") return { ...note(language, failureText(language, json)), note: "failure" };
  return { ...note(language, closedNote(language)), note: "closed" };
}

const note = (language: Language, text: string) => ({
  contents: texts(fromTheRelay(language, text)),
  displayName: RELAY_NAME,
});

function failureText(language: Language, json: unknown): string {
  const { reason, status, event } = failure.parse(json);
  const said = [event.message, event.mediaLink].filter((part) => part !== undefined && part !== "").join("\n");
  return failureNote(language, reason, status ?? undefined, event.event === undefined ? said : undefined);
}

function contentsOf({ messageType, message, mediaLink }: z.infer<typeof incoming>): Content[] {
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
