import { createHmac, createPublicKey, randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FakeAccess, startFakeAccess } from "../../../dev/fakes/access.ts";
import type { Reply } from "../support/http.ts";
import { bearer } from "../support/tenant.ts";
import { poll } from "../support/timeline.ts";
import { type World, startWorld } from "../support/world.ts";

/** Whom the relay lets in by what Cloudflare Access has put into a request. */

const HEADER = "cf-access-jwt-assertion";
const OWN = { "sec-fetch-site": "same-origin" };
const VIEWER = randomBytes(24).toString("hex");

let access: FakeAccess;
let world: World;

const settingsFor = ({ url, audience }: FakeAccess) => ({
  OPERATORS: `siti:viewer=${VIEWER}`,
  ACCESS_TEAM_DOMAIN: url,
  ACCESS_AUD: audience,
  ACCESS_ROLES: "*@bank.example:viewer,siti@bank.example:admin",
});

beforeAll(async () => {
  access = await startFakeAccess();
  world = await startWorld({ settings: settingsFor(access) });
});
afterAll(async () => {
  await world.stop();
  await access.close();
});

const ask = (
  token: string,
  headers: Record<string, string> = OWN,
  path = "/admin/me",
  method = "GET",
): Promise<Reply> => world.call(path, { method, headers: { [HEADER]: token, ...headers } });
const nowSeconds = () => Math.floor(Date.now() / 1000);
const base64Url = (text: string) => Buffer.from(text).toString("base64url");

/** The token with another header, and signed by what makes the signature. */
function resigned(token: string, header: object, sign: (input: string) => string): string {
  const input = `${base64Url(JSON.stringify(header))}.${token.split(".")[1] ?? ""}`;
  return `${input}.${sign(input)}`;
}
const headerOf = (token: string) =>
  JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()) as { kid: string };
const publicKey = async (kid: string) => {
  const answer = (await (await fetch(`${access.url}/cdn-cgi/access/certs`)).json()) as { keys: { kid: string }[] };
  return createPublicKey({ key: answer.keys.find((key) => key.kid === kid) ?? {}, format: "jwk" });
};

describe("a token of Access", () => {
  test("a token of Access opens what the role of its e-mail may do", async () => {
    const reply = await ask(await access.tokenOf("siti@bank.example"));
    expect(reply.body).toMatchObject({ operator: { name: "siti@bank.example", role: "admin", by: "access" } });
    expect(await ask(await access.tokenOf("dewi@bank.example"), OWN, "/admin/tenants/x/credentials")).toBeRefused(
      403,
      "forbidden",
    );
  });

  test.each<[string, (good: string) => string | Promise<string>]>([
    ["for another application", () => access.tokenOf("siti@bank.example", { aud: ["another"] })],
    ["for nobody", () => access.tokenOf("siti@bank.example", { aud: [] })],
    ["of another team", () => access.tokenOf("siti@bank.example", { iss: "https://other.cloudflareaccess.com" })],
    ["that has expired", () => access.tokenOf("siti@bank.example", { exp: nowSeconds() - 60 })],
    ["that never expires", () => access.tokenOf("siti@bank.example", { exp: null })],
    ["that is not yet good", () => access.tokenOf("siti@bank.example", { nbf: nowSeconds() + 600 })],
    ["that nobody signed", (good) => resigned(good, { alg: "none", kid: headerOf(good).kid, typ: "JWT" }, () => "")],
    [
      "signed with the public key as if it were a secret",
      async (good) => {
        const { kid } = headerOf(good);
        const pem = (await publicKey(kid)).export({ type: "spki", format: "pem" });
        return resigned(good, { alg: "HS256", kid, typ: "JWT" }, (input) =>
          createHmac("sha256", pem).update(input).digest("base64url"),
        );
      },
    ],
    [
      "whose signature is another's",
      async (good) => {
        const other = await access.tokenOf("dewi@bank.example");
        return [...good.split(".").slice(0, 2), other.split(".")[2]].join(".");
      },
    ],
    ["with a key that nobody knows", (good) => resigned(good, { alg: "RS256", kid: "none", typ: "JWT" }, () => "AAAA")],
    ["that is cut short", (good) => good.slice(0, -9)],
    ["that is none", () => "siti@bank.example"],
    ["that is empty", () => ""],
  ])("a token of Access %s opens nothing", async (_, spoil) => {
    const token = await spoil(await access.tokenOf("siti@bank.example"));
    const reply = await ask(token);
    expect(reply).toBeRefused(401, "unauthorized");
    expect(reply.text).not.toContain("JW");
  });

  test("a token of Access in a request that another site has made opens nothing", async () => {
    const token = await access.tokenOf("siti@bank.example");
    const path = "/admin/tenants/x";
    for (const headers of [
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
      { "sec-fetch-site": "cross-site", origin: world.relay().url },
      { origin: "https://elsewhere.example" },
    ]) {
      expect(await ask(token, headers, path, "DELETE"), JSON.stringify(headers)).toBeRefused(401, "unauthorized");
    }
    expect(await ask(token, {}, path, "DELETE")).toBeRefused(401, "unauthorized");
    expect(await ask(token, { origin: world.relay().url }, path, "DELETE")).toBeRefused(404, "unknown_owner");
  });

  test("a token of Access without a role, or of a program, is told so, and a token of the relay's own beside it counts", async () => {
    const stranger = await ask(await access.tokenOf("dewi@elsewhere.example"));
    expect(stranger).toBeRefused(403, "forbidden");
    expect(stranger.text).toContain("dewi@elsewhere.example");
    const program = await access.serviceToken();
    expect((await ask(program)).text).toContain("service token");
    const both = await ask(program, bearer(VIEWER));
    expect(both.body).toMatchObject({ operator: { name: "siti", role: "viewer", by: "token" } });
  });
});

