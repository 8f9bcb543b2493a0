import {
  type Fields,
  type Hostile,
  type Scenario,
  TAKERS,
  closeOf,
  incomingOf,
  outgoingOf,
  written,
} from "./scenario.ts";

const OUTGOING = [
  "ticketNumber",
  "channel",
  "messageType",
  "message",
  "mediaLink",
  "customerName",
  "createdDate",
  "owner",
];
const INCOMING = [...OUTGOING, "accountId", "contactId", "groupId", "language"];
const COMMAND = ["ticketNumber", "channel", "event", "owner"];

/** Where any text may stand, a number and a boolean are taken for theirs: not for one of these. */
const STRICT = new Set(["ticketNumber", "channel", "owner", "messageType", "event"]);
const WRONG_TYPES: [name: string, value: unknown, forStrict?: true][] = [
  ["a number", 7, true],
  ["true", true, true],
  ["an array", ["text"]],
  ["an object", { text: "text" }],
  ["a number that stays a text on its way", JSON.parse('{"x":1e400}')],
];

type Taker = keyof typeof TAKERS;
const EVENTS: [Taker, string[], (scenario: Scenario, fields?: Fields) => Fields][] = [
  ["an Incoming Event", INCOMING, incomingOf],
  ["an Outgoing Event", OUTGOING, outgoingOf],
  ["a desk's Command", COMMAND, closeOf],
  ["the engine's Command", COMMAND, closeOf],
];

const event = (taker: Taker, make: (scenario: Scenario) => Fields, json = ""): Hostile[1] => {
  return (scenario) =>
    TAKERS[taker](scenario, json === "" ? JSON.stringify(make(scenario)) : written(make(scenario), json));
};
const refused = (...paths: string[]): Hostile[2] => ({ status: 422, code: "invalid_event", paths });

const wrongTypes = EVENTS.flatMap(([taker, fields, make]): Hostile[] =>
  fields.flatMap((field) =>
    WRONG_TYPES.filter(([, , forStrict]) => !forStrict || STRICT.has(field)).map(([name, value]): Hostile => [
      `${name} for ${field} of ${taker}`,
      event(taker, (scenario) => make(scenario, { [field]: value })),
      refused(field),
    ]),
  ),
);

/** Of a number that JSON.parse would round: what is kept of it is no id either. */
const longNumbers = EVENTS.flatMap(([taker, fields, make]): Hostile[] =>
  fields
    .filter((field) => STRICT.has(field))
    .map((field): Hostile => [
      `a long number for ${field} of ${taker}`,
      event(taker, (scenario) => make(scenario), `"${field}":12345678901234567890`),
      refused(field),
    ]),
);

const IDS = ["ticketNumber", "owner", "channel"];
const BAD_IDS: [name: string, value: unknown][] = [
  ["an empty text", ""],
  ["129 characters", "9".repeat(129)],
  ["200,000 characters", "9".repeat(200_000)],
  ["a line break", "a\r\nwebhook-id: b"],
  ["a DEL", "a\u007Fb"],
  ["a C1 control", "a\u0085b"],
  ["null", null],
];
/** A desk may leave its owner out, and null says that. */
const mayBeNull = (taker: Taker, field: string): boolean => field === "owner" && /Outgoing|desk/.test(taker);
const badIds = EVENTS.flatMap(([taker, , make]): Hostile[] =>
  IDS.flatMap((field) =>
    BAD_IDS.filter(([, value]) => value !== null || !mayBeNull(taker, field)).map(([name, value]): Hostile => [
      `${name} as ${field} of ${taker}`,
      event(taker, (scenario) => make(scenario, { [field]: value })),
      refused(field),
    ]),
  ),
);

const depth = (levels: number): string => `${"[".repeat(levels)}${"]".repeat(levels)}`;
const many = (count: number): string =>
  Array.from({ length: count }, (_, index) => `"more${String(index)}":${String(index)}`).join(",");

const shapes: Hostile[] = EVENTS.flatMap(([taker, , make]): Hostile[] => [
  [`33 levels in ${taker}`, event(taker, make, `"deep":${depth(33)}`), refused("deep")],
  [`100,000 levels in ${taker}`, event(taker, make, `"deep":${depth(100_000)}`), refused("deep")],
  [
    `100,000 levels and a long number in ${taker}`,
    event(taker, make, `"big":12345678901234567890,"deep":${depth(100_000)}`),
    { status: 400, code: "invalid_json" },
  ],
  [`1,001 fields in ${taker}`, event(taker, make, many(1_001)), refused("")],
  [`1,001 elements in a field of ${taker}`, event(taker, make, `"list":[0${",0".repeat(1_000)}]`), refused("")],
  [`its last ticketNumber bad in ${taker}`, event(taker, make, '"ticketNumber":7'), refused("ticketNumber")],
]);

