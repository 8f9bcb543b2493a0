import { deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { incomingEvent } from "../support/events.ts";
import { type Reply, issuePaths, refusal } from "../support/http.ts";
import { sendRaw } from "../support/raw.ts";
import { type Tenant, newTicketNumber } from "../support/tenant.ts";
import { type World, startWorld } from "../support/world.ts";

/** FC_SEED repeats a run that failed: its seed is printed with the failure. */
const seed = process.env["FC_SEED"];
const RUN = seed === undefined ? {} : { seed: Number(seed) };

let world: World;
let tenant: Tenant;
beforeAll(async () => {
  world = await startWorld();
  tenant = await world.tenant();
});
afterAll(() => world.stop());

const LIMITS: Record<string, number> = {
  ticketNumber: 128,
  owner: 128,
  channel: 128,
  message: 65_536,
  mediaLink: 8_192,
};
const TYPES = ["text", "image", "video", "audio", "file", "Location"];

/** A text as the door leaves it. */
const clean = (text: string): string =>
  Array.from(text)
    .filter((character) => /[\t\n\r]/.test(character) || character >= " ")
    .join("")
    .toWellFormed();
/** Halves of pairs, controls and whole characters. */
const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc
    .array(fc.constantFrom("\u0000", "\u001f", "\ud83d", "\ude00", "👍", "é", "\n", "a", "”"), { maxLength: 12 })
    .map((all) => all.join("")),
);
const place = fc
  .tuple(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.double({ min: -200, max: 200, noNaN: true }))
  .map((both) => both.map((one) => one.toExponential().replace("e", "E")).join(","));
const link = fc
  .tuple(fc.constantFrom("https://m.example/", " HTTP://b\u00fccher.example", "ftp://x/", ""), anyText)
  .map((parts) => parts.join(""));
const json = (value: unknown): string => JSON.stringify(value);
const anyJson = fc.oneof(
  anyText.map(json),
  fc.constantFrom("null", "true", "7", "1.50", "-0", "1e400", "12345678901234567890", "[]", '{"a":null}'),
  fc.json({ maxDepth: 3 }),
);
const fields = fc.record(
  {
    message: fc.oneof({ weight: 3, arbitrary: anyText.map(json) }, place.map(json), anyJson),
    mediaLink: fc.oneof(link.map(json), anyJson),
    messageType: fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...TYPES, "LOCATION").map(json) }, anyJson),
    customerName: anyJson,
    accountId: anyJson,
    createdDate: anyJson,
    groupId: anyJson,
    channel: fc.oneof({ weight: 5, arbitrary: fc.constant('"whatsapp"') }, anyJson),
    more: anyJson,
  },
  { requiredKeys: [] },
);

