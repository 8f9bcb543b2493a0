import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { app } from "../../../src/app";
import { accepted, call, fresh, incoming, OPERATOR, registerTenant, tokenOf, useFarEnds } from "../world";

/** What every answer carries, and which requests the relay does not even look at. */

const farEnds = useFarEnds();

const ANSWERS: [what: string, path: string, init: RequestInit, status: number][] = [
  ["a health check", "/healthz", {}, 200],
  ["the bare address", "/", {}, 200],
  ["the bare address in a browser", "/", { headers: { accept: "text/html" } }, 302],
  ["a list of tenants", "/admin/tenants", { headers: OPERATOR }, 200],
  ["a refused credential", "/admin/tenants", {}, 401],
  ["a refused event", "/v1/outgoing", { method: "POST" }, 401],
  ["a desk that asks by HEAD", "/v1/desks/zendesk/x", { method: "HEAD" }, 200],
  ["another method", "/healthz", { method: "OPTIONS" }, 405],
  ["a file that is not there", "/v1/media/x", {}, 404],
  ["no path", "/nothing", {}, 404],
];

test.each(ANSWERS)("nobody keeps the answer to %s, or takes it for another type", async (_, path, init, status) => {
  const answer = await call(path, { redirect: "manual", ...init });
  await answer.body?.cancel();
  const headers = Object.fromEntries(answer.headers);
  expect([answer.status, headers]).toMatchObject([
    status,
    {
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "strict-transport-security": "max-age=31536000",
      "x-request-id": expect.stringMatching(/^[\da-f-]{36}$/) as unknown,
    },
  ]);
  expect(Object.keys(headers).filter((name) => name.startsWith("access-control-"))).toEqual([]);
});

test("what a ticket says is kept by nobody either", async () => {
  const owner = await registerTenant();
  const stored = await incoming(owner, "t", "rahasia");
  const headers = { authorization: `Bearer ${await tokenOf(owner)}` };
  for (const answer of [
    stored,
    await call("/v1/tickets/t", { headers }),
    await call(`/admin/tickets/${owner}/t`, { headers: OPERATOR }),
  ]) {
    await answer.body?.cancel();
    expect([answer.status, answer.headers.get("cache-control")]).toEqual([200, "no-store"]);
  }
});

const ask = async (request: Request, settings: Partial<Env> = {}) => {
  const answer = await app.fetch(request, { ...env, ...settings }, createExecutionContext());
  const { error } = (await answer.json()) as { error?: { code: string } };
  return [answer.status, error?.code];
};
const plain = (path: string, init: RequestInit = {}) => new Request(`http://relay.example${path}`, init);

const eventOf = (owner: string) =>
  JSON.stringify({
    ticketNumber: "t",
    channel: "whatsapp",
    accountId: "1",
    contactId: "2",
    messageType: "text",
    message: "hello",
    mediaLink: "",
    customerName: "Ada",
    createdDate: "2021-04-28T15:39:37.945",
    owner,
  });

const DOORS: [what: string, path: string, init: RequestInit][] = [
  ["the engine's door", "/v1/dolphins/ingress-key-of-main/incoming", { method: "POST", body: "{}" }],
  ["the engine's door, spelt in another way", "/v1/%64olphins/ingress-key/incoming", { method: "POST", body: "{}" }],
  ["a desk's door", "/v1/outgoing", { method: "POST", body: "{}" }],
  ["a webhook's door", "/v1/desks/zendesk/x", { method: "POST", body: "{}" }],
  ["a ticket", "/v1/tickets/t", {}],
  ["a file", "/v1/media/x", {}],
  ["the operator's door", "/admin/tenants", { headers: OPERATOR }],
  ["the live view", "/admin/tenants/x/events", { headers: { ...OPERATOR, upgrade: "websocket" } }],
  ["the sign-in", "/console/session", { method: "POST", body: JSON.stringify({ token: env.ADMIN_TOKEN }) }],
  ["the bare address", "/", {}],
  ["a health check", "/healthz", {}],
  ["no path", "/nothing", {}],
];

test.each(DOORS)("%s takes nothing over plain http, be the credential good or not", async (_, path, init) => {
  expect(await ask(plain(path, init))).toEqual([403, "https_required"]);
});