const types = ["constructor", "__proto__", "toString", "fax", "", " text", "ＴＥＸＴ", "t".repeat(100_000)];
const contents: Hostile[] = [
  ...types.flatMap((type): Hostile[] => [
    [
      `${JSON.stringify(type.slice(0, 20))} for messageType`,
      event("an Incoming Event", (scenario) => incomingOf(scenario, { messageType: type })),
      refused("messageType"),
    ],
    [
      `${JSON.stringify(type.slice(0, 20))} for messageType of a reply`,
      event("an Outgoing Event", (scenario) => outgoingOf(scenario, { messageType: type })),
      refused("messageType"),
    ],
  ]),
  ...[
    "javascript:alert(1)",
    "file:///etc/passwd",
    "data:text/html,x",
    "//media.example/1",
    "ftp://media.example/1",
  ].map((mediaLink): Hostile => [
    `${mediaLink} for mediaLink`,
    event("an Incoming Event", (scenario) => incomingOf(scenario, { messageType: "image", mediaLink })),
    refused("mediaLink"),
  ]),
  ...["91,0", "0,181", "1e2,2", "1,2,3", "", "a,b", "NaN,NaN", `${"1".repeat(400)},1`].map((message): Hostile => [
    `a place at ${JSON.stringify(message.slice(0, 20))}`,
    event("an Incoming Event", (scenario) => incomingOf(scenario, { messageType: "Location", message })),
    refused("message"),
  ]),
  ...["Close ", "Open", "constructor", "", "ＣＬＯＳＥ"].map((name): Hostile => [
    `the command ${JSON.stringify(name)}`,
    event("a desk's Command", (scenario) => closeOf(scenario, { event: name })),
    refused("event"),
  ]),
];

export const FIELDS: Hostile[] = [...wrongTypes, ...longNumbers, ...badIds, ...shapes, ...contents];

/** Odd, and nothing against it: what the far end must then receive. */
export const ACCEPTED: [name: string, request: Hostile[1], received: string][] = [
  [
    "half a surrogate pair in its message",
    event("an Incoming Event", (scenario) => incomingOf(scenario, { message: "a\uD800b" })),
    '"message":"a\uFFFDb"',
  ],
  ["32 levels", event("an Incoming Event", incomingOf, `"deep":${depth(32)}`), `"deep":${depth(32)}`],
  ["900 fields more", event("an Incoming Event", incomingOf, many(900)), '"more899":899'],
  [
    "a field named __proto__",
    event("an Incoming Event", incomingOf, '"__proto__":{"owner":"x","isAdmin":true}'),
    '"__proto__":{"owner":"x","isAdmin":true}',
  ],
  [
    "a field named constructor",
    event("an Incoming Event", incomingOf, '"constructor":{"prototype":{"x":1}}'),
    '"constructor":{"prototype":{"x":1}}',
  ],
  [
    "the same field twice, of which the last counts",
    event("an Incoming Event", incomingOf, '"message":"satu","message":"dua"'),
    '"message":"dua"',
  ],
  ["a number beyond all bounds", event("an Incoming Event", incomingOf, '"n":1e999999'), '"n":1e999999'],
  [
    "a line break and markup in its message",
    event("an Incoming Event", (scenario) => incomingOf(scenario, { message: "<b>\r\nwebhook-id: x</b>" })),
    String.raw`"message":"<b>\r\nwebhook-id: x</b>"`,
  ],
  [
    "a byte order mark before it",
    (scenario) => TAKERS["an Incoming Event"](scenario, `\uFEFF${JSON.stringify(incomingOf(scenario))}`),
    '"message":"Halo"',
  ],
  ...["text/plain", "application/xml", "multipart/form-data; boundary=x", "application/json; charset=utf-16", ""].map(
    (type): [string, Hostile[1], string] => [
      `the content type ${JSON.stringify(type)}`,
      (scenario) => ({
        ...TAKERS["an Incoming Event"](scenario, JSON.stringify(incomingOf(scenario))),
        headers: { "content-type": type },
      }),
      '"message":"Halo"',
    ],
  ),
];
