import {
  createExecutionContext,
  listDurableObjectIds,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { app } from "../../../src/app";
import { call, useFarEnds } from "../world";

/** Who is let in by the cookie of a console session, and for how long. */

useFarEnds();

const ORIGIN = "https://relay.example";
const HOUR_MS = 3_600_000;
const OWN = { "sec-fetch-site": "same-origin" };
const SESSION = "/console/session";
const ADMIN = "/admin/tenants";

const signIn = (token = env.ADMIN_TOKEN, headers: Record<string, string> = {}) =>
  call(SESSION, { method: "POST", headers, body: JSON.stringify({ token }) });

/** The cookie of a new session, as a browser would send it back. */
async function signedIn(): Promise<string> {
  const answer = await signIn();
  expect(answer.status, await answer.text()).toBe(200);
  return answer.headers.get("set-cookie")?.split(";", 1)[0] ?? "";
}

const statusOf = async (path: string, headers: Record<string, string>, method = "GET"): Promise<number> => {
  const answer = await call(path, { method, headers });
  await answer.body?.cancel();
  return answer.status;
};
const withCookie = (cookie: string, path = ADMIN) => statusOf(path, { cookie, ...OWN });
const sessions = async () => (await listDurableObjectIds(env.CONSOLE_SESSION)).length;
/** The object that a cookie is of. */
const objectOf = (cookie: string) => env.CONSOLE_SESSION.getByName(cookie.split(/[=.]/)[1] ?? "");

test("signing in gives a cookie that no script reads, no other site sends, and that lasts for 8 hours", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: 1_800_000_000_000 });
  const answer = await signIn();
  const expiresAt = new Date(Date.now() + 8 * HOUR_MS);
  expect(await answer.json()).toEqual({ status: "success", expiresAt: expiresAt.toISOString() });
  const [pair, ...attributes] = (answer.headers.get("set-cookie") ?? "").split("; ");
  expect(pair).toMatch(/^__Host-relay_session=[\w-]{43}\.\d+\.admin\.[\w-]{43}$/);
  expect(attributes.toSorted()).toEqual([
    `Expires=${expiresAt.toUTCString()}`,
    "HttpOnly",
    "Path=/",
    "SameSite=Strict",
    "Secure",
  ]);
  expect(answer.headers.get("cache-control")).toBe("no-store");
});

test("signing in with a wrong token gives none, makes no object, and logs neither token", async () => {
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => lines.push(line));
  const before = await sessions();
  const wrong = `${env.ADMIN_TOKEN.slice(0, -1)}!`;
  const answer = await signIn(wrong);
  expect([answer.status, answer.headers.get("set-cookie")]).toEqual([401, null]);
  expect(await sessions()).toBe(before);
  await signedIn();
  const events = lines.map((line) => (JSON.parse(line) as { event: string }).event);
  expect(events).toEqual(["refused", "signed_in"]);
  expect(lines.join("\n")).not.toMatch(/an-operator-token/);
});

test.each([
  ["{", 400],
  ["[]", 422],
  ["{}", 422],
  ['{"token":1}', 422],
  [JSON.stringify({ token: "x".repeat(300_000) }), 413],
])("signing in with a body that is no request is refused", async (body, status) => {
  const answer = await call(SESSION, { method: "POST", body });
  expect([answer.status, answer.headers.get("set-cookie")]).toEqual([status, null]);
});

test("a session lets its browser in, and says when it ends", async () => {
  const cookie = await signedIn();
  expect(await withCookie(cookie)).toBe(200);
  const answer = await call(SESSION, { headers: { cookie, ...OWN } });
  expect(await answer.json()).toEqual({ status: "success", expiresAt: expect.stringMatching(/Z$/) as unknown });
  expect(answer.headers.get("set-cookie")).toBeNull();
});

test("a session is over at once when it is signed out, for a copy of its cookie too", async () => {
  const [cookie, other] = [await signedIn(), await signedIn()];
  const answer = await call(SESSION, { method: "DELETE", headers: { cookie, ...OWN } });
  expect([answer.status, await answer.json()]).toEqual([200, { status: "success" }]);
  expect(answer.headers.get("set-cookie")).toMatch(/^__Host-relay_session=; Max-Age=0/);
  expect([await withCookie(cookie), await withCookie(cookie, SESSION)]).toEqual([401, 401]);
  expect(await statusOf(SESSION, { cookie, ...OWN }, "DELETE")).toBe(401);
  expect(await withCookie(other)).toBe(200);
});

test("a session is over after 8 hours, and leaves nothing", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const cookie = await signedIn();
  vi.setSystemTime(Date.now() + 8 * HOUR_MS - 1_000);
  expect(await withCookie(cookie)).toBe(200);
  vi.setSystemTime(Date.now() + 1_000);
  expect(await withCookie(cookie)).toBe(401);
  const stub = objectOf(cookie);
  expect(await runDurableObjectAlarm(stub)).toBe(true);
  const left = await runInDurableObject(stub, async (_, { storage }) => [...(await storage.list()).keys()]);
  expect(left).toEqual([]);
});

test("a session is over when its object is, whatever its cookie says", async () => {
  const cookie = await signedIn();
  await runDurableObjectAlarm(objectOf(cookie));
  expect(await withCookie(cookie)).toBe(401);
});

