import { randomBytes, randomUUID } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { closeEvent, incomingEvent, outgoingEvent } from "./support/events.ts";
import type { Reply } from "./support/http.ts";
import { type Tenant, bearer, newTicketNumber, openTicket } from "./support/tenant.ts";
import { type World, startWorld } from "./support/world.ts";

/** Who may do what: every route under every credential there is, as one table. */

const CONTACT = String(incomingEvent("any", "any")["contactId"]);
const BRANCH_KEY = randomBytes(24).toString("hex");
let world: World;
/** Of two desks, one bound to the key `branch`; and two more of a third desk. */
let alone: Tenant;
let bound: Tenant;
let one: Tenant;
let other: Tenant;
let tickets: Map<Tenant, string>;

beforeAll(async () => {
  const main = randomBytes(24).toString("hex");
  world = await startWorld({ settings: { INGRESS_KEYS: `main=${main},branch=${BRANCH_KEY}` } });
  const deskId = `shared-${randomUUID()}`;
  [alone, bound, one, other] = await Promise.all([
    world.tenant(),
    world.tenant({ record: { ingress: "main" } }),
    world.tenant({ deskId }),
    world.tenant({ deskId }),
  ]);
  // An engine that knows this contact, and nothing of any history.
  for (const { engine } of [alone, bound, one, other]) {
    engine.answerWith(({ path }) => ({
      status: 200,
      body: path.includes("contactById") ? `{"id":"${CONTACT}"}` : '{"status":"success","data":[]}',
    }));
  }
  const numbers = await Promise.all(
    [alone, bound, one, other].map(async (each) => [each, await openTicket(each)] as const),
  );
  tickets = new Map(numbers);
  // From here on the bound tenant hears the other key alone.
  await world.putTenant(bound, { record: { ingress: "branch" } });
});
afterAll(() => world.stop());

type Credential = { key: string; headers: (body: string) => Record<string, string> };
const plain = (headers: Record<string, string>, key = "none"): Credential => ({ key, headers: () => headers });
const signing = (secret: string): Credential => ({
  key: "none",
  headers: (body) => {
    const [id, at] = [randomUUID(), new Date()];
    const timestamp = String(Math.floor(at.getTime() / 1_000));
    return {
      "webhook-id": id,
      "webhook-timestamp": timestamp,
      "webhook-signature": new Webhook(secret).sign(id, at, body),
    };
  },
});

const credentials = (): Record<string, Credential> => ({
  nothing: plain({}),
  "alone's token": plain(bearer(alone.token)),
  "bound's token": plain(bearer(bound.token)),
  "the shared desk's token": plain(bearer(one.token)),
  "alone's signature": signing(alone.signingSecret),
  "bound's signature": signing(bound.signingSecret),
  "the shared desk's signature": signing(one.signingSecret),
  "the key main": plain({}, world.ingressKey),
  "the key branch": plain({}, BRANCH_KEY),
  "the operator's token": plain(bearer(world.settings.ADMIN_TOKEN)),
  "a wrong token": plain(bearer(`desk_${Buffer.from(alone.owner).toString("base64url")}.${"A".repeat(43)}`)),
  "a signature by the token": signing(Buffer.from(alone.token).toString("base64")),
  "a cookie that nobody was given": plain({
    cookie: `relay_session=${"A".repeat(43)}.${Date.now() + 3_600_000}.${"A".repeat(43)}`,
    "sec-fetch-site": "same-origin",
  }),
  "the master key": plain(bearer(world.settings.MASTER_KEY), encodeURIComponent(world.settings.MASTER_KEY)),
});

