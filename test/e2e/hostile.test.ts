import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BODIES } from "./hostile/bodies.ts";
import { ACCEPTED, FIELDS } from "./hostile/fields.ts";
import { SIZES } from "./hostile/sizes.ts";
import { type Stage, TAKERS, NOTHING, answerTo, incomingOf, setStage, whatWasStored } from "./hostile/stage.ts";
import { accepted } from "./http.ts";
import { sendBytes, sendRaw } from "./raw.ts";

/** What a sender with a good credential may try. Each request has its exact answer, and nothing comes of any of them. */

let stage: Stage;
let taken = 0;
beforeAll(async () => {
  stage = await setStage();
});
afterAll(() => stage.world.stop());

const takers = Object.entries(TAKERS);
const codeFor = (taker: string): string =>
  taker === "a tenant record" ? "invalid_tenant" : taker === "a replay" ? "invalid_request" : "invalid_event";

describe.each(takers)("a body for %s", (taker, request) => {
  test.each(BODIES.broken)("that is %s is refused as no JSON", async (_, body) => {
    const expected = { status: 400, code: "invalid_json" };
    expect(await answerTo(stage, request(stage, body), expected)).toEqual(expected);
  });

  test.each(BODIES.otherEncodings)("that is %s is refused, as no JSON or for what it says", async (_, body) => {
    const isEngines = request(stage, "").path.startsWith("/v1/dolphins/");
    const expected = isEngines ? { status: 422, code: "invalid_event" } : { status: 400, code: "invalid_json" };
    expect(await answerTo(stage, request(stage, body), expected)).toEqual(expected);
  });

  test.each(BODIES.others)("that is %s is refused as no object", async (_, body) => {
    const expected = { status: 422, code: codeFor(taker) };
    expect(await answerTo(stage, request(stage, body), expected)).toEqual(expected);
  });

  test("that is one byte over 256 KiB is refused", async () => {
    const expected = { status: 413, code: "too_large" };
    expect(await answerTo(stage, request(stage, " ".repeat(256 * 1_024 + 1)), expected)).toEqual(expected);
  });
});

describe("an event", () => {
  test.each(FIELDS)("with %s is refused", async (_, request, expected) => {
    expect(await answerTo(stage, request(stage), expected)).toEqual(expected);
  });

  test.each(ACCEPTED)("with %s is taken, and goes on as it came", async (_, request, expected) => {
    const received = stage.tenant.desk.received.length;
    const reply = await sendRaw(stage.world.relay().url, request(stage));
    accepted(reply);
    taken += 1;
    await stage.tenant.desk.until((all) => all.length > received, "the event");
    expect(stage.tenant.desk.received[received]?.body).toContain(expected);
  });
});

describe("a body's length", () => {
  test("is 256 KiB at the most, counted in bytes and not in characters", async () => {
    const event = JSON.stringify(incomingOf(stage, { note: "é".repeat(131_072) }));
    expect(event.length).toBeLessThan(256 * 1_024);
    const expected = { status: 413, code: "too_large" };
    expect(await answerTo(stage, TAKERS["an Incoming Event"](stage, event), expected)).toEqual(expected);
  });

  test.each(SIZES)("that is said to be %s gets %j", async (_, bytes, statuses) => {
    expect(await sendBytes(stage.world.relay().url, bytes(stage), statuses.length)).toEqual(statuses);
  });
});

test("and of all that, nothing was stored, and nothing was sent to anybody", async () => {
  expect(await whatWasStored(stage, taken)).toEqual(NOTHING);
});
