import type { Json } from "./components";

/** What each field means, put beside its schema: a name means the same wherever it stands. */
const FIELDS: Record<string, string> = {
  ticketNumber: "One conversation with one customer. Opaque.",
  channel: "An open set of names, such as `whatsapp`: echoed exactly as it came.",
  accountId: "The customer's account on that channel, such as a phone number.",
  contactId: "Of the customer, for the Contact API.",
  messageType: "`text`, `image`, `video`, `audio`, `file` or `Location`, compared without case.",
  message: "The text; of a Location `latitude,longitude`; may be empty beside media.",
  mediaLink: "The URL of the media; empty for a text.",
  customerName: "First and last name.",
  createdDate: "`yyyy-MM-dd'T'HH:mm:ss.SSS`, of the ticket: it neither orders nor names messages.",
  owner: "The tenant.",
  groupId: "Also taken as `GroupId`.",
  event: "Of a Command `Close`, the only one there is; of a message the event as it is delivered.",
  issues: "One for each field that is wrong. `path` is dotted, and empty for the body as a whole.",
  deskId: "Tenants with one deskId share token and signing secret. By default the owner.",
  ingress: "The one entry of INGRESS_KEYS whose engine may speak for this tenant; left out, any.",
  timeZone: "An IANA name.",
  stickerText: "What a sticker becomes.",
  baseUrl: "https, and a public host, unless there is a `reach`. Paths are appended: no `?` and no `#`.",
  url: "Takes the events: https, and a public host, unless there is a `reach`.",
  reach:
    "A binding of the Worker that the requests to it go through: a VPC service or network, or a client certificate.",
  notifyFailures: "Whether the desk is sent a report of each reply that ended among the dead letters.",
  webhookSecret: "What the desk's own webhooks prove themselves with: 16 characters or more.",
  templates: "`false` keeps the desk's automatic texts from the customer.",
  users: "`contact`: one user for each contact, where multi-conversations are on. Left out, one for each ticket.",
  brandId: "Of an account that keeps its users apart by brand.",
  closedBy: "Says nothing any more. Records of the first version have it.",
  timeoutMs: "Of one attempt, to the last byte of its answer.",
  maxAgeSeconds: "After that a message that could not be delivered is exhausted.",
  whenExhausted: "`advance`: to the dead letters, and on with the next. `hold`: the lane waits and tries on.",
  retentionDays: "After so many a delivered body is deleted, and a closed ticket that long quiet is wiped.",
  lane: "The direction: `toDesk` or `toDolphins`. Order is kept in each.",
  sequence: "1, 2, 3 … in its lane.",
  attempts: "The newest 20.",
  checks: "One for each thing that was looked at.",
  ms: "How long it took, in milliseconds.",
  outcome: "How the attempt ended. Attempts that were recorded before this field was kept do not have it.",
  during: "The attempt failed before the message was sent: the login did not give a token.",
  noAnswer: "Why the far end did not answer, where the relay can tell.",
  detail: "Why the attempt failed, in the relay's own words; left out where `status` alone says so.",
  givenUpAfterSeconds: "On the last attempt of a message that got too old: the `maxAgeSeconds` it had.",
  suspectedDuplicate: "An identical body had come within 10 seconds before. It is delivered all the same.",
  unreadable:
    "Why the event cannot be shown, which is empty then: the key that it was sealed with is gone, or it was changed.",
  oldestWaitingSince: "When the oldest message that waits was accepted.",
  blockedBy: "The id of the message that the lane waits for.",
  late: "Those of `replayed` that arrive after later ones of their lane.",
  reason: "`rejected`: refused for good. `blocked`: the address rules forbid the target. `exhausted`: too old.",
  toldAt: "When the ticket last told of itself.",
  waitingSince: "Since when its oldest message waits, once that is over 5 seconds.",
  next: "Pass it on for the next page. Left out on the last.",
  answer: "The beginning of what the far end answered, without the secrets that it was sent.",
};

/** What JSON Schema knows a name for, and a test of ours or the platform's decides. */
const FORMATS: Record<string, Json> = {
  timeZone: { format: "time-zone" },
  baseUrl: { format: "uri" },
  url: { format: "uri" },
};

/** The document, with a description for each field that has none. */
export function withWords(document: Json): Json {
  visit(document);
  return document;
}

function visit(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  const { properties } = value as { properties?: Record<string, Json> };
  for (const [name, schema] of Object.entries(properties ?? {})) {
    const words = FIELDS[name];
    if (typeof schema !== "object") continue;
    if (words !== undefined) schema["description"] ??= words;
    if (schema["type"] === "string") Object.assign(schema, FORMATS[name]);
  }
  for (const inner of Object.values(value)) visit(inner);
}
