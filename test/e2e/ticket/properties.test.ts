import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { incomingEvent, outgoingEvent } from "../support/events.ts";
import { type Scenario, incomingOf, startScenario } from "../http/hostile/scenario.ts";
import { accepted, refusal } from "../support/http.ts";
import { type Raw, sendRaw } from "../support/raw.ts";
import { bearer, newTicketNumber, openTicket } from "../support/tenant.ts";

/** FC_SEED repeats a run that failed: its seed is printed with the failure. */
const seed = process.env["FC_SEED"];
const RUN = seed === undefined ? {} : { seed: Number(seed) };

let scenario: Scenario;
beforeAll(async () => {
  scenario = await startScenario();
});
afterAll(() => scenario.world.stop());

/** The documented codes by their status. */
const CODES: Record<number, string[]> = {
  400: ["invalid_json"],
  401: ["unauthorized"],
  403: ["wrong_owner"],
  404: ["unknown_ticket", "unknown_owner", "not_found"],
  405: ["method_not_allowed"],
  409: ["ticket_closed", "ambiguous_ticket"],
  413: ["too_large"],
  415: ["unsupported_encoding"],
  422: ["invalid_event", "invalid_tenant", "invalid_request", "idempotency_mismatch"],
  502: ["engine_failed"],
  504: ["engine_timeout"],
};