type Ask = {
  method: string;
  path: (tenant: Tenant, number: string, key: string) => string;
  body?: (tenant: Tenant, number: string) => unknown;
};
const OPERATORS_OWN: Record<string, Ask> = {
  health: { method: "GET", path: () => "/admin/health" },
  overview: { method: "GET", path: (t) => `/admin/tenants/${t.owner}/overview` },
  "tenant's tickets": { method: "GET", path: (t) => `/admin/tenants/${t.owner}/tickets` },
  "dead letters": { method: "GET", path: (t) => `/admin/tenants/${t.owner}/dead-letters` },
  "test of the desk": { method: "POST", path: (t) => `/admin/tenants/${t.owner}/test/desk` },
};
const ROUTES: Record<string, Ask> = {
  incoming: {
    method: "POST",
    path: (_t, _n, key) => `/v1/dolphins/${key}/incoming`,
    body: (t, n) => incomingEvent(t.owner, n),
  },
  sendMessage: {
    method: "POST",
    path: (_t, _n, key) => `/v1/dolphins/${key}/sendMessage`,
    body: (t, n) => incomingEvent(t.owner, n),
  },
  "engine's command": {
    method: "POST",
    path: (_t, _n, key) => `/v1/dolphins/${key}/command`,
    body: (t, n) => closeEvent(t.owner, n),
  },
  outgoing: { method: "POST", path: () => "/v1/outgoing", body: (t, n) => outgoingEvent(t.owner, n) },
  "desk's command": { method: "POST", path: () => "/v1/command", body: (t, n) => closeEvent(t.owner, n) },
  "desk's webhook": {
    method: "POST",
    path: (t) => `/v1/desks/native/${t.owner}`,
    body: (t, n) => outgoingEvent(t.owner, n),
  },
  ticket: { method: "GET", path: (t, n) => `/v1/tickets/${n}?owner=${t.owner}` },
  contact: {
    method: "GET",
    path: (t, n) => `/v1/contacts/${CONTACT}?ticketNumber=${n}&owner=${t.owner}`,
  },
  history: { method: "GET", path: (t, n) => `/v1/tickets/${n}/history?owner=${t.owner}` },
  tenants: { method: "GET", path: () => "/admin/tenants" },
  tenant: { method: "GET", path: (t) => `/admin/tenants/${t.owner}` },
  credentials: { method: "GET", path: (t) => `/admin/tenants/${t.owner}/credentials` },
  "operator's ticket": { method: "GET", path: (t, n) => `/admin/tickets/${t.owner}/${n}` },
  replay: { method: "POST", path: (t, n) => `/admin/tickets/${t.owner}/${n}/replay`, body: () => ({ all: true }) },
  ...OPERATORS_OWN,
};
/** Routes that would change what the table is about: tried with every credential but the operator's. */
const DANGEROUS: Record<string, Ask> = {
  put: { method: "PUT", path: (t) => `/admin/tenants/${t.owner}`, body: () => ({}) },
  delete: { method: "DELETE", path: (t) => `/admin/tenants/${t.owner}` },
  rotate: { method: "POST", path: (t) => `/admin/tenants/${t.owner}/credentials/rotate` },
};

async function ask(
  { method, path, body }: Ask,
  credential: Credential,
  tenant: Tenant,
  number: string,
): Promise<Reply> {
  const text = body === undefined ? undefined : JSON.stringify(body(tenant, number));
  return world.call(path(tenant, number, credential.key), {
    method,
    headers: credential.headers(text ?? ""),
    body: text,
  });
}

const codeOf = (reply: Reply): string =>
  reply.status === 200 ? "200" : `${reply.status} ${(reply.body as { error: { code: string } }).error.code}`;

/** By route: who is let in for this tenant, and what all others hear. */
type Rule = { may: string[]; also?: Record<string, string>; rest: string };

function rules(name: "alone" | "bound" | "one"): Record<string, Rule> {
  const mine = name === "one" ? "the shared desk's" : `${name}'s`;
  const tokens = ["alone's token", "bound's token", "the shared desk's token"];
  const others = (named: string[]): Record<string, string> =>
    Object.fromEntries(named.filter((each) => !each.startsWith(mine)).map((each) => [each, "403 wrong_owner"]));
  const engine: Rule =
    name === "bound"
      ? { may: ["the key branch"], also: { "the key main": "404 unknown_owner" }, rest: "401 unauthorized" }
      : { may: ["the key main", "the key branch"], rest: "401 unauthorized" };
  const post: Rule = { may: [`${mine} token`, `${mine} signature`], also: others(tokens), rest: "401 unauthorized" };
  const read: Rule = { may: [`${mine} token`], also: others(tokens), rest: "401 unauthorized" };
  const operator: Rule = { may: ["the operator's token"], rest: "401 unauthorized" };
  return {
    incoming: engine,
    sendMessage: engine,
    "engine's command": engine,
    outgoing: post,
    "desk's command": post,
    "desk's webhook": { may: [], rest: "401 unauthorized" },
    ticket: read,
    contact: read,
    history: read,
    ...Object.fromEntries(
      [...Object.keys(OPERATORS_OWN), "tenants", "tenant", "credentials", "operator's ticket", "replay"].map(
        (route) => [route, operator],
      ),
    ),
  };
}

