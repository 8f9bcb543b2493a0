import { createExecutionContext, runInDurableObject, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { describe, expect, test, vi } from "vitest";
import { app } from "../../../src/app";
import { accepted, fresh, incoming, registerTenant, tokenOf, useFarEnds } from "../world";

/** Operators by name: when a session ends, when the keys of Access are read again, and what needs the audit log. */

const { sent, answerWith } = useFarEnds();

const ORIGIN = "https://relay.example";
const OWN = { "sec-fetch-site": "same-origin", origin: ORIGIN };
const TOKEN = "sitis-own-token-for-tests-alone-0123456789";
const OTHER = "sitis-next-token-for-tests-alone-0123456789";

async function ask(path: string, settings: object, init: RequestInit = {}): Promise<Response> {
  const context = createExecutionContext();
  const answer = await app.fetch(new Request(ORIGIN + path, init), { ...env, ...settings }, context);
  await waitOnExecutionContext(context);
  return answer;
}
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

async function cookieOf(settings: object, token = TOKEN): Promise<string> {
  const answer = await ask("/console/session", settings, { method: "POST", body: JSON.stringify({ token }) });
  expect(answer.status, await answer.text()).toBe(200);
  return answer.headers.get("set-cookie")?.split(";", 1)[0] ?? "";
}

describe("a session of a named operator", () => {
  const SITI = { OPERATORS: `siti:operator=${TOKEN}` };
  test.each([
    ["the settings are as they were", SITI, 200],
    ["another operator comes in", { OPERATORS: `siti:operator=${TOKEN},budi:viewer=${OTHER}` }, 200],
    ["ADMIN_TOKEN is another", { ...SITI, ADMIN_TOKEN: OTHER }, 200],
    ["the operator is taken out", { OPERATORS: `budi:operator=${OTHER}` }, 401],
    ["all operators are taken out", {}, 401],
    ["the token is another", { OPERATORS: `siti:operator=${OTHER}` }, 401],
    ["the role is less", { OPERATORS: `siti:viewer=${TOKEN}` }, 401],
    ["the role is more", { OPERATORS: `siti:admin=${TOKEN}` }, 401],
    ["the token is given to another name", { OPERATORS: `budi:operator=${TOKEN}` }, 401],
    ["OPERATORS is malformed", { OPERATORS: "siti" }, 503],
  ])("a session of a named operator, when %s: %o is answered %i", async (_, settings, status) => {
    const cookie = await cookieOf(SITI);
    const answer = await ask("/admin/me", settings, { headers: { cookie, ...OWN } });
    expect(answer.status).toBe(status);
  });
});

describe("the keys of Cloudflare Access", () => {
  /** A team whose keys the relay does not know yet. */
  async function team() {
    const host = `${fresh("team")}.cloudflareaccess.com`;
    const settings = { ACCESS_TEAM_DOMAIN: host, ACCESS_AUD: "aud", ACCESS_ROLES: "*@bank.example:viewer" };
    const keys: object[] = [];
    const signing = async (kid: string) => {
      const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
      keys.push({ ...(await exportJWK(publicKey)), kid, alg: "RS256", use: "sig" });
      const token = await new SignJWT({ email: "siti@bank.example", aud: ["aud"], iss: `https://${host}` })
        .setProtectedHeader({ alg: "RS256", kid })
        .setExpirationTime("10y")
        .sign(privateKey);
      return async () =>
        (await ask("/admin/me", settings, { headers: { "cf-access-jwt-assertion": token, ...OWN } })).status;
    };
    const reads = () => sent.filter(({ url }) => url === `https://${host}/cdn-cgi/access/certs`).length;
    answerWith(() => Response.json({ keys }));
    return { signing, reads, away: () => answerWith(() => new Response("", { status: 503 })) };
  }

  test("the keys of Cloudflare Access are read again for a key that is new, a minute after they were read", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const { signing, reads } = await team();
    const enter = await signing("one");
    expect([await enter(), reads()]).toEqual([200, 1]);
    const enterByNew = await signing("two");
    expect([await enterByNew(), reads()]).toEqual([401, 1]);
    vi.setSystemTime(Date.now() + 61_000);
    expect([await enterByNew(), await enter(), reads()]).toEqual([200, 200, 2]);
  });

  test("the keys of Cloudflare Access that are known do for a day while Access gives none, and no longer", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const { signing, reads, away } = await team();
    const enter = await signing("one");
    expect(await enter()).toBe(200);
    away();
    vi.setSystemTime(Date.now() + 3_700_000);
    expect([await enter(), await enter(), reads()]).toEqual([200, 200, 2]);
    vi.setSystemTime(Date.now() + 24 * 3_600_000);
    expect(await enter()).toBe(503);
  });

  test("the keys of Cloudflare Access are not asked for again at each request while Access gives none", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const { signing, reads, away } = await team();
    const enter = await signing("one");
    away();
    expect([await enter(), await enter(), reads()]).toEqual([503, 503, 1]);
    vi.setSystemTime(Date.now() + 5_001);
    expect([await enter(), reads()]).toEqual([503, 2]);
  });
});

