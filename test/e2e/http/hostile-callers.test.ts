import { afterAll, beforeAll, expect, test } from "vitest";
import { CREDENTIALS, GOOD } from "./hostile/credentials.ts";
import { HEADERS } from "./hostile/headers.ts";
import { PATHS } from "./hostile/paths.ts";
import { type Scenario, NOTHING, answerTo, startScenario, whatWasStored } from "./hostile/scenario.ts";
import { sendBytes, sendRaw } from "../support/raw.ts";

/** What a caller with no good credential may try, and whoever looks for a way round a route. */

let scenario: Scenario;
beforeAll(async () => {
  scenario = await startScenario();
});
afterAll(() => scenario.world.stop());

test.each(CREDENTIALS)("a request with %s is refused", async (_, request, expected) => {
  expect(await answerTo(scenario, request(scenario), expected)).toEqual(expected);
});

test.each(HEADERS)("a request with %s is refused", async (_, request, expected) => {
  expect(await answerTo(scenario, request(scenario), expected)).toEqual(expected);
});

test.each(PATHS)("a path with %s is refused", async (_, request, expected) => {
  expect(await answerTo(scenario, request(scenario), expected)).toEqual(expected);
});

test("of all hostile requests nothing was stored, and nothing was sent to anybody", async () => {
  expect(await whatWasStored(scenario)).toEqual(NOTHING);
});

test("no page of another origin may read an answer, and no caller names the id of a request", async () => {
  const { url } = scenario.world.relay();
  const asked = { origin: "https://evil.example", "x-request-id": "mine", "access-control-request-method": "GET" };
  for (const [method, path, status] of [
    ["GET", "/healthz", 200],
    ["OPTIONS", "/admin/tenants", 405],
    ["GET", "/admin/tenants", 401],
    ["POST", "/v1/outgoing", 401],
  ] as const) {
    const { status: answered, headers } = await sendRaw(url, { method, path, headers: asked });
    expect([path, answered]).toEqual([path, status]);
    expect([...headers.keys()].filter((name) => name.startsWith("access-control-"))).toEqual([]);
    expect(headers.get("x-request-id")).toMatch(/^[\da-f-]{36}$/);
  }
});

test("a credential that stands twice in a request is none", async () => {
  const { url } = scenario.world.relay();
  const head = (first: string, second: string) =>
    [`GET /v1/tickets/${scenario.number} HTTP/1.1`, "Host: relay", first, second, "", ""].join("\r\n");
  const [good, wrong] = [scenario.tenant.token, "desk_YQ.AAAA"].map((token) => `Authorization: Bearer ${token}`);
  expect(await sendBytes(url, head(good ?? "", "X: y"))).toEqual([200]);
  expect(await sendBytes(url, head(good ?? "", wrong ?? ""))).toEqual([401]);
  expect(await sendBytes(url, head(wrong ?? "", good ?? ""))).toEqual([401]);
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
