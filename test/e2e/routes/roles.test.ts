import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FakeAccess, startFakeAccess } from "../../../dev/fakes/access.ts";
import type { Reply } from "../support/http.ts";
import { OPEN_FROM, ROLES, type Role } from "../support/roles.ts";
import { type Tenant, bearer, openTicket } from "../support/tenant.ts";
import { type World, startWorld } from "../support/world.ts";

/** Every route under /admin, by an operator of each role, in each of the ways to show who one is. */

const reaches = (role: Role, needed: Role) => ROLES.indexOf(role) >= ROLES.indexOf(needed);

const TOKENS = Object.fromEntries(ROLES.map((role) => [role, randomBytes(24).toString("hex")])) as Record<Role, string>;

let world: World;
let access: FakeAccess;
let tenant: Tenant;
let ticketNumber: string;

beforeAll(async () => {
  access = await startFakeAccess();
  world = await startWorld({
    settings: {
      OPERATORS: ROLES.map((role) => `the-${role}:${role}=${TOKENS[role]}`).join(","),
      ACCESS_TEAM_DOMAIN: access.url,
      ACCESS_AUD: access.audience,
      ACCESS_ROLES: ROLES.map((role) => `${role}@bank.example:${role}`).join(","),
    },
  });
  tenant = await world.tenant();
  ticketNumber = await openTicket(tenant);
});
afterAll(async () => {
  await world.stop();
  await access.close();
});

const OWN = { "sec-fetch-site": "same-origin" };

async function cookieOf(token: string): Promise<string> {
  const answer = await world.call("/console/session", { method: "POST", body: { token } });
  expect(answer.status, answer.text).toBe(200);
  return answer.headers.get("set-cookie")?.split(";", 1)[0] ?? "";
}

const WAYS: Record<string, (role: Role) => Promise<Record<string, string>>> = {
  "a token of their own": (role) => Promise.resolve(bearer(TOKENS[role])),
  "the cookie of a session": async (role) => ({
    cookie: await cookieOf(TOKENS[role]),
    ...OWN,
    origin: world.relay().url,
  }),
  "Cloudflare Access": async (role) => ({
    "cf-access-jwt-assertion": await access.tokenOf(`${role}@bank.example`),
    ...OWN,
    origin: world.relay().url,
  }),
};

/** For a tenant that is not there, unless it is only read: nobody who is let in changes anything. */
function ask(route: string, headers: Record<string, string>): Promise<Reply> {
  const [method = "", pattern = ""] = route.split(" ");
  const owner = method === "GET" ? tenant.owner : "nobody";
  const path = pattern.replace(":owner", owner).replace(":ticketNumber", ticketNumber);
  return world.call(path, { method, headers, body: method === "GET" ? undefined : { all: true } });
}

function whetherLetIn({ status, body }: Reply): string {
  if (status !== 401 && status !== 403) return "let in";
  const { code, message } = (body as { error: { code: string; message: string } }).error;
  return `${status} ${code}: ${message.split(",")[0] ?? ""}`;
}

describe.each(Object.keys(WAYS))("by %s", (way) => {
  test.each(ROLES)(
    `who has shown by ${way} to be %s may do what that role may, and is told what else needs`,
    async (role) => {
      const headers = (await WAYS[way]?.(role)) ?? {};
      const found: Record<string, string> = {};
      const expected: Record<string, string> = {};
      for (const [route, needed] of Object.entries(OPEN_FROM)) {
        found[route] = whetherLetIn(await ask(route, headers));
        expected[route] = reaches(role, needed) ? "let in" : `403 forbidden: This needs the role ${needed}`;
      }
      expect(found).toEqual(expected);
    },
  );
});

test("who one is, is said by name, role and how one has shown it", async () => {
  const said = async (headers: Record<string, string>) => (await world.call("/admin/me", { headers })).body;
  const operator = (name: string, role: Role, by: string) => ({ status: "success", operator: { name, role, by } });
  expect(await said(bearer(world.settings.ADMIN_TOKEN))).toEqual(operator("admin", "admin", "token"));
  expect(await said(bearer(TOKENS.viewer))).toEqual(operator("the-viewer", "viewer", "token"));
  expect(await said({ cookie: await cookieOf(TOKENS.operator), ...OWN })).toEqual(
    operator("the-operator", "operator", "session"),
  );
  const assertion = await access.tokenOf("Admin@Bank.Example");
  expect(await said({ "cf-access-jwt-assertion": assertion, ...OWN })).toEqual(
    operator("admin@bank.example", "admin", "access"),
  );
});

test("a token goes before a session, and a session before Cloudflare Access", async () => {
  const assertion = { "cf-access-jwt-assertion": await access.tokenOf("viewer@bank.example"), ...OWN };
  const cookie = await cookieOf(TOKENS.operator);
  const roleOf = async (headers: Record<string, string>) =>
    ((await world.call("/admin/me", { headers })).body as { operator: { role: Role } }).operator.role;
  expect(await roleOf({ ...assertion, cookie, ...bearer(TOKENS.admin) })).toBe("admin");
  expect(await roleOf({ ...assertion, cookie })).toBe("operator");
  expect(await roleOf({ ...assertion, cookie: `${cookie}x` })).toBe("viewer");
});
