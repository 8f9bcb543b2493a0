import { Ajv2020 } from "ajv/dist/2020.js";
import published from "./openapi.json" with { type: "json" };

/**
 * Holds what goes to Sunshine Conversations, and what comes from there, against the published description of its API. A field
 * that it does not name fails, and so does one that only answers have in a request, or the other way about.
 */

type Json = Record<string, unknown>;
type Side = "request" | "answer";
type Parameter = { name: string; in: string; required?: boolean; schema?: Json };
type Operation = {
  parameters: ({ $ref: string } | Parameter)[];
  requestBody?: { content: Record<string, { schema: Json }> };
  responses: Record<string, { content?: Record<string, { schema: Json }> }>;
};

const document = published as unknown as {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Json>; parameters: Record<string, Parameter> };
};
const { schemas } = document.components;

/** Where the description contradicts itself, or a running account. Each widens one schema by these properties. */
const EXCEPTIONS: { schema: string; properties: Json; reason: string }[] = [
  {
    schema: "authorWebhook",
    properties: pick(schemas["author"], ["subtypes", "displayName", "avatarUrl"]),
    reason:
      "The example of conversation:message has the last two; of the first the schema author speaks as of webhooks.",
  },
  {
    schema: "postback",
    properties: { uri: { const: "" } },
    reason: "The examples of messages with a postback in them have an empty uri.",
  },
  {
    schema: "listMessage",
    properties: pick(schemas["carouselMessage"], ["text"]),
    reason: "The example of a list that was posted has a text of the desk's own, as a carousel's schema has.",
  },
  {
    schema: "integration",
    properties: pick((schemas["custom"]?.["allOf"] as Json[] | undefined)?.[1], ["webhooks"]),
    reason: "Its discriminator says that one of type custom is of the schema custom, which has webhooks.",
  },
  {
    schema: "messageWebhook",
    properties: pick(schemas["message"], ["activity"]),
    reason: "The schema message has it, and webhooks are about messages.",
  },
];

function pick(schema: Json | undefined, names: string[]): Json {
  const properties = (schema?.["properties"] ?? {}) as Json;
  return Object.fromEntries(names.map((name) => [name, properties[name]]));
}

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const nameIn = (ref: unknown): string => String(ref).split("/").at(-1) ?? "";
const COMBINED = ["allOf", "oneOf", "anyOf"] as const;

/** Whether anything says which properties there are: what says nothing takes everything. */
function namesProperties(schema: Json): boolean {
  if ("$ref" in schema) return namesProperties(schemas[nameIn(schema["$ref"])] ?? {});
  return "properties" in schema || COMBINED.some((key) => (schema[key] as Json[] | undefined)?.some(namesProperties));
}

/** A schema in a place of its own, where no other schema adds properties to it. */
const closed = (schema: Json, side: Side): Json =>
  namesProperties(schema) ? { ...convert(schema, side), unevaluatedProperties: false } : convert(schema, side);

/** OpenAPI 3.0 as JSON Schema 2020-12, as it holds for one side. */
function convert(schema: Json, side: Side): Json {
  const { nullable, discriminator, properties, items, readOnly: _read, writeOnly: _write, ...rest } = schema;
  const converted: Json = { ...rest };
  for (const key of COMBINED) {
    const all = rest[key] as Json[] | undefined;
    if (all) converted[key] = all.map((one) => told(convert(one, side), discriminator));
  }
  if (isObject(properties)) {
    const kept = Object.entries(properties as Record<string, Json>).filter(([, one]) => isFor(one, side));
    converted["properties"] = Object.fromEntries(kept.map(([name, one]) => [name, closed(one, side)]));
  }
  if (isObject(items)) converted["items"] = closed(items, side);
  return nullable === true ? { anyOf: [{ type: "null" }, converted] } : converted;
}

/** One of several, told from the others by its `type`: in the schemas themselves that is any text. */
function told(one: Json, discriminator: unknown): Json {
  if (!isObject(discriminator) || !("$ref" in one)) return one;
  const { propertyName, mapping = {} } = discriminator as { propertyName: string; mapping?: Json };
  const [value] = Object.entries(mapping).find(([, ref]) => ref === one["$ref"]) ?? [nameIn(one["$ref"])];
  return { ...one, properties: { [propertyName]: { const: value } }, required: [propertyName] };
}

function isFor(schema: Json, side: Side): boolean {
  const { readOnly, writeOnly } = "$ref" in schema ? (schemas[nameIn(schema["$ref"])] ?? {}) : schema;
  return side === "request" ? readOnly !== true : writeOnly !== true;
}

