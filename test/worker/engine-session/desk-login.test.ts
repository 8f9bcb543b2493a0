import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { sessionNames } from "../../../src/tenants/session-names";
import { accepted, call, incoming, operator, OPERATOR, registerTenant, untilView, useFarEnds } from "../world";

/** A tenant's token at its desk: the same object as the engine's login, under a name of its own. */

const farEnds = useFarEnds();

const HOUR_MS = 3600_000;
const later = (ms: number) => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
const desk = {
  type: "genesys",
  region: "apse1.pure.cloud",
  integrationId: "i-1",
  clientId: "client",
  clientSecret: "rahasia",
  webhookSecret: "webhook-secret-of-the-integration",
};

/** A Genesys that gives token-1, token-2 … for an hour, and takes the newest alone. */
function playGenesys({ hold = Promise.resolve() }: { hold?: Promise<void> } = {}) {
  let issued = 0;
  farEnds.answerWith(async (sent) => {
    if (!sent.url.endsWith("/oauth/token")) {
      const isGood = sent.headers.get("authorization") === `Bearer token-${issued}`;
      return isGood ? Response.json({ conversationId: "c-1" }) : new Response("", { status: 401 });
    }
    const token = `token-${++issued}`;
    await hold;
    return Response.json({ access_token: token, token_type: "bearer", expires_in: 3600 });
  });
  const logins = () => farEnds.sent.filter(({ url }) => url.endsWith("/oauth/token"));
  return { logins, revoke: () => issued++ };
}

async function messageIn(owner: string, numbers: string[], delivered: number): Promise<void> {
  await Promise.all(numbers.map((number) => accepted(incoming(owner, number, "halo"))));
  await Promise.all(
    numbers.map((number) => untilView(owner, number, ({ lanes }) => lanes.toDesk.delivered === delivered)),
  );
}

const numbers = Array.from({ length: 20 }, (_, n) => `t${n}`);
const sessionOf = (owner: string) => env.ENGINE_SESSION.getByName(sessionNames(owner).desk);

test("one login at the desk serves 20 tickets that deliver at once, one that is gone is replaced once, and one that ends is renewed before", async () => {
  const held = Promise.withResolvers<void>();
  const genesys = playGenesys({ hold: held.promise });
  const owner = await registerTenant({ desk });
  const delivered = messageIn(owner, numbers, 1);
  await vi.waitFor(() => expect(genesys.logins()).toHaveLength(1));
  held.resolve();
  await delivered;
  expect(genesys.logins()).toHaveLength(1);
  const [login] = genesys.logins();
  expect([login?.url, login?.body]).toEqual([
    "https://login.apse1.pure.cloud/oauth/token",
    "grant_type=client_credentials",
  ]);
  expect(login?.headers.get("authorization")).toBe(`Basic ${btoa("client:rahasia")}`);
  genesys.revoke();
  await messageIn(owner, numbers, 2);
  expect(genesys.logins()).toHaveLength(2);
  later(HOUR_MS - 60_000);
  await messageIn(owner, ["t0"], 3);
  expect(genesys.logins()).toHaveLength(2);
  later(40_000);
  await messageIn(owner, ["t0"], 4);
  expect(genesys.logins()).toHaveLength(3);
});

test("a record with another client, secret or host logs in anew at the desk, and one with another name does not", async () => {
  const genesys = playGenesys();
  const owner = await registerTenant({ desk });
  await messageIn(owner, ["t"], 1);
  const dolphins = { baseUrl: "https://bank.example.com" };
  const changes = [{ clientId: "other" }, { clientSecret: "baru" }, { loginUrl: "https://login.example.com" }];
  for (const [at, change] of changes.entries()) {
    await operator("PUT", `/tenants/${owner}`, { dolphins, desk: { ...desk, ...change } });
    await messageIn(owner, ["t"], at + 2);
    expect(genesys.logins()).toHaveLength(at + 2);
  }
  await operator("PUT", `/tenants/${owner}`, { name: "Bank", dolphins, desk: { ...desk, ...changes[2] } });
  await messageIn(owner, ["t"], 5);
  expect(genesys.logins()).toHaveLength(4);
});

test("the desk's token is kept sealed, apart from the engine's, and outlives its object", async () => {
  const genesys = playGenesys();
  const owner = await registerTenant({ desk });
  await messageIn(owner, ["t"], 1);
  const stored = await runInDurableObject(sessionOf(owner), (_session, { storage }) => [...storage.kv.list()]);
  expect(JSON.stringify(stored)).toMatch(/sealed:v1:/);
  for (const secret of ["token-1", "rahasia"]) expect(JSON.stringify(stored)).not.toContain(secret);
  expect(await env.ENGINE_SESSION.getByName(sessionNames(owner).engine).hasToken()).toBe(false);
  await evictDurableObject(sessionOf(owner));
  const target = { desk: { ...desk, type: "genesys" as const } };
  const bounds = { timeoutMs: 1_000, allowInsecureTargets: false };
  expect(await sessionOf(owner).token({ owner, target, bounds })).toMatchObject({ token: "token-1" });
  expect(genesys.logins()).toHaveLength(1);
});

test("the client's secret is not kept for another region or another login, and is for another integration", async () => {
  playGenesys();
  const owner = await registerTenant({ desk });
  const put = async (change: object) => {
    const record = {
      dolphins: { baseUrl: "https://bank.example.com" },
      desk: { ...desk, clientSecret: "***", ...change },
    };
    const init = { method: "PUT", headers: OPERATOR, body: JSON.stringify(record) };
    const answer = await call(`/admin/tenants/${owner}`, init);
    return [answer.status, (await answer.text()).includes('"desk.clientSecret"')];
  };
  for (const change of [{ region: "mypurecloud.de" }, { loginUrl: "https://login.example.com" }]) {
    expect(await put(change), JSON.stringify(change)).toEqual([422, true]);
  }
  expect(await put({ integrationId: "i-2" })).toEqual([200, false]);
});
