import { afterAll, beforeAll, expect, test } from "vitest";
import { CREDENTIALS, GOOD } from "./hostile/credentials.ts";
import { PATHS } from "./hostile/paths.ts";
import { type Scenario, NOTHING, answerTo, startScenario, whatWasStored } from "./hostile/scenario.ts";
import { sendRaw } from "../support/raw.ts";

/** What a caller with no good credential may try, and whoever looks for a way round a route. */

let scenario: Scenario;
beforeAll(async () => {
  scenario = await startScenario();
});
afterAll(() => scenario.world.stop());

test.each(CREDENTIALS)("a request with %s is refused", async (_, request, expected) => {
  expect(await answerTo(scenario, request(scenario), expected)).toEqual(expected);
});

test.each(PATHS)("a path with %s is refused", async (_, request, expected) => {
  expect(await answerTo(scenario, request(scenario), expected)).toEqual(expected);
});

test("of all hostile requests nothing was stored, and nothing was sent to anybody", async () => {
  expect(await whatWasStored(scenario)).toEqual(NOTHING);
});

test("no refusal tells a secret", () => {
  const { tenant, stranger, world } = scenario;
  const logged = world.relay().logs.join("\n");
  const { ADMIN_TOKEN, MASTER_KEY } = world.settings;
  const secrets = [tenant.token, tenant.signingSecret, stranger.token, world.ingressKey, ADMIN_TOKEN, MASTER_KEY];
  for (const secret of secrets) expect(logged).not.toContain(secret);
});

test.each(GOOD)("a request with %s is accepted", async (_, request) => {
  expect(await sendRaw(scenario.world.relay().url, request(scenario))).toBeAccepted();
});