const segment = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("OWNER", "NUMBER", "native", "x", "o".repeat(600)) },
  {
    weight: 2,
    arbitrary: fc
      .string({ unit: "binary", minLength: 1, maxLength: 600 })
      .map((text) => encodeURIComponent(text.toWellFormed())),
  },
  { weight: 1, arbitrary: fc.stringMatching(/^[%0-9a-fA-F./;=@:-]{1,40}$/) },
);
const key = fc.oneof({ weight: 3, arbitrary: fc.constant("KEY") }, { weight: 1, arbitrary: segment });
const route = fc.oneof(
  fc
    .tuple(key, fc.constantFrom("incoming", "command", "sendMessage", "incomingMessage"))
    .map(([one, name]) => `/v1/dolphins/${one}/${name}`),
  fc.constantFrom("/v1/outgoing", "/v1/command", "/healthz", "/admin/tenants"),
  fc.tuple(segment, segment).map(([type, owner]) => `/v1/desks/${type}/${owner}`),
  fc.tuple(segment, segment).map(([number, owner]) => `/v1/tickets/${number}?owner=${owner}`),
  segment.map((number) => `/v1/tickets/${number}/history`),
  fc.tuple(segment, segment).map(([id, number]) => `/v1/contacts/${id}?ticketNumber=${number}`),
  // The tenants themselves are left alone: these owners are of nobody.
  fc
    .tuple(segment, fc.constantFrom("", "/credentials", "/credentials/rotate"))
    .map(([owner, rest]) => `/admin/tenants/not-${owner}${rest}`),
  fc
    .tuple(segment, segment, fc.constantFrom("", "/replay"))
    .map(([owner, number, rest]) => `/admin/tickets/${owner}/${number}${rest}`),
  fc.array(segment, { maxLength: 6 }).map((segments) => `/${segments.join("/")}`),
);
const query = fc.oneof(
  { weight: 3, arbitrary: fc.constant("") },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom("lane", "before", "next", "limit", "from"), segment)
      .map(([name, value]) => `${name}=${value}`),
  },
);
const body = fc.oneof(
  fc.uint8Array({ maxLength: 400 }),
  fc.json({ maxDepth: 6 }).map((text) => Buffer.from(text)),
  fc.record({ all: fc.constant(true) }).map((value) => Buffer.from(JSON.stringify(value))),
  fc.constantFrom("[", '{"a":', '"\\ud800', "1e").map((text) => Buffer.from(text.repeat(20_000))),
);
const headerValue = fc.stringMatching(/^[\x20-\x7e\x80-\xff]{0,300}$/);
const header = fc.tuple(
  fc.constantFrom(
    "idempotency-key",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "prefer",
    "content-type",
    "accept",
    "content-encoding",
    "x-forwarded-for",
  ),
  headerValue,
);
const credential = fc.oneof(
  fc.constantFrom("none", "operator", "desk", "desk", "wrong"),
  headerValue,
  fc
    .oneof(fc.string({ unit: "binary", minLength: 1, maxLength: 200 }), fc.constant("d".repeat(600)))
    .map((desk) => `Bearer desk_${Buffer.from(desk).toString("base64url")}.AAAA`),
);
const METHODS = ["GET", "POST", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"];

/** What is wrong with an answer: it has the shape that docs/protocol.md gives it, and no code of a fault. */
function fault(
  { method }: Raw,
  { status, headers, text, body: answered }: Awaited<ReturnType<typeof sendRaw>>,
): string | undefined {
  if (!headers.has("x-request-id")) return `no answer of the relay itself: ${status} ${text}`;
  if (status !== 200 && CODES[status] === undefined) return `${status} ${text}`;
  if (method === "HEAD") return undefined;
  if (!headers.get("content-type")?.startsWith("application/json")) return "no JSON";
  if (status === 200) return text.startsWith('{"status":"success"') ? undefined : text;
  const { code = "" } = (answered as { error?: { code?: string } } | undefined)?.error ?? {};
  refusal({ status, headers, text, body: answered }, status, code);
  return CODES[status]?.includes(code) ? undefined : `${status} ${text}`;
}

test("any bytes sent to any route, with any credential, get a documented answer and never a 500", async () => {
  const { world, tenant } = scenario;
  const tokens: Record<string, string> = {
    operator: `Bearer ${world.settings.ADMIN_TOKEN}`,
    desk: `Bearer ${tenant.token}`,
    wrong: `Bearer ${tenant.token}x`,
  };
  const request = fc.record({
    method: fc.constantFrom(...METHODS),
    route,
    query,
    credential,
    headers: fc.array(header, { maxLength: 3 }),
    body: fc.option(body),
  });
  await fc.assert(
    fc.asyncProperty(request, async ({ method, route: path, query: more, credential: who, headers, body: bytes }) => {
      const to = path
        .replace("KEY", world.ingressKey)
        .replaceAll("OWNER", tenant.owner)
        .replaceAll("NUMBER", scenario.number);
      const authorization = who === "none" ? undefined : (tokens[who] ?? who);
      const raw: Raw = {
        method,
        path: more === "" ? to : `${to}${to.includes("?") ? "&" : "?"}${more}`,
        headers: { ...Object.fromEntries(headers), ...(authorization === undefined ? {} : { authorization }) },
        ...(bytes === null || method === "HEAD" || method === "GET" ? {} : { body: bytes }),
      };
      expect(fault(raw, await sendRaw(world.relay().url, raw))).toBeUndefined();
    }),
    { ...RUN, numRuns: 600 },
  );
  const events = world.relay().logs.map((line) => (JSON.parse(line) as { event: string }).event);
  expect(events.filter((event) => /failed|internal/.test(event))).toEqual([]);
});

/** A text as any store can hold it: what the door makes of every text. */
const storable = (text: string): string =>
  // oxlint-disable-next-line no-control-regex
  text.replace(/[\0-\u0008\v\f\u000e-\u001f]/g, "").toWellFormed();

const name = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }).map(storable),
  fc.constantFrom(
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "toJSON",
    "rawJSON",
    "hasOwnProperty",
    "0",
    "10",
    "then",
  ),
);
type Field = [name: string, json: string];
const fieldsOf = (names: fc.Arbitrary<string>, value: fc.Arbitrary<string>): fc.Arbitrary<Field[]> =>
  fc.uniqueArray(fc.tuple(names, value), { maxLength: 6, selector: ([field]) => field });
const written = (fields: Field[]): string =>
  fields.map(([field, value]) => `${JSON.stringify(field)}:${value}`).join(",");