test.each([
  ["ADMIN_TOKEN", { ADMIN_TOKEN: "another-operator-token-for-tests-alone-9876543210" }],
  ["MASTER_KEY", { MASTER_KEY: "H///BAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eH/8=" }],
  [
    "MASTER_KEY with the one before still known",
    { MASTER_KEY: "H///BAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eH/8=", MASTER_KEY_PREVIOUS: env.MASTER_KEY },
  ],
])("a session is over with a new %s", async (_, changed) => {
  const cookie = await signedIn();
  const request = () => new Request(ORIGIN + ADMIN, { headers: { cookie, ...OWN } });
  const ask = async (settings: Env) => (await app.fetch(request(), settings, createExecutionContext())).status;
  expect([await ask({ ...env }), await ask({ ...env, ...changed })]).toEqual([200, 401]);
});

test("a cookie that is not as it was given is refused before any object is asked", async () => {
  const cookie = await signedIn();
  const [name = "", value = ""] = cookie.split("=");
  const [id = "", expires = "", mac = ""] = value.split(".");
  const turned = (text: string) => (text.startsWith("A") ? "B" : "A") + text.slice(1);
  const before = await sessions();
  const forged = [
    `${turned(id)}.${expires}.${mac}`,
    `${id}.${Number(expires) + 1}.${mac}`,
    `${id}.${expires}.${turned(mac)}`,
    `${id}.${expires}.`,
    `${id}.${expires}`,
    `${id}..${mac}`,
    `${id}.${expires}.${mac}.`,
    env.ADMIN_TOKEN,
    "",
  ];
  for (const each of forged) expect(await withCookie(`${name}=${each}`), each).toBe(401);
  // Over https, the name without its prefix is another cookie.
  expect(await withCookie(`relay_session=${value}`)).toBe(401);
  expect(await sessions()).toBe(before);
});

test("a cookie does not help a wrong token, and is not needed beside the right one", async () => {
  const cookie = await signedIn();
  const bearer = (token: string) => statusOf(ADMIN, { cookie, ...OWN, authorization: `Bearer ${token}` });
  expect([await bearer("wrong"), await bearer(env.ADMIN_TOKEN)]).toEqual([401, 200]);
  const foreign = {
    cookie: "__Host-relay_session=x",
    "sec-fetch-site": "cross-site",
    origin: "https://evil.example",
  };
  expect(await statusOf(ADMIN, { ...foreign, authorization: `Bearer ${env.ADMIN_TOKEN}` })).toBe(200);
});

const site = (name: string) => ({ "sec-fetch-site": name });
const origin = (name: string) => ({ origin: name });
test.each([
  ["same-origin", "GET", OWN, 200],
  ["same-origin with its own origin", "DELETE", { ...OWN, ...origin(ORIGIN) }, 404],
  ["cross-site", "GET", site("cross-site"), 401],
  ["same-site: a neighbouring subdomain", "GET", site("same-site"), 401],
  ["none: an address that was typed or followed", "GET", site("none"), 401],
  ["cross-site, with a forged look of the own origin", "DELETE", { ...site("cross-site"), ...origin(ORIGIN) }, 401],
  ["same-origin, but of another origin", "DELETE", { ...OWN, ...origin("https://evil.example") }, 401],
  ["unnamed, reading", "GET", {}, 200],
  ["unnamed, reading from another origin", "GET", origin("https://evil.example"), 401],
  ["unnamed, writing", "DELETE", {}, 401],
  ["unnamed, writing from the own origin", "DELETE", origin(ORIGIN), 404],
  ["unnamed, writing from the same host over http", "DELETE", origin("http://relay.example"), 401],
  ["unnamed, writing from another port", "DELETE", origin("https://relay.example:8443"), 401],
  ["unnamed, writing from a sandbox", "DELETE", origin("null"), 401],
])("a cookie in a request that is %s (%s) is judged by the origin", async (_, method, headers, status) => {
  const cookie = await signedIn();
  const path = method === "GET" ? ADMIN : `${ADMIN}/nobody`;
  expect(await statusOf(path, { cookie, ...headers }, method)).toBe(status);
});

test.each([
  ["the own origin", { ...OWN, origin: ORIGIN }, 404],
  ["the own origin, the site unnamed", { origin: ORIGIN }, 404],
  ["another origin", { origin: "https://evil.example" }, 401],
  ["no origin", OWN, 401],
  ["neither", {}, 401],
])("a cookie opens a WebSocket from its own origin alone: %s", async (_, headers, status) => {
  const cookie = await signedIn();
  // 404: let in, and there is no such tenant.
  const upgrade = { upgrade: "websocket", connection: "Upgrade" };
  expect(await statusOf(`${ADMIN}/nobody/events`, { cookie, ...upgrade, ...headers })).toBe(status);
});

test("no answer but to signing in and out sets a cookie", async () => {
  const authorization = `Bearer ${env.ADMIN_TOKEN}`;
  for (const path of ["/healthz", ADMIN, "/admin/health", "/nothing", "/v1/tickets/t", "/v1/outgoing"]) {
    const answer = await call(path, { headers: { authorization } });
    await answer.body?.cancel();
    expect(answer.headers.get("set-cookie"), path).toBeNull();
  }
});
