import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { closeEvent, incomingEvent } from "../support/events.ts";
import { sendRaw } from "../support/raw.ts";
import { type Tenant, newTicketNumber } from "../support/tenant.ts";
import { type World, startWorld } from "../support/world.ts";

/** Paths as 3Dolphins glues them together from its base URL and what is appended to it. */

let world: World;
let tenant: Tenant;
beforeAll(async () => {
  // With its assets, as it is deployed: they see the path before the Worker does.
  world = await startWorld({ assets: true });
  tenant = await world.tenant();
});
afterAll(() => world.stop());

const post = (path: string, body: object) => sendRaw(world.relay().url, { path, body: JSON.stringify(body) });

describe("an engine's path", () => {
  test.each([
    "/v1/dolphins/KEY//incoming",
    "/v1/dolphins/KEY/incoming/",
    "/v1/dolphins/KEY//incoming//",
    "/v1/dolphins//KEY/incoming",
    "//v1/dolphins/KEY/incoming",
    "/v1//dolphins/KEY/incomingMessage",
    "///v1///dolphins///KEY///sendMessage///",
    "/v1/dolphins/KEY/incoming/?x=//y/",
  ])("slashes too many in an engine's path are forgiven: %s", async (path) => {
    const number = newTicketNumber();
    const reply = await post(path.replace("KEY", world.ingressKey), incomingEvent(tenant.owner, number));
    expect(reply).toBeAccepted();
    const close = path.replace(/(incoming|incomingMessage|sendMessage)(?=\/|$)/, "command");
    expect(await post(close.replace("KEY", world.ingressKey), closeEvent(tenant.owner, number))).toBeAccepted();
  });

  test("an engine's path with slashes too many still takes POST alone, and its own key", async () => {
    const { url } = world.relay();
    const wrongMethod = await sendRaw(url, { method: "GET", path: `/v1/dolphins/${world.ingressKey}//incoming/` });
    expect(wrongMethod).toBeRefused(405, "method_not_allowed");
    expect(await post("//v1/dolphins/not-the-key/incoming/", {})).toBeRefused(401, "unauthorized");
    expect(await post("/v1/dolphins//incoming", {})).toBeRefused(404, "not_found");
  });

  test.each([
    ["KEY/inbox", { segments: 2, last: "inbox", lastLength: 5 }],
    ["KEY/incoming/more/", { segments: 3, last: "more", lastLength: 4 }],
    ["KEY", { segments: 1, lastLength: 0 }],
    ["KEY/", { segments: 1, lastLength: 0 }],
    ["api/KEY", { segments: 2, lastLength: 48 }],
    ["KEY/incoming.php", { segments: 2, lastLength: 12 }],
    ["incoming", { segments: 1, lastLength: 0 }],
    ["", { segments: 0, lastLength: 0 }],
    ["/V1/Dolphins/KEY/incoming", { segments: 2, last: "incoming", lastLength: 8 }],
    ["/relay/v1/dolphins/KEY/incoming", { segments: 2, last: "incoming", lastLength: 8 }],
    ["/v1/dolphin/KEY", { segments: 1, lastLength: 0 }],
  ])("an engine's path that is not there is logged, with nothing of the key: %s", async (path, expected) => {
    const body = { owner: tenant.owner, message: "secret-word" };
    const whole = path.startsWith("/") ? path : `/v1/dolphins/${path}`;
    const reply = await post(whole.replace("KEY", world.ingressKey), body);
    expect(reply).toBeRefused(404, "not_found");
    const requestId = reply.headers.get("x-request-id") ?? "";
    const lines = () => world.relay().logs.filter((line) => line.includes(requestId));
    await expect.poll(() => lines().length).toBe(2);
    const line = lines()
      .map((one) => JSON.parse(one) as { event: string })
      .find(({ event }) => event.startsWith("engine"));
    const contentLength = String(JSON.stringify(body).length);
    expect(line).toEqual({ event: "engine_path_unknown", requestId, method: "POST", ...expected, contentLength });
    for (const secret of [world.ingressKey, tenant.owner, "secret-word"]) expect(lines().join()).not.toContain(secret);
  });
});

test("a slash too many on any other path is not forgiven", async () => {
  for (const path of ["//v1/outgoing", "/v1/outgoing/", "/v1//command", "/admin//tenants"]) {
    expect((await post(path, {})).status, path).toBe(404);
  }
});