/** JSON whose characters beyond Latin-1 are escaped: what is left says the same in every encoding. */
const escaped = (body: string): string =>
  // oxlint-disable-next-line no-control-regex
  body.replace(/[^\u0000-\u007f\u00a0-\u00ff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
const ENCODINGS: Record<string, (body: string) => Uint8Array> = {
  "UTF-8": (body) => Buffer.from(body),
  "UTF-8 with a mark": (body) => Buffer.from(`\uFEFF${body}`),
  "UTF-16LE": (body) => Buffer.from(`\uFEFF${body}`, "utf16le"),
  "UTF-16BE": (body) => Buffer.from(body, "utf16le").swap16(),
  "Latin-1": (body) => Buffer.from(body, "latin1"),
};
const CODINGS: Record<string, (bytes: Uint8Array) => Uint8Array> = {
  identity: (bytes) => bytes,
  gzip: gzipSync,
  "X-GZIP": gzipSync,
  deflate: deflateSync,
  Deflate: deflateRawSync,
};

/** What no store could hold of a delivered event, or what is not what was sent. */
function faultsOf(body: string, message: unknown): string[] {
  const event = JSON.parse(body) as Record<string, unknown>;
  const { more: _, ...texts } = event;
  const url = URL.parse(String(event["mediaLink"]));
  const isPlace = event["messageType"] === "Location";
  const checks: Record<string, boolean> = {
    "is well-formed": body.isWellFormed() && !/\\ud[89a-f]/i.test(body),
    "has no controls": !/\\u00(?:0[0-8bcef]|1)/i.test(body),
    "has texts alone": Object.values(texts).every((text) => typeof text === "string"),
    "is within the limits": Object.entries(texts).every(
      ([name, text]) => String(text).length <= (LIMITS[name] ?? 1_024),
    ),
    "is of a known type": TYPES.includes(String(event["messageType"])),
    "keeps its words": isPlace || typeof message !== "string" || event["message"] === clean(message),
    "has plain decimals": !isPlace || !/e|^-0,|,-0$/i.test(String(event["message"])),
    "has its link as it is written": !url?.protocol.startsWith("http") || url.href === event["mediaLink"],
  };
  return Object.keys(checks).filter((check) => !checks[check]);
}

/** Fields that a refusal names though nothing can be wrong with them. */
function strangersIn(reply: Reply, given: string[]): string[] {
  const named = issuePaths(refusal(reply, 422, "invalid_event"));
  const strangers = named.filter((path) => ![...given, "message", "mediaLink"].includes(path));
  return named.length > 0 ? strangers : ["names no field"];
}

async function receivedOf(number: string): Promise<string> {
  const all = await tenant.desk.until((some) => some.some(({ body }) => body.includes(number)), "the event");
  return all.find(({ body }) => body.includes(number))?.body ?? "";
}

test("whatever JSON comes, however it is written, is delivered as any store can hold it, or is refused by its fields", async () => {
  const request = fc.record({
    fields,
    encoding: fc.constantFrom(...Object.keys(ENCODINGS)),
    coding: fc.constantFrom(...Object.keys(CODINGS)),
    type: fc.constantFrom(
      "application/json",
      "text/plain; charset=ISO-8859-1",
      'a/b; charset="utf-8"',
      "x; charset=klingon",
      "",
    ),
  });
  await fc.assert(
    fc.asyncProperty(request, async ({ fields: given, encoding, coding, type }) => {
      const number = newTicketNumber();
      const sample = Object.entries(incomingEvent(tenant.owner, number)).map(([name, value]) => [name, json(value)]);
      const all = Object.entries({ ...Object.fromEntries(sample), ...given } as Record<string, string>);
      const sent = escaped(`{${all.map(([name, value]) => `"${name}":${value}`).join(",")}}`);
      const bytes = ENCODINGS[encoding]?.(sent) ?? Buffer.from(sent);
      const reply = await sendRaw(world.relay().url, {
        path: `/v1/dolphins/${world.ingressKey}/incoming`,
        headers: { "content-type": type, "content-encoding": coding },
        body: CODINGS[coding]?.(bytes) ?? bytes,
      });
      const message = JSON.parse(all.find(([name]) => name === "message")?.[1] ?? '""') as unknown;
      const faults =
        reply.status === 200 ? faultsOf(await receivedOf(number), message) : strangersIn(reply, Object.keys(given));
      expect(faults).toEqual([]);
    }),
    { ...RUN, numRuns: 400 },
  );
  const events = world.relay().logs.map((line) => JSON.parse(line) as { event: string; status?: number });
  expect(events.filter(({ event, status = 0 }) => /failed/.test(event) || status >= 500)).toEqual([]);
}, 120_000);

const header = fc.tuple(
  fc.constantFrom("content-encoding", "content-type", "content-language", "transfer-encoding-x", "content-md5"),
  fc.oneof(
    fc.constantFrom("gzip", "br", "deflate, gzip", "gzip;q=1", "application/json; charset=utf-16", "x; charset=;", ","),
    fc.stringMatching(/^[\x20-\x7e]{0,60}$/),
  ),
);
const start = JSON.stringify(incomingEvent("o", "t", { message: "Café 👍" }));
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc
    .tuple(fc.constantFrom(...Object.values(ENCODINGS)), fc.constantFrom(...Object.values(CODINGS)), fc.nat(), fc.nat())
    .map(([write, pack, from, to]) => {
      const whole = pack(write(start));
      return whole.subarray(from % 8, to % (whole.length + 1));
    }),
);

test("whatever bytes come, with whatever headers, get a documented answer and open no ticket", async () => {
  await fc.assert(
    fc.asyncProperty(bytes, fc.array(header, { maxLength: 3 }), async (body, headers) => {
      const path = `/v1/dolphins/${world.ingressKey}/incoming`;
      const reply = await sendRaw(world.relay().url, { path, headers: Object.fromEntries(headers), body });
      const { code } = (reply.body as { error: { code: string } }).error;
      expect(["400 invalid_json", "404 unknown_owner", "415 unsupported_encoding", "422 invalid_event"]).toContain(
        `${reply.status} ${code}`,
      );
    }),
    { ...RUN, numRuns: 400 },
  );
}, 120_000);
