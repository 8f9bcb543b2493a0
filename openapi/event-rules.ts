import { MESSAGE_TYPES } from "../src/model/event";
import type { Json } from "./components";

/** What `parseEvent` asks beyond the single fields, in the words of JSON Schema. */

/** As they are documented, and in lower case. The relay itself compares without case. */
const spellings = (types: string[]): string[] => [
  ...new Set([...MESSAGE_TYPES].filter(([, type]) => types.includes(type)).flatMap(([lower, type]) => [type, lower])),
];
const ofTypes = (...types: string[]): Json => ({ enum: spellings(types) });

const LATITUDE = "[+-]?(?:90(?:\\.0+)?|[0-8]?[0-9](?:\\.[0-9]+)?)";
const LONGITUDE = "[+-]?(?:180(?:\\.0+)?|(?:1[0-7])?[0-9](?:\\.[0-9]+)?|[1-9][0-9](?:\\.[0-9]+)?)";

const CONTENT: Json[] = [
  {
    title: "A text",
    properties: { messageType: ofTypes("text"), message: { minLength: 1 } },
  },
  {
    title: "Media, such as an image",
    properties: {
      messageType: ofTypes("image", "video", "audio", "file"),
      mediaLink: { format: "uri" },
    },
    required: ["mediaLink"],
  },
  {
    title: "A place",
    properties: { messageType: ofTypes("Location"), message: { pattern: `^${LATITUDE},${LONGITUDE}$` } },
  },
  { title: "A sticker", properties: { messageType: ofTypes("sticker") } },
];

/** A reply without an owner is looked up by its number alone, and then has to say the rest. */
const FOR_WHOM: Json[] = [
  { title: "With the owner", properties: { owner: { type: "string" } }, required: ["owner"] },
  { title: "With the channel", properties: { channel: { type: "string" } }, required: ["channel"] },
];

const COMMAND = { properties: { event: { enum: ["Close", "close", "CLOSE"] } } };

const RULES: Record<string, { properties?: Record<string, Json>; anyOf?: Json[]; allOf?: Json[] }> = {
  IncomingEvent: { anyOf: CONTENT },
  OutgoingEvent: { allOf: [{ anyOf: CONTENT }, { anyOf: FOR_WHOM }] },
  Command: COMMAND,
  EngineCommand: COMMAND,
};

/** The schemas with what holds for several of their fields together. */
export function withRules(schemas: Record<string, Json>): Record<string, Json> {
  const ruled = Object.entries(RULES).map(([name, { properties = {}, ...rule }]): [string, Json] => {
    const schema = { ...schemas[name] };
    const fields = structuredClone(schema["properties"]) as Record<string, Json>;
    for (const [field, more] of Object.entries(properties)) fields[field] = { ...fields[field], ...more };
    return [name, { ...schema, properties: fields, ...rule }];
  });
  return { ...schemas, ...Object.fromEntries(ruled) };
}