describe.each(["alone", "bound", "one"] as const)("of the tenant %s", (name) => {
  const tenantOf = (): Tenant => ({ alone, bound, one })[name];

  test.each(Object.keys(ROUTES))("%s is for those it is for, and for nobody else", async (route) => {
    const rule = rules(name)[route];
    const request = ROUTES[route];
    if (!rule || !request) throw new Error(`no rule for ${route}`);
    const number = newTicketNumber();
    const opened = await world.call(`/v1/dolphins/${name === "bound" ? BRANCH_KEY : world.ingressKey}/incoming`, {
      method: "POST",
      body: incomingEvent(tenantOf().owner, number),
    });
    expect(opened).toBeAccepted();
    const found: Record<string, string> = {};
    for (const [who, credential] of Object.entries(credentials())) {
      found[who] = codeOf(await ask(request, credential, tenantOf(), number));
    }
    const expected = Object.keys(found).map((who) => [
      who,
      rule.may.includes(who) ? "200" : (rule.also?.[who] ?? rule.rest),
    ]);
    expect(found).toEqual(Object.fromEntries(expected));
  });

  test.each(Object.keys(DANGEROUS))("%s is for the operator alone", async (route) => {
    const request = DANGEROUS[route];
    if (!request) throw new Error(`no route ${route}`);
    const before = await world.admin("GET", `/admin/tenants/${tenantOf().owner}/credentials`);
    for (const [who, credential] of Object.entries(credentials())) {
      if (who === "the operator's token") continue;
      const reply = await ask(request, credential, tenantOf(), "none");
      expect([who, codeOf(reply)]).toEqual([who, "401 unauthorized"]);
    }
    expect((await world.admin("GET", `/admin/tenants/${tenantOf().owner}/credentials`)).text).toBe(before.text);
  });
});

describe("what a credential hears of another's", () => {
  /** An answer whole, but for what is new each time. */
  const whole = ({ status, headers, text }: Reply): unknown => {
    const kept = [...headers].filter(([name]) => name !== "x-request-id" && name !== "date");
    return { status, headers: kept, text };
  };
  const heard = async (who: string, tenant: Tenant, number: string, routes: string[]): Promise<unknown[]> => {
    const credential = credentials()[who];
    if (!credential) throw new Error(`no credential ${who}`);
    const replies = [];
    for (const route of routes) {
      const request = ROUTES[route];
      if (request) replies.push(whole(await ask(request, credential, tenant, number)));
    }
    expect(replies).toHaveLength(routes.length);
    return replies;
  };
  const nobody = (): Tenant => ({ ...alone, owner: randomUUID().replaceAll("-", "") });
  const DESK = ["outgoing", "desk's command", "ticket", "contact", "history"];

  test("ticket is, to the byte, what it hears of one that there is not", async () => {
    const there = await heard("alone's token", bound, tickets.get(bound) ?? "", DESK);
    expect(await heard("alone's token", bound, newTicketNumber(), DESK)).toEqual(there);
    expect(await heard("alone's token", nobody(), newTicketNumber(), DESK)).toEqual(there);
  });

  test("ticket under its own owner is what it hears of one that there is not", async () => {
    const there = await heard("alone's token", alone, tickets.get(bound) ?? "", DESK);
    expect(await heard("alone's token", alone, newTicketNumber(), DESK)).toEqual(there);
    const shared = await heard("the shared desk's token", one, tickets.get(other) ?? "", DESK);
    expect(await heard("the shared desk's token", one, newTicketNumber(), DESK)).toEqual(shared);
  });

  test.each(["alone's token", "the shared desk's token"])(
    "ticket with no owner given, by %s, is the same",
    async (who) => {
      const unnamed = async (number: string): Promise<unknown[]> => {
        const headers = credentials()[who]?.headers("") ?? {};
        const post = (path: string, body: unknown): Promise<Reply> =>
          world.call(path, { method: "POST", headers, body });
        return [
          whole(await post("/v1/outgoing", outgoingEvent(undefined, number))),
          whole(await post("/v1/command", closeEvent(undefined, number))),
          whole(await world.call(`/v1/tickets/${number}`, { headers })),
        ];
      };
      expect(await unnamed(tickets.get(bound) ?? "")).toEqual(await unnamed(newTicketNumber()));
    },
  );

  test("owner is the same by signature", async () => {
    const there = await heard("alone's signature", bound, tickets.get(bound) ?? "", ["outgoing", "desk's command"]);
    expect(await heard("alone's signature", nobody(), newTicketNumber(), ["outgoing", "desk's command"])).toEqual(
      there,
    );
  });

  test("owner is the same for an engine with another's key", async () => {
    const ENGINE = ["incoming", "sendMessage", "engine's command"];
    const there = await heard("the key main", bound, tickets.get(bound) ?? "", ENGINE);
    expect(await heard("the key main", nobody(), newTicketNumber(), ENGINE)).toEqual(there);
  });

  test("owner is the same to nobody, who hears nothing", async () => {
    const there = await heard("nothing", bound, tickets.get(bound) ?? "", Object.keys(ROUTES));
    expect(await heard("nothing", nobody(), newTicketNumber(), Object.keys(ROUTES))).toEqual(there);
  });

  test("ticket has left no trace in it", async () => {
    for (const tenant of [alone, bound, other]) {
      const { lanes, state } = await tenant.ticket(tickets.get(tenant) ?? "");
      expect([state, lanes.toDesk.accepted, lanes.toDolphins.accepted]).toEqual(["open", 1, 0]);
    }
  });
});
