import * as z from "zod/mini";
import { isKeptNumber } from "../lib/json";
import { refuse } from "../lib/zod";
import { cleanTexts, readLink, readPlace, repairFields } from "./repair";

/**
 * The three events of 3Dolphins' "Third-Party Integration" page: their fields, their limits and their canonical spelling.
 * Pure: text in, value or problems out.
 */

export type EventKind = "incoming" | "outgoing" | "command";

/** What a lane carries: the events, and the relay's own word to a desk that a reply was not delivered. */
export type MessageKind = EventKind | "failure";

const MAX_ID = 128;
/** An e-mail is a message too. */
export const MAX_MESSAGE = 65_536;
/** Presigned links are long. */
export const MAX_LINK = 8192;
const MAX_FIELD = 1024;
/** Whether an event can hold it as its link. */
export const isLink = (link: string): boolean => (readLink(link)?.href.length ?? Number.POSITIVE_INFINITY) <= MAX_LINK;
/** Of what the relay does not know: far more than anybody needs, and far from the end of a stack. */
const MAX_DEPTH = 32;
const MAX_FIELDS = 1000;

/** As a class of its own, and not `\p{Cc}`: it stands in the API's description, for whatever language reads that. */
// oxlint-disable-next-line no-control-regex
const NO_CONTROLS = /^[^\u0000-\u001f\u007f-\u009f]*$/;

const needed = {
  error: (issue: { input?: unknown }) =>
    issue.input === undefined || issue.input === null ? "is required" : "must be a text in double quotes",
};

/** Counted in UTF-16 units, as Java does. zod counts whole characters, and so does JSON Schema, for which `maxLength` stands. */
const atMost = (max: number) => {
  const message = `must be at most ${max.toLocaleString("en")} characters long`;
  return [z.maxLength(max, message), z.refine<string>((given) => given.length <= max, message)] as const;
};

/** An id that keys storage: what UTF-8 would fold together (lone surrogates) or a log would break on is refused. */
export const id = z.string(needed).check(
  z.minLength(1, "must not be empty"),
  ...atMost(MAX_ID),
  z.regex(NO_CONTROLS, "must not contain control characters"),
  z.refine((text) => text.isWellFormed(), "must be well-formed Unicode, without half of a surrogate pair"),
);

const text = (max: number) => z.string(needed).check(...atMost(max));

const orAbsent = <T extends z.ZodMiniType>(schema: T) =>
  z.pipe(
    z.nullish(schema),
    z.transform((value) => value ?? undefined),
  );

export type MessageType = "text" | "image" | "video" | "audio" | "file" | "Location" | "sticker";

/** Canonical spelling by the name in lower case: only Location is capitalised in the documentation. */
export const MESSAGE_TYPES = new Map<string, MessageType>([
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

const content = { messageType, message: text(MAX_MESSAGE), mediaLink: text(MAX_LINK) };

const incoming = z.object({
  ticketNumber: id,
  channel: id,
  accountId: text(MAX_FIELD),
  contactId: text(MAX_FIELD),
  ...content,
  customerName: text(MAX_FIELD),
  createdDate: text(MAX_FIELD),
  owner: id,
  groupId: z.optional(text(MAX_FIELD)),
  language: z.optional(text(MAX_FIELD)),
});

/** Of what a reply leaves out, the ticket knows the channel and the customer's name. */
const outgoing = z.object({
  ticketNumber: id,
  channel: z.optional(id),
  ...content,
  mediaLink: z._default(content.mediaLink, ""),
  customerName: z.optional(text(MAX_FIELD)),
  createdDate: z.optional(text(MAX_FIELD)),
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
  channel?: string;
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

/** Repairs, checks and normalises one event. A failure has one problem for each field that is wrong. */
export function parseEvent(shape: keyof typeof SCHEMAS, json: unknown): ParsedEvent {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    return { ok: false, problems: [{ path: "", message: "must be one JSON object" }] };
  }
  const fields = repairFields(withDocumentedSpelling(cleanTexts(json, MAX_DEPTH + 1) as object));
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
  for (const problem of [contentProblem(shape, fields), channelProblem(shape, fields)]) {
    if (problem && !problems.has(problem.path)) problems.set(problem.path, problem.message);
  }
  if (!result.success || problems.size > 0) {
    return { ok: false, problems: [...problems].map(([path, message]) => ({ path, message })) };
  }
  return { ok: true, event: { ...fields, ...result.data } as RelayEvent };
}

/** How many fields and elements a value has inside; infinite when it is nested deeper than `levels`. */
function countFields(value: unknown, levels: number): number {
  if (typeof value !== "object" || value === null || isKeptNumber(value)) return 0;
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
function contentProblem(shape: keyof typeof SCHEMAS, fields: Record<string, unknown>): Problem | undefined {
  if (shape !== "incoming" && shape !== "outgoing") return undefined;
  const { messageType: given, message, mediaLink } = fields;
  const type = typeof given === "string" ? MESSAGE_TYPES.get(given.toLowerCase()) : undefined;
  switch (type) {
    case "text":
      return message === "" ? { path: "message", message: "must not be empty for a text" } : undefined;
    case "Location":
      if (typeof message !== "string" || readPlace(message) !== undefined) return undefined;
      return { path: "message", message: "must be latitude,longitude for a Location, such as -6.2088,106.8456" };
    case "image":
    case "video":
    case "audio":
    case "file":
      if (mediaLink === undefined) return { path: "mediaLink", message: "is required" };
      if (typeof mediaLink !== "string" || readLink(mediaLink)) return undefined;
      return { path: "mediaLink", message: `must be an http or https URL for a message of type ${type}` };
    default:
      return undefined;
  }
}

/** Which ticket a reply is for is looked up by its number alone where it gives no owner: then it has to say the rest. */
const channelProblem = (shape: keyof typeof SCHEMAS, { channel, owner }: Record<string, unknown>) =>
  shape === "outgoing" && channel === undefined && (owner === undefined || owner === null)
    ? { path: "channel", message: "is required" }
    : undefined;

/**
 * A sticker as text. 3Dolphins sends one as the text `Sticker` (`Stiker` on the Indonesian page), or by that type:
 * either becomes a text in the tenant's own word. An agent's words stay as typed.
 */
export function withStickerText(kind: EventKind, event: RelayEvent, stickerText: string): RelayEvent {
  const isWord = kind === "incoming" && event.messageType === "text" && /^(Sticker|Stiker)$/.test(event.message ?? "");
  if (event.messageType !== "sticker" && !isWord) return event;
  return { ...event, messageType: "text", message: stickerText };
}
