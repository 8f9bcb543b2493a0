import * as z from "zod/mini";
import { refuse } from "../lib/zod";

/**
 * The three events of 3Dolphins' "Third-Party Integration" page: their fields, their limits and their canonical spelling.
 * Pure: text in, value or problems out.
 */

export type EventKind = "incoming" | "outgoing" | "command";

/** What a lane carries: the events, and the relay's own word to a desk that a reply was not delivered. */
export type MessageKind = EventKind | "failure";

const MAX_ID = 128;
export const MAX_MESSAGE = 8192;
export const MAX_LINK = 2048;
const MAX_FIELD = 1024;
/** Of what the relay does not know: far more than anybody needs, and far from the end of a stack. */
const MAX_DEPTH = 32;
const MAX_FIELDS = 1000;

const CONTROL = /\p{Cc}/u;

const needed = {
  error: (issue: { input?: unknown }) =>
    issue.input === undefined || issue.input === null ? "is required" : "must be a text in double quotes",
};

/** An id that keys storage: what UTF-8 would fold together (lone surrogates) or a log would break on is refused. */
export const id = z.string(needed).check(
  z.minLength(1, "must not be empty"),
  z.maxLength(MAX_ID, `must be at most ${MAX_ID} characters long`),
  z.refine((text) => !CONTROL.test(text), "must not contain control characters"),
  z.refine((text) => text.isWellFormed(), "must be well-formed Unicode, without half of a surrogate pair"),
);

const text = (max: number) =>
  z.string(needed).check(z.maxLength(max, `must be at most ${max.toLocaleString("en")} characters long`));

/** Java senders write null for an empty field: the fields that may be empty take it as that. */
const orEmpty = (max: number) =>
  z.pipe(
    z.nullable(text(max)),
    z.transform((value) => value ?? ""),
  );

const orAbsent = <T extends z.ZodMiniType>(schema: T) =>
  z.pipe(
    z.nullish(schema),
    z.transform((value) => value ?? undefined),
  );

export type MessageType = "text" | "image" | "video" | "audio" | "file" | "Location" | "sticker";

/** Canonical spelling by the name in lower case: only Location is capitalised in the documentation. */
const MESSAGE_TYPES = new Map<string, MessageType>([
  ["text", "text"],
  ["image", "image"],
  ["video", "video"],
  ["audio", "audio"],
  ["file", "file"],
  ["location", "Location"],
  ["sticker", "sticker"],
  ["stiker", "sticker"],
]);

const messageType = z.pipe(
  z.string(needed),
  z.transform(
    (given, context) =>
      MESSAGE_TYPES.get(given.toLowerCase()) ??
      refuse(context, "must be one of text, image, video, audio, file, Location"),
  ),
);

const content = { messageType, message: orEmpty(MAX_MESSAGE), mediaLink: orEmpty(MAX_LINK) };

const incoming = z.object({
  ticketNumber: id,
  channel: id,
  accountId: text(MAX_FIELD),
  contactId: text(MAX_FIELD),
  ...content,
  customerName: text(MAX_FIELD),
  createdDate: text(MAX_FIELD),
  owner: id,
  groupId: z.optional(orEmpty(MAX_FIELD)),
  language: z.optional(orEmpty(MAX_FIELD)),
});

const outgoing = z.object({
  ticketNumber: id,
  channel: id,
  ...content,
  customerName: text(MAX_FIELD),
  createdDate: z.nullish(text(MAX_FIELD)),
  owner: orAbsent(id),
});

const command = z.object({
  ticketNumber: id,
  channel: id,
  owner: orAbsent(id),
  event: z.pipe(
    z.string(needed),
    z.transform((given, context) =>
      given.toLowerCase() === "close" ? "Close" : refuse(context, "must be Close, the only command there is"),
    ),
  ),
});

const ownedCommand = z.extend(command, { owner: id });

/** Which shape is expected: a desk may leave `owner` out, the engine may not. */
export const SCHEMAS = { incoming, outgoing, command, ownedCommand };

/** What the relay does not know of an event rides along untouched. */
type Others = { [other: string]: unknown };

/** The events as they are parsed. Stored ones name their owner, too, and a sticker has become a text. */
export type IncomingEvent = z.infer<typeof incoming> & Others;
export type OutgoingEvent = z.infer<typeof outgoing> & Others;
export type CommandEvent = z.infer<typeof command> & Others;

/** The fields the relay itself reads; all others of the event ride along untouched. */
export type RelayEvent = {
  ticketNumber: string;
  channel: string;
  owner?: string;
  contactId?: string;
  customerName?: string;
  messageType?: string;
  message?: string;
  mediaLink?: string;
  [other: string]: unknown;
};