describe("without the audit log", () => {
  const AWAY = {
    AUDIT: {
      getByName: () => {
        throw new Error("overloaded");
      },
    },
  };
  const admin = bearer(env.ADMIN_TOKEN);

  test("without the audit log an act is not begun, and no word of a customer is shown to an operator", async () => {
    const owner = await registerTenant();
    await accepted(incoming(owner, "t", "Halo"));
    const requests: [string, RequestInit][] = [
      [`/admin/tickets/${owner}/t`, admin],
      [`/admin/tenants/${owner}/credentials`, admin],
      [`/admin/tenants/${owner}`, { ...admin, method: "DELETE" }],
      ["/console/session", { method: "POST", body: JSON.stringify({ token: env.ADMIN_TOKEN }) }],
    ];
    for (const [path, init] of requests) {
      const answer = await ask(path, AWAY, init);
      expect([answer.status, answer.headers.get("set-cookie")], path).toEqual([503, null]);
      expect(await answer.text(), path).not.toMatch(/Halo|desk_|whsec_/);
    }
    for (const path of ["/admin/me", "/admin/tenants", `/admin/tenants/${owner}`, `/admin/tenants/${owner}/overview`])
      expect((await ask(path, AWAY, admin)).status, path).toBe(200);
  });

  test("without the audit log a desk still sees its tickets, a session ends, and the log line holds what the entry would have", async () => {
    const owner = await registerTenant();
    await accepted(incoming(owner, "t", "Halo"));
    const token = await tokenOf(owner);
    const cookie = await cookieOf({}, env.ADMIN_TOKEN);
    const lines: string[] = [];
    vi.spyOn(console, "log").mockImplementation((line: string) => lines.push(line));
    expect((await ask("/v1/tickets/t", AWAY, bearer(token))).status).toBe(200);
    const out = await ask("/console/session", AWAY, { method: "DELETE", headers: { cookie, ...OWN } });
    expect(out.status).toBe(200);
    const failed = lines.map((line) => JSON.parse(line) as { event: string; entry: string });
    const entries = failed
      .filter(({ event }) => event === "audit_failed")
      .map(({ entry }) => JSON.parse(entry) as object);
    expect(entries).toMatchObject([
      { action: "ticket_read", actor: { name: `desk ${owner}`, by: "desk" }, owner, ticketNumber: "t" },
      { action: "signed_out", actor: { name: "admin", by: "session" } },
    ]);
  });

  test("an act whose entry is lost at the end is done all the same, and its line says so", async () => {
    const owner = await registerTenant();
    const broken = {
      AUDIT: {
        getByName: () => ({ isReady: () => Promise.resolve(true), append: () => Promise.reject(new Error("reset")) }),
      },
    };
    const lines: string[] = [];
    vi.spyOn(console, "log").mockImplementation((line: string) => lines.push(line));
    expect((await ask(`/admin/tenants/${owner}`, broken, { ...admin, method: "DELETE" })).status).toBe(200);
    expect(lines.join("\n")).toMatch(/"audit_failed".*tenant_deleted/);
  });

  test("a look is not taken for written when it was not: the next one is", async () => {
    const owner = await registerTenant();
    await accepted(incoming(owner, "t", "Halo"));
    expect((await ask(`/admin/tickets/${owner}/t`, AWAY, admin)).status).toBe(503);
    expect((await ask(`/admin/tickets/${owner}/t`, {}, admin)).status).toBe(200);
    const entries = await runInDurableObject(env.AUDIT.getByName("audit"), (_, { storage }) =>
      storage.sql.exec<{ json: string }>("SELECT json FROM entry").toArray(),
    );
    expect(entries.filter(({ json }) => json.includes('"ticket_read"') && json.includes(owner))).toHaveLength(1);
  });
});
