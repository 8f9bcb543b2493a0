import { Ajv2020 } from "ajv/dist/2020.js";
import published from "./schemas.json" with { type: "json" };

/**
 * Holds what goes to Genesys Cloud, and what comes from there, against the typings of its published client. A field that
 * they do not name fails.
 */

type Json = Record<string, unknown>;
type Operation = { method: string; path: string; query: string[]; body?: string; answer: string };
type Named = { properties: Json; required: string[] };

const { operations, webhook, $defs } = published as unknown as {
  operations: Operation[];
  webhook: string;
  $defs: Record<string, Json & Named>;
};

/** The typings say of these that they are texts, and the client's documentation in Java says which. */
const CHOICES: Record<string, Record<string, string[]>> = {
  OpenMessagingFromRecipient: { idType: ["Email", "Phone", "Opaque"] },
  OpenMessagingToRecipient: { idType: ["Email", "Phone", "Opaque"] },
  OpenContentAttachment: { mediaType: ["Image", "Video", "Audio", "File", "Link"] },
  OpenInboundNormalizedReceipt: { status: ["Sent", "Delivered", "Failed", "Published", "Removed"] },
  ConversationReason: {
    code: [
      ..."MessageExpired RateLimited MessageNotAllowed GeneralError UnsupportedMessage UnknownMessage".split(" "),
      ..."InvalidMessageStructure InvalidDestination ServerError MediaTypeNotAllowed".split(" "),
      ..."InvalidMediaContentLength RecipientOptedOut".split(" "),
    ],
  },
};

/** Where the typings lack what the Developer Center's pages have. Each widens one type by these properties. */
const EXCEPTIONS: { type: string; properties: Json; reason: string }[] = [
  {
    type: "ConversationChannelMetadata",
    properties: { customAttributes: { type: "object", additionalProperties: { type: "string" } } },
    reason: "They become participant data.",
  },
  {
    type: webhook,
    properties: { conversationId: { type: "string" } },
    reason: "The examples of outbound messages have it.",
  },
  {
    type: "ConversationMessagingFromRecipient",
    properties: { nickName: { type: "string" } },
    reason: "Both spellings occur in the examples.",
  },
];

/** A PATCH says what is to change, where the typings take the type of a whole conversation. */
const OF_PATCH = { $ref: "#/$defs/Conversation", required: ["state"] };

function defsWith(change: (name: string, schema: Json & Named) => Json): Json {
  return Object.fromEntries(Object.entries($defs).map(([name, schema]) => [name, change(name, schema)]));
}

const defs = defsWith((name, schema) => {
  const choices = Object.entries(CHOICES[name] ?? {}).map(([field, among]) => [field, { enum: among }]);
  const more = EXCEPTIONS.filter(({ type }) => type === name).map(({ properties }) => properties);
  const properties = Object.assign({}, schema.properties, Object.fromEntries(choices), ...more) as Json;
  // What is asked to change is a part of it.
  return name === "Conversation" ? { ...schema, properties, required: [] } : { ...schema, properties };
});

const ajv = new Ajv2020({ strict: false, allErrors: true });
const known = new Map<string, ReturnType<typeof ajv.compile>>();

function problemsOf(schema: Json, value: unknown): string[] {
  const key = JSON.stringify(schema);
  const validate = known.get(key) ?? ajv.compile({ ...schema, $defs: defs });
  known.set(key, validate);
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message, params }) =>
    `${instancePath} ${message ?? ""} ${JSON.stringify(params)}`.trim(),
  );
}

const typed = (name: string): Json => ({ $ref: `#/$defs/${name}` });

const operationAt = (method: string, path: string): Operation | undefined =>
  operations.find(
    (one) => one.method === method && new RegExp(`^${one.path.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(path),
  );

/** Times are said to be `yyyy-MM-ddTHH:mm:ss[.mmm]Z`. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/;

/** What does not fit of a request, its query among it. */
export function problemsOfRequest(method: string, path: string, query: URLSearchParams, json?: unknown): string[] {
  const operation = operationAt(method, path);
  if (!operation) return [`there is no ${method} ${path}`];
  const { body } = operation;
  const unknown = [...query.keys()].filter((key) => !operation.query.includes(key));
  const time = (json as { channel?: { time?: string } } | undefined)?.channel?.time;
  return [
    ...unknown.map((key) => `there is no query ${key}`),
    ...(time === undefined || TIME.test(time) ? [] : [`${time} is no time`]),
    ...(body === undefined
      ? json === undefined
        ? []
        : ["it takes no body"]
      : problemsOf(method === "PATCH" ? OF_PATCH : typed(body), json)),
  ];
}

/** What does not fit of an answer. Any status may have an error for its answer, of which the typings say nothing here. */
export function problemsOfAnswer(method: string, path: string, status: number, json: unknown): string[] {
  const operation = operationAt(method, path);
  if (!operation) return [`there is no ${method} ${path}`];
  return status < 300 ? problemsOf(typed(operation.answer), json) : [];
}

/** What does not fit of a webhook's body. */
export const problemsOfWebhook = (json: unknown): string[] =>
  problemsOf({ ...typed(webhook), required: ["id", "channel", "type", "direction"] }, json);