type Problem = { path: string; message: string };
export type ParsedEvent = { ok: true; event: RelayEvent } | { ok: false; problems: Problem[] };

/** Checks and normalises one event. A failure has one problem for each field that is wrong. */
export function parseEvent(shape: keyof typeof SCHEMAS, json: unknown): ParsedEvent {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    return { ok: false, problems: [{ path: "", message: "must be one JSON object" }] };
  }
  const fields = withDocumentedSpelling(json);
  const result = SCHEMAS[shape].safeParse(fields);
  const problems = new Map<string, string>();
  for (const issue of result.error?.issues ?? []) {
    const path = issue.path.join(".");
    if (!problems.has(path)) problems.set(path, issue.message);
  }
  let count = 0;
  for (const [path, value] of Object.entries(fields)) {
    const inside = countFields(value, MAX_DEPTH);
    if (inside === Number.POSITIVE_INFINITY)
      problems.set(path, `must not be nested more than ${MAX_DEPTH} levels deep`);
    else count += 1 + inside;
  }
  if (count > MAX_FIELDS) problems.set("", `must not have more than ${MAX_FIELDS.toLocaleString("en")} fields`);
  if (shape === "incoming" || shape === "outgoing") {
    const problem = contentProblem(fields);
    if (problem && !problems.has(problem.path)) problems.set(problem.path, problem.message);
  }
  if (!result.success || problems.size > 0) {
    return { ok: false, problems: [...problems].map(([path, message]) => ({ path, message })) };
  }
  return { ok: true, event: { ...fields, ...result.data } as RelayEvent };
}

/** How many fields and elements a value has inside; infinite when it is nested deeper than `levels`. */
function countFields(value: unknown, levels: number): number {
  if (typeof value !== "object" || value === null) return 0;
  if (levels === 0) return Number.POSITIVE_INFINITY;
  return Object.values(value).reduce<number>((sum, inner) => sum + 1 + countFields(inner, levels - 1), 0);
}

/** The Indonesian page writes `GroupId` and `Language`, the English one `groupId` and `language`: the latter go on. */
function withDocumentedSpelling(json: object): Record<string, unknown> {
  const { GroupId, Language, ...fields } = json as Record<string, unknown>;
  if (GroupId !== undefined) fields["groupId"] ??= GroupId;
  if (Language !== undefined) fields["language"] ??= Language;
  return fields;
}

/** What a message of this type needs: a link for media, two numbers for a place, words for text. */
function contentProblem(fields: Record<string, unknown>): Problem | undefined {
  const type =
    typeof fields["messageType"] === "string" ? MESSAGE_TYPES.get(fields["messageType"].toLowerCase()) : undefined;
  const { message, mediaLink } = fields;
  switch (type) {
    case "text":
      if (typeof message === "string" && message !== "") return undefined;
      return message === "" || message === null
        ? { path: "message", message: "must not be empty for a text" }
        : undefined;
    case "Location":
      if (typeof message !== "string" || isPlace(message)) return undefined;
      return { path: "message", message: "must be latitude,longitude for a Location, such as -6.2088,106.8456" };
    case "image":
    case "video":
    case "audio":
    case "file":
      if (mediaLink === undefined || (typeof mediaLink === "string" && isLink(mediaLink))) return undefined;
      if (mediaLink !== null && typeof mediaLink !== "string") return undefined;
      return { path: "mediaLink", message: `must be an http or https URL for a message of type ${type}` };
    default:
      return undefined;
  }
}

/** `latitude,longitude` in degrees, within ±90 and ±180. */
function isPlace(message: string): boolean {
  const match = /^\s*([+-]?\d+(?:\.\d+)?)\s*,\s*([+-]?\d+(?:\.\d+)?)\s*$/.exec(message);
  return match !== null && Math.abs(Number(match[1])) <= 90 && Math.abs(Number(match[2])) <= 180;
}

function isLink(link: string): boolean {
  const url = URL.parse(link);
  return url !== null && (url.protocol === "https:" || url.protocol === "http:");
}

/**
 * A sticker as text. 3Dolphins sends one as the text `Sticker` (`Stiker` on the Indonesian page), or by that type:
 * either becomes a text in the tenant's own word. An agent's words stay as typed.
 */
export function withStickerText(kind: EventKind, event: RelayEvent, stickerText: string): RelayEvent {
  const isWord = kind === "incoming" && event.messageType === "text" && /^(Sticker|Stiker)$/.test(event.message ?? "");
  if (event.messageType !== "sticker" && !isWord) return event;
  return { ...event, messageType: "text", message: stickerText };
}