test("the keys of Access are read once, and not again for each token that names a made-up one", async () => {
  const team = await startFakeAccess();
  const relay = await startWorld({ settings: settingsFor(team) });
  const enter = async (token: string) =>
    (await relay.call("/admin/me", { headers: { [HEADER]: token, ...OWN } })).status;
  const good = await team.tokenOf("siti@bank.example");
  expect([await enter(good), await enter(good), team.reads()]).toEqual([200, 200, 1]);
  const forged = () => resigned(good, { alg: "RS256", kid: randomBytes(8).toString("hex") }, () => "AAAA");
  for (let tries = 0; tries < 20; tries++) expect(await enter(forged())).toBe(401);
  expect(team.reads()).toBe(1);
  await relay.stop();
  await team.close();
});

test("while Access gives no keys, who comes by it is told to try again, and who has a token goes in", async () => {
  const team = await startFakeAccess();
  const relay = await startWorld({ settings: settingsFor(team) });
  team.fail(true);
  const headers = { [HEADER]: await team.tokenOf("siti@bank.example"), ...OWN };
  const reply = await relay.call("/admin/me", { headers });
  expect(reply).toBeRefused(503, "unavailable");
  expect(reply.text).toContain("Cloudflare Access does not give its keys");
  expect((await relay.call("/admin/me", { headers: { ...headers, ...bearer(VIEWER) } })).status).toBe(200);
  team.fail(false);
  await poll(
    () => relay.call("/admin/me", { headers }),
    ({ status }) => status === 200,
    "Access to be asked again",
    15_000,
  );
  await relay.stop();
  await team.close();
});

test("a header of Access counts for nothing where the relay is not set up for it, and a faulty set-up shuts out no token", async () => {
  const bare = await startWorld();
  const token = await access.tokenOf("siti@bank.example");
  expect(await bare.call("/admin/me", { headers: { [HEADER]: token, ...OWN } })).toBeRefused(401, "unauthorized");
  await bare.stop();
  const faulty = await startWorld({ settings: { ...settingsFor(access), ACCESS_ROLES: "siti" } });
  expect(await faulty.call("/admin/me", { headers: { [HEADER]: token, ...OWN } })).toBeRefused(503, "unavailable");
  expect((await faulty.call("/admin/me", { headers: bearer(VIEWER) })).status).toBe(200);
  expect(faulty.relay().logs.join("\n")).toContain("ACCESS_ROLES is not a list");
  await faulty.stop();
});