test("an event that comes over plain http opens no ticket and reaches nobody", async () => {
  const owner = await registerTenant();
  const event = { method: "POST", body: eventOf(owner) };
  expect(await ask(plain("/v1/dolphins/ingress-key-of-main/incoming", event))).toEqual([403, "https_required"]);
  expect((await call(`/admin/tickets/${owner}/t`, { headers: OPERATOR })).status).toBe(404);
  expect(farEnds.sent).toEqual([]);
});

test("in local development, where there is no https, plain http is taken, and no browser is told to come by https", async () => {
  const settings = { ...env, ALLOW_INSECURE_TARGETS: "true" };
  const answer = await app.fetch(plain("/admin/tenants", { headers: OPERATOR }), settings, createExecutionContext());
  await answer.body?.cancel();
  expect([answer.status, answer.headers.get("strict-transport-security")]).toEqual([200, null]);
});

test.each(["localhost", "127.0.0.1:8787", "[::1]:8787"])(
  "plain http from %s has not left the machine, and is taken",
  async (host) => {
    const request = new Request(`http://${host}/admin/tenants`, { headers: OPERATOR });
    const answer = await app.fetch(request, env, createExecutionContext());
    await answer.body?.cancel();
    expect(answer.status).toBe(200);
  },
);

test.each(["localhost.bank.example", "127.0.0.1.bank.example", "127.bank.example"])(
  "a host that only looks like this machine's own, %s, takes nothing over plain http",
  async (host) => {
    const request = new Request(`http://${host}/admin/tenants`, { headers: OPERATOR });
    expect((await app.fetch(request, env, createExecutionContext())).status).toBe(403);
  },
);

/** A limiter as Cloudflare's, of one location and one period. */
function limiter(limit: number) {
  const counts = new Map<string, number>();
  return {
    counts,
    limit: ({ key }: RateLimitOptions) => {
      counts.set(key, (counts.get(key) ?? 0) + 1);
      return Promise.resolve({ success: (counts.get(key) ?? 0) <= limit });
    },
  };
}
const from = (address: string, headers: Record<string, string> = {}) => ({ "cf-connecting-ip": address, ...headers });
const https = (path: string, init: RequestInit) => new Request(`https://relay.example${path}`, init);

