import { afterAll, beforeAll, expect, test } from "vitest";
import { BODIES } from "./hostile/bodies.ts";
import { ACCEPTED, FIELDS } from "./hostile/fields.ts";
import { SIZES } from "./hostile/sizes.ts";
import {
  type Scenario,
  TAKERS,
  NOTHING,
  answerTo,
  incomingOf,
  startScenario,
  whatWasStored,
} from "./hostile/scenario.ts";
import { accepted } from "../support/http.ts";
import { sendBytes, sendRaw } from "../support/raw.ts";

/** What a sender with a good credential may try. Each request has its exact answer, and nothing comes of any of them. */

let scenario: Scenario;
let taken = 0;
beforeAll(async () => {
  scenario = await startScenario();
});
afterAll(() => scenario.world.stop());

const takers = Object.entries(TAKERS);
const codeFor = (taker: string): string =>
  taker === "a tenant record" ? "invalid_tenant" : taker === "a replay" ? "invalid_request" : "invalid_event";
/** Each taker with each of these bodies. */
const sent = (bodies: [string, string | Uint8Array][]) =>
  takers.flatMap(([taker, request]) => bodies.map(([what, body]) => ({ taker, request, what, body })));

test.each(sent(BODIES.broken))("a body for $taker that is $what is refused as no JSON", async ({ request, body }) => {
  const expected = { status: 400, code: "invalid_json" };
  expect(await answerTo(scenario, request(scenario, body), expected)).toEqual(expected);
});

test.each(sent(BODIES.otherEncodings))(
  "a body for $taker that is $what is refused, as no JSON or for what it says",
  async (one) => {
    const request = one.request(scenario, one.body);
    const isEngines = request.path.startsWith("/v1/dolphins/");
    const expected = isEngines ? { status: 422, code: "invalid_event" } : { status: 400, code: "invalid_json" };
    expect(await answerTo(scenario, request, expected)).toEqual(expected);
  },
);

test.each(sent(BODIES.others))("a body for $taker that is $what is refused as no object", async (one) => {
  const expected = { status: 422, code: codeFor(one.taker) };
  expect(await answerTo(scenario, one.request(scenario, one.body), expected)).toEqual(expected);
});

test.each(takers)("a body for %s that is one byte over 256 KiB is refused", async (_, request) => {
  const expected = { status: 413, code: "too_large" };
  expect(await answerTo(scenario, request(scenario, " ".repeat(256 * 1_024 + 1)), expected)).toEqual(expected);
});

test.each(FIELDS)("an event with %s is refused", async (_, request, expected) => {
  expect(await answerTo(scenario, request(scenario), expected)).toEqual(expected);
});

test.each(ACCEPTED)("an event with %s is taken, and goes on as it came", async (_, request, expected) => {
  const received = scenario.tenant.desk.received.length;
  const reply = await sendRaw(scenario.world.relay().url, request(scenario));
  accepted(reply);
  taken += 1;
  await scenario.tenant.desk.until((all) => all.length > received, "the event");
  expect(scenario.tenant.desk.received[received]?.body).toContain(expected);
});

test("a body's length is 256 KiB at the most, counted in bytes and not in characters", async () => {
  const event = JSON.stringify(incomingOf(scenario, { note: "é".repeat(131_072) }));
  expect(event.length).toBeLessThan(256 * 1_024);
  const expected = { status: 413, code: "too_large" };
  expect(await answerTo(scenario, TAKERS["an Incoming Event"](scenario, event), expected)).toEqual(expected);
});

test.each(SIZES)("a body whose length is said to be %s gets %j", async (_, bytes, statuses) => {
  expect(await sendBytes(scenario.world.relay().url, bytes(scenario), statuses.length)).toEqual(statuses);
});

test("of all hostile requests nothing was stored, and nothing was sent to anybody", async () => {
  expect(await whatWasStored(scenario, taken)).toEqual(NOTHING);
});