/** A field's value as JSON text: numbers, escapes and names as no JSON.stringify would write them. */
const json: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom("null", "true", "false", '""', "{}", "[]", "0"),
    fc.string({ unit: "binary", maxLength: 30 }).map((text) => JSON.stringify(text)),
    fc.stringMatching(/^(\\u[0-9a-f]{4}){1,4}$/).map((escapes) => `"${escapes}"`),
    fc.integer().map(String),
    fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }).map(String),
    fc.stringMatching(/^-?[1-9][0-9]{0,20}\.[0-9]{1,25}$/),
    fc.stringMatching(/^[1-9](\.[0-9]{1,20})?[eE][+-]?[0-9]{1,3}$/),
    fc.array(tie("value"), { maxLength: 4 }).map((values) => `[${values.join(",")}]`),
    fieldsOf(name, tie("value")).map((fields) => `{${written(fields)}}`),
  ),
})).value;
const KNOWN = new Set([...Object.keys(incomingEvent("o", "t")), "GroupId", "Language", "event"]);

/**
 * A JSON text as a value to compare by: numbers as exact decimals, whatever they are written as, and objects as sorted pairs, so
 * that no name in them means anything.
 */
function exact(text: string): unknown {
  type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown;
  const revive: Reviver = (_key, value, { source }) => {
    if (typeof value === "number") return `number ${decimal(source ?? String(value))}`;
    if (typeof value === "string") return `text ${storable(value)}`;
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return { pairs: Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)) };
  };
  return JSON.parse(text, revive as Parameters<typeof JSON.parse>[1]);
}

/** The sign, the digits without zeros at either end, and the power of ten of the last of them. */
function decimal(source: string): string {
  const [mantissa = "", exponent = "0"] = source.toLowerCase().replace(/^[+-]/, "").split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  const kept = digits.replace(/0+$/, "");
  if (kept === "") return "0";
  const power = Number(exponent) - fraction.length + (digits.length - kept.length);
  return `${source.startsWith("-") ? "-" : ""}${kept}e${power}`;
}

test("whatever is accepted arrives with the same ids, and every field that the relay does not know as it came", async () => {
  const { tenant, world } = scenario;
  const number = await openTicket(tenant);
  await tenant.desk.until((all) => all.some(({ body: got }) => got.includes(number)), "the opening");
  const unknown = name.filter((one) => !KNOWN.has(one));
  const text = fc.string({ unit: "binary", maxLength: 60 }).filter((one) => storable(one) !== "");
  await fc.assert(
    fc.asyncProperty(fieldsOf(unknown, json), text, fc.boolean(), async (fields, message, toDesk) => {
      const far = toDesk ? tenant.desk : tenant.engine;
      const event = toDesk
        ? incomingEvent(tenant.owner, newTicketNumber(), { message })
        : outgoingEvent(tenant.owner, number, { message });
      const sent = `${JSON.stringify(event).slice(0, -1)}${fields.length > 0 ? "," : ""}${written(fields)}}`;
      const before = far.received.length;
      const headers = toDesk ? {} : bearer(tenant.token);
      const path = toDesk ? scenario.incoming : "/v1/outgoing";
      const { id } = accepted(await sendRaw(world.relay().url, { path, headers, body: sent }));
      await far.until((all) => all.length > before, "the event");
      const got = far.received[before];
      expect(got?.headers[toDesk ? "webhook-id" : "relay-message-id"]).toBe(id);
      expect(exact(got?.body ?? "")).toEqual(exact(sent));
    }),
    { ...RUN, numRuns: 300 },
  );
});

test("what cannot be compared as a value goes on as text", async () => {
  const { tenant } = scenario;
  const numbers = [
    "12345678901234567890",
    "-0.1234567890123456789",
    "1e400",
    "1E-400",
    "9007199254740993",
    "123456789012345678e-5",
  ];
  const sent = `${JSON.stringify(incomingOf(scenario)).slice(0, -1)},"numbers":[${numbers.join(",")}]}`;
  const before = tenant.desk.received.length;
  accepted(await sendRaw(scenario.world.relay().url, { path: scenario.incoming, body: sent }));
  await tenant.desk.until((all) => all.length > before, "the numbers");
  expect(tenant.desk.received[before]?.body).toContain(`"numbers":[${numbers.join(",")}]`);
});
