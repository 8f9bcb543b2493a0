import { afterAll, beforeAll, expect, test } from "vitest";
import { startFakeChatwoot, type FakeChatwoot } from "../../../dev/fakes/chatwoot.ts";
import { startFarEnd, type FarEnd } from "../../../dev/fakes/far-end.ts";
import { issuePaths, refusal } from "../support/http.ts";
import { startWorld, type World } from "../support/world.ts";

/** Whoever may change a record has not been shown its secrets, and must not have them sent to a host of their own. */

let world: World;
let chatwoot: FakeChatwoot;
let elsewhere: FarEnd;
beforeAll(async () => {
  [world, chatwoot, elsewhere] = await Promise.all([startWorld(), startFakeChatwoot(), startFarEnd()]);
});
afterAll(async () => {
  await world.stop();
  await Promise.all([chatwoot, elsewhere].map((each) => each.close()));
});

const BANK = "https://bank.example:9443";
const LOGIN = { type: "login", username: "relay", password: "a-password-of-the-bank" };
const ZENDESK = {
  type: "zendesk",
  baseUrl: "https://acme.zendesk.com/sc",
  appId: "app",
  keyId: "app_1",
  keySecret: "a-secret-of-the-key",
  webhookSecret: "a-secret-of-the-app",
};
const CHATWOOT = {
  type: "chatwoot",
  baseUrl: "https://chat.example/rails",
  accountId: 1,
  inboxId: 2,
  apiAccessToken: "a-token-of-an-agent",
  webhookSecret: "a-secret-of-the-inbox",
};
type Fields = Record<string, unknown>;
const HIDDEN = new Set(["password", "token", "value", "apiAccessToken", "keySecret", "webhookSecret"]);
const masked = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, HIDDEN.has(name) ? "***" : value]));

const put = (owner: string, dolphins: Fields, desk: Fields) =>
  world.admin("PUT", `/admin/tenants/${owner}`, { dolphins: { baseUrl: BANK, auth: LOGIN, ...dolphins }, desk });

const BEARER = { type: "bearer", token: "a-token-of-the-bank" };
const HEADER = { type: "header", name: "x-key", value: "a-value-of-the-bank" };

test.each<[string, [Fields, Fields], [Fields, Fields], string[]]>([
  [
    "the engine's host",
    [{}, CHATWOOT],
    [{ baseUrl: "https://evil.example:9443" }, CHATWOOT],
    ["dolphins.auth.password"],
  ],
  ["the engine's port", [{}, CHATWOOT], [{ baseUrl: "https://bank.example" }, CHATWOOT], ["dolphins.auth.password"]],
  [
    "the engine's scheme",
    [{}, CHATWOOT],
    [{ baseUrl: "http://bank.example:9443" }, CHATWOOT],
    ["dolphins.auth.password"],
  ],
  [
    "the engine under a bearer",
    [{ auth: BEARER }, CHATWOOT],
    [{ auth: BEARER, baseUrl: "https://evil.example" }, CHATWOOT],
    ["dolphins.auth.token"],
  ],
  [
    "the engine under a header",
    [{ auth: HEADER }, CHATWOOT],
    [{ auth: HEADER, baseUrl: "https://evil.example" }, CHATWOOT],
    ["dolphins.auth.value"],
  ],
  [
    "Chatwoot's host",
    [{}, CHATWOOT],
    [{}, { ...CHATWOOT, baseUrl: "https://evil.example/rails" }],
    ["desk.apiAccessToken"],
  ],
  ["Zendesk's host", [{}, ZENDESK], [{}, { ...ZENDESK, baseUrl: "https://evil.zendesk.com/sc" }], ["desk.keySecret"]],
  ["the desk's type", [{}, ZENDESK], [{}, CHATWOOT], ["desk.apiAccessToken", "desk.webhookSecret"]],
  [
    "the desk's type, at the same host",
    [{}, CHATWOOT],
    [{}, { ...ZENDESK, baseUrl: CHATWOOT.baseUrl }],
    ["desk.keySecret", "desk.webhookSecret"],
  ],
  [
    "both hosts",
    [{}, CHATWOOT],
    [{ baseUrl: "https://evil.example" }, { ...CHATWOOT, baseUrl: "https://evil.example" }],
    ["dolphins.auth.password", "desk.apiAccessToken"],
  ],
])(
  "a record that changes %s and shows no secret is refused, and names each that is to be given again",
  async (name, before, after, paths) => {
    const owner = name.replaceAll(/\W/g, "-");
    expect((await put(owner, ...before)).status).toBe(200);
    const [dolphins, desk] = after;
    const auth = masked((dolphins["auth"] ?? LOGIN) as Fields);
    const refused = refusal(await put(owner, { ...dolphins, auth }, masked(desk)), 422, "invalid_tenant");
    expect(issuePaths(refused)).toEqual(paths.toSorted());
    // What was there goes on; and given anew, it is taken.
    expect(
      (await put(owner, { ...before[0], auth: masked((before[0]["auth"] ?? LOGIN) as Fields) }, masked(before[1])))
        .status,
    ).toBe(200);
    expect((await put(owner, dolphins, desk)).status).toBe(200);
  },
);

test("a record that changes what is sent nowhere else keeps its secrets", async () => {
  expect((await put("keeping", { auth: HEADER }, CHATWOOT)).status).toBe(200);
  const dolphins = { baseUrl: `${BANK}/base`, outgoingPath: "/out", auth: { ...masked(HEADER), name: "x-other" } };
  const desk = { ...masked(CHATWOOT), baseUrl: "https://chat.example", inboxId: 3 };
  expect((await put("keeping", dolphins, desk)).status).toBe(200);
});

test("a stored password does not reach a host that it was not put for", async () => {
  const tenant = await world.tenant({ dolphins: { auth: LOGIN } });
  const stolen = await world.putTenant(tenant, { dolphins: { baseUrl: elsewhere.url, auth: masked(LOGIN) } });
  expect(stolen).toBeRefused(422, "invalid_tenant");
  await world.admin("POST", `/admin/tenants/${tenant.owner}/test/engine`);
  expect(elsewhere.received).toEqual([]);
});