function validator(side: Side): (schema: Json, value: unknown) => string[] {
  const uri = (text: string) => URL.canParse(text);
  const ajv = new Ajv2020({ strict: false, allErrors: true, formats: { uri, email: /^\S+@\S+$/ } });
  const widened = Object.entries(schemas).map(([name, schema]): [string, Json] => {
    const more = EXCEPTIONS.filter((exception) => exception.schema === name).map((exception) => exception.properties);
    const properties = Object.assign({}, schema["properties"], ...more) as Json;
    return [name, convert(more.length === 0 ? schema : { ...schema, properties }, side)];
  });
  ajv.addSchema({ $id: "sunshine", components: { schemas: Object.fromEntries(widened) } });
  const known = new Map<string, ReturnType<typeof ajv.compile>>();
  return (schema, value) => {
    const text = JSON.stringify(closed(schema, side)).replaceAll('"#/', '"sunshine#/');
    const validate = known.get(text) ?? ajv.compile(JSON.parse(text) as Json);
    known.set(text, validate);
    if (validate(value)) return [];
    return (validate.errors ?? []).map(({ instancePath, message, params }) =>
      `${instancePath} ${message ?? ""} ${JSON.stringify(params)}`.trim(),
    );
  };
}
const inRequest = validator("request");
const inAnswer = validator("answer");

const JSON_TYPE = "application/json";

function operationAt(method: string, path: string): Operation | undefined {
  const template = Object.keys(document.paths).find((one) =>
    new RegExp(`^${one.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(path),
  );
  return document.paths[template ?? ""]?.[method.toLowerCase()];
}

/** What does not fit of a request to a path from /v2 on, its query among it. */
export function problemsOfRequest(method: string, path: string, query: URLSearchParams, json?: unknown): string[] {
  const operation = operationAt(method, path);
  if (!operation) return [`there is no ${method} ${path}`];
  const schema = operation.requestBody?.content[JSON_TYPE]?.schema;
  const body = schema ? inRequest(schema, json) : json === undefined ? [] : ["it takes no body"];
  return [...body, ...problemsOfQuery(operation, query)];
}

/** A parameter that is an object stands as `name[field]`. */
function problemsOfQuery({ parameters }: Operation, query: URLSearchParams): string[] {
  const known = parameters
    .map((one) => ("$ref" in one ? document.components.parameters[nameIn(one.$ref)] : one))
    .filter((one) => one?.in === "query");
  const given: Json = {};
  for (const [key, value] of query) {
    const [, name = key, field] = /^(\w+)\[([\w.]+)\]$/.exec(key) ?? [];
    const one = field === "size" ? Number(value) : value;
    given[name] = field === undefined ? one : { ...(given[name] as Json | undefined), [field]: one };
  }
  const properties = Object.fromEntries(known.map((one) => [one?.name ?? "", one?.schema ?? {}]));
  const required = known.filter((one) => one?.required).map((one) => one?.name);
  return inRequest({ type: "object", properties, required }, given).map((problem) => `query ${problem}`);
}

/** What does not fit of an answer. Any status may have an error for its answer. */
export function problemsOfAnswer(method: string, path: string, status: number, json: unknown): string[] {
  const schema = operationAt(method, path)?.responses[String(status)]?.content?.[JSON_TYPE]?.schema;
  if (!schema && status < 400) return [`${method} ${path} is never answered ${status}`];
  return inAnswer(schema ?? { $ref: "#/components/schemas/errorResponse" }, json);
}

const EVENTS: Record<string, string> = {
  "conversation:message": "conversationMessageEvent",
  "conversation:read": "conversationReadEvent",
  "conversation:typing": "conversationTypingEvent",
  "switchboard:passControl": "switchboardPassControl",
  "switchboard:releaseControl": "switchboardReleaseControl",
  "user:merge": "userMergeEvent",
};

/** What does not fit of a webhook's body. */
export function problemsOfWebhook(json: unknown): string[] {
  const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
  const properties = {
    app: ref("appSubSchema"),
    webhook: ref("webhookSubSchema"),
    events: { type: "array", items: {} },
  };
  const events = isObject(json) && Array.isArray(json["events"]) ? (json["events"] as unknown[]) : [];
  return [
    ...inAnswer({ type: "object", properties, required: ["app", "webhook", "events"] }, json),
    ...events.flatMap((event, at) => {
      const name = EVENTS[String(isObject(event) ? event["type"] : undefined)];
      if (name === undefined) return [`events/${at} is of no known type`];
      const required = { required: ["id", "type", "createdAt", "payload"] };
      return inAnswer({ allOf: [ref(name), required] }, event).map((problem) => `events/${at}${problem}`);
    }),
  ];
}