const signature = { "webhook-id": "e", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA" };
const GUESSES: [what: string, path: string, method: string, headers: Record<string, string>, body?: string][] = [
  ["an ingress key", "/v1/dolphins/guess/incoming", "POST", {}, "{}"],
  ["the operator's token", "/admin/tenants", "GET", { authorization: "Bearer guess" }],
  ["a desk's token", "/v1/tickets/t", "GET", { authorization: "Bearer desk_YQ.guess" }],
  ["a signature", "/v1/outgoing", "POST", signature, '{"owner":"x"}'],
  ["a webhook's secret", "/v1/desks/zendesk/x", "POST", { "x-api-key": "guess" }, "{}"],
  ["the token at the sign-in", "/console/session", "POST", {}, '{"token":"guess"}'],
  ["a session's cookie", "/admin/tenants", "GET", { cookie: "__Host-relay_session=guess" }],
];

test.each(GUESSES)("guesses of %s from one address are told to wait after the first 60", async (...guess) => {
  const [, path, method, headers, body] = guess;
  const FAILURE_RATE = limiter(60);
  const answers: string[] = [];
  for (let n = 0; n < 70; n++) {
    const init = { method, headers: from("192.0.2.1", headers), ...(body === undefined ? {} : { body }) };
    answers.push((await ask(https(path, init), { FAILURE_RATE })).join(" "));
  }
  expect(answers.slice(0, 60)).toEqual(Array(60).fill("401 unauthorized"));
  expect(answers.slice(60)).toEqual(Array(10).fill("429 rate_limited"));
  expect([...FAILURE_RATE.counts]).toEqual([["192.0.2.1", 70]]);
});

test("who guessed too often is told when to come again, and nothing of what was wrong", async () => {
  const settings = { ...env, FAILURE_RATE: limiter(0) };
  const told = new Set<string>();
  for (const [, path, method, headers, body] of GUESSES) {
    const init = { method, headers: from("192.0.2.1", headers), ...(body === undefined ? {} : { body }) };
    const answer = await app.fetch(https(path, init), settings, createExecutionContext());
    told.add(`${answer.headers.get("retry-after")} ${await answer.text()}`);
  }
  expect([...told]).toEqual([expect.stringMatching(/^60 .*rate_limited/)]);
});

test("whoever holds a good credential is served at an address that guesses too often", async () => {
  const owner = await registerTenant();
  const token = await tokenOf(owner);
  const FAILURE_RATE = limiter(0);
  const address = from("192.0.2.1");
  const get = (path: string, headers: Record<string, string>) =>
    ask(https(path, { headers: { ...address, ...headers } }), { FAILURE_RATE });
  expect(await get("/admin/tenants", { authorization: "Bearer guess" })).toEqual([429, "rate_limited"]);
  const event = https("/v1/dolphins/ingress-key-of-main/incoming", {
    method: "POST",
    body: eventOf(owner),
    headers: address,
  });
  expect(await ask(event, { FAILURE_RATE })).toEqual([200, undefined]);
  expect(await get("/v1/tickets/t", { authorization: `Bearer ${token}` })).toEqual([200, undefined]);
  expect(await get("/admin/tenants", OPERATOR)).toEqual([200, undefined]);
  const signIn = { method: "POST", headers: address, body: JSON.stringify({ token: env.ADMIN_TOKEN }) };
  expect(await ask(https("/console/session", signIn), { FAILURE_RATE })).toEqual([200, undefined]);
  expect([...FAILURE_RATE.counts]).toEqual([["192.0.2.1", 1]]);
});

test("a page that asks whether anybody is signed in has guessed nothing", async () => {
  const FAILURE_RATE = limiter(0);
  expect(await ask(https("/console/session", { headers: from("192.0.2.1") }), { FAILURE_RATE })).toEqual([
    401,
    "unauthorized",
  ]);
  expect(FAILURE_RATE.counts.size).toBe(0);
});

test("a refusal that is about no credential is not counted", async () => {
  const FAILURE_RATE = limiter(0);
  const headers = from("192.0.2.1", OPERATOR);
  for (const path of [`/admin/tenants/${fresh("nobody")}`, "/admin/nothing", "/nothing"]) {
    expect((await ask(https(path, { headers }), { FAILURE_RATE }))[0]).toBe(404);
  }
  expect(FAILURE_RATE.counts.size).toBe(0);
});

test("an IPv6 address counts as its /64, and an IPv4 address as itself", async () => {
  const FAILURE_RATE = limiter(9);
  const addresses = [
    ["2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", "2001:db8:0:1::", "2001:db8::1:0:0:0:1"],
    ["2001:db8::1"],
    ["::1"],
    ["192.0.2.1"],
    ["192.0.2.2"],
  ];
  for (const address of addresses.flat()) {
    await ask(https("/admin/tenants", { headers: from(address, { authorization: "Bearer guess" }) }), { FAILURE_RATE });
  }
  expect([...FAILURE_RATE.counts]).toEqual([
    ["2001:db8:0:1", 4],
    ["2001:db8:0:0", 1],
    ["0:0:0:0", 1],
    ["192.0.2.1", 1],
    ["192.0.2.2", 1],
  ]);
});

test("while the limiter is away a wrong credential is refused as ever", async () => {
  const FAILURE_RATE = { limit: vi.fn<RateLimit["limit"]>(() => Promise.reject(new Error("away"))) };
  const headers = from("192.0.2.1", { authorization: "Bearer guess" });
  expect(await ask(https("/admin/tenants", { headers }), { FAILURE_RATE })).toEqual([401, "unauthorized"]);
  expect(FAILURE_RATE.limit).toHaveBeenCalled();
});

test("the limiter that is set up lets 60 wrong credentials a minute through from one address", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: 1_800_000_000_000 });
  const headers = from("198.51.100.7", { authorization: "Bearer guess" });
  const codes: unknown[] = [];
  for (let n = 0; n < 130; n++) codes.push((await ask(https("/admin/tenants", { headers })))[1]);
  // The limiter counts in periods of its own clock, and one may end on the way.
  expect(codes.slice(0, 60)).toEqual(Array(60).fill("unauthorized"));
  expect(codes).toContain("rate_limited");
  await accepted(incoming(await registerTenant(), "t", "goes on"));
});
