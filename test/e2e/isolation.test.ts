import { randomBytes, randomUUID } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ApiDocument, ApiOperation } from "../../openapi/check.ts";
import { closeEvent, incomingEvent, outgoingEvent } from "./support/events.ts";
import type { Reply } from "./support/http.ts";
import { type Api, apiOf } from "./openapi/api.ts";
import { schemesOf } from "./openapi/walk.ts";
import { type Tenant, bearer, newTicketNumber, openTicket } from "./support/tenant.ts";
import { type World, startWorld } from "./support/world.ts";

/** Who may do what: every operation of the API's description, under every credential there is, as one table. */

const CONTACT = String(incomingEvent("any", "any")["contactId"]);
const BRANCH_KEY = randomBytes(24).toString("hex");
let world: World;
let api: Api;
/** Of two desks, one bound to the key `branch`; and two more of a third desk. */
let alone: Tenant;
let bound: Tenant;
let one: Tenant;
let other: Tenant;
let tickets: Map<Tenant, string>;

beforeAll(async () => {
  const main = randomBytes(24).toString("hex");
  world = await startWorld({ assets: true, settings: { INGRESS_KEYS: `main=${main},branch=${BRANCH_KEY}` } });
  api = apiOf((await world.call("/openapi.json")).body as ApiDocument);
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
  "the master key": plain(bearer(world.settings.MASTER_KEY), world.settings.MASTER_KEY),
});

/** By operation, where it takes a body: one that is in order, so that nothing but the credential is refused. */
const BODIES: Record<string, (owner: string, number: string) => unknown> = {
  incoming: incomingEvent,
  sendMessage: incomingEvent,
  incomingMessage: incomingEvent,
  engineCommand: closeEvent,
  outgoing: outgoingEvent,
  command: closeEvent,
  deskWebhook: outgoingEvent,
  signIn: () => ({ token: "nobody's" }),
  putTenant: () => ({}),
  retryTicket: () => ({}),
  retryTenant: () => ({}),
  pauseTenant: () => ({}),
  resumeTenant: () => ({}),
  discardDeadLetters: () => ({ all: true }),
  replayTicket: () => ({ all: true }),
  replayDeadLetters: () => ({ all: true }),
  eraseCustomer: (_owner, ticketNumber) => ({ ticketNumber }),
};
/** These would change what the table is about. They are tried with every credential but the operator's. */
const DANGEROUS = new Set(["putTenant", "deleteTenant", "rotateCredentials"]);
/** What those hear who are let in, where it is not 200: no body is sent, no engine here takes a login, and nobody upgrades. */
const LET_IN: Record<string, string> = {
  connectChatwoot: "400 invalid_json",
  testEngine: "422 invalid_request",
  watch: "426 upgrade_required",
  exportCustomer: "422 invalid_request",
  getPurge: "404 not_found",
};

async function ask(
  operation: ApiOperation,
  credential: Credential,
  { owner }: Pick<Tenant, "owner">,
  number: string,
): Promise<Reply> {
  const { operationId, method, parameters = [] } = operation;
  const names = { owner, ticketNumber: number, contactId: CONTACT, ingressKey: credential.key, deskType: "native" };
  const path = api.pathOf(operation, names);
  const takesOwner = parameters.some((parameter) => parameter.name === "owner" && parameter.in === "query");
  const body = operation.requestBody === undefined ? undefined : JSON.stringify(BODIES[operationId]?.(owner, number));
  const query = takesOwner ? `${path.includes("?") ? "&" : "?"}owner=${owner}` : "";
  return world.call(path + query, { method, headers: credential.headers(body ?? ""), body });
}

const codeOf = (reply: Reply): string =>
  reply.status === 200 ? "200" : `${reply.status} ${(reply.body as { error: { code: string } }).error.code}`;

/** Who is let in for this tenant, and what all others hear. */
type Rule = { may: string[]; also?: Record<string, string>; rest: string };
const REST = "401 unauthorized";

/** Follows from the credentials that the description names for an operation. */
function ruleFor(name: "alone" | "bound" | "one", operation: ApiOperation): Rule {
  const schemes = schemesOf(operation);
  // Its credential is a link that nobody here was sent.
  if (operation.operationId === "media") return { may: [], rest: "404 not_found" };
  const mine = name === "one" ? "the shared desk's" : `${name}'s`;
  const tokens = ["alone's token", "bound's token", "the shared desk's token"];
  const others = Object.fromEntries(
    tokens.filter((each) => !each.startsWith(mine)).map((each) => [each, "403 wrong_owner"]),
  );
  if (operation.path.includes("{ingressKey}")) {
    return name === "bound"
      ? { may: ["the key branch"], also: { "the key main": "404 unknown_owner" }, rest: REST }
      : { may: ["the key main", "the key branch"], rest: REST };
  }
  if (schemes.includes("operatorToken")) return { may: ["the operator's token"], rest: REST };
  if (schemes.includes("standardWebhooks")) {
    return { may: [`${mine} token`, `${mine} signature`], also: others, rest: REST };
  }
  if (schemes.includes("deskToken")) return { may: [`${mine} token`], also: others, rest: REST };
  // A session's cookie and a known desk's signature: nobody here has one. Signing in takes no credential but the body's.
  if (schemes.length > 0 || operation.operationId === "signIn") return { may: [], rest: REST };
  return { may: [], rest: "200" };
}

describe.each(["alone", "bound", "one"] as const)("of the tenant %s", (name) => {
  const tenantOf = (): Tenant => ({ alone, bound, one })[name];

  test(`every operation on the tenant ${name} is for those it is for, and for nobody else`, async () => {
    for (const operation of api.operations) {
      const { operationId } = operation;
      const number = newTicketNumber();
      const opened = await world.call(`/v1/dolphins/${name === "bound" ? BRANCH_KEY : world.ingressKey}/incoming`, {
        method: "POST",
        body: incomingEvent(tenantOf().owner, number),
      });
      expect(opened).toBeAccepted();
      const { may, also, rest } = ruleFor(name, operation);
      const found: Record<string, string> = {};
      const expected: Record<string, string> = {};
      for (const [who, credential] of Object.entries(credentials())) {
        if (DANGEROUS.has(operationId) && may.includes(who)) continue;
        found[who] = codeOf(await ask(operation, credential, tenantOf(), number));
        expected[who] = may.includes(who) ? (LET_IN[operationId] ?? "200") : (also?.[who] ?? rest);
      }
      expect(found, operationId).toEqual(expected);
    }
    // Nobody has rotated it meanwhile.
    expect((await world.admin("GET", `/admin/tenants/${tenantOf().owner}/credentials`)).text).toContain(
      tenantOf().token,
    );
  });
});

describe("what a credential hears of another's", () => {
  /** An answer whole, but for what is new each time. */
  const whole = ({ status, headers, text }: Reply): unknown => {
    const kept = [...headers].filter(([name]) => name !== "x-request-id" && name !== "date");
    return { status, headers: kept, text };
  };
  const heard = async (who: string, tenant: Tenant, number: string, ids?: string[]): Promise<unknown[]> => {
    const credential = credentials()[who];
    if (!credential) throw new Error(`no credential ${who}`);
    const some = api.operations.filter(({ operationId }) => ids?.includes(operationId) ?? true);
    expect(some).toHaveLength(ids?.length ?? api.operations.length);
    const replies = [];
    for (const operation of some) replies.push(whole(await ask(operation, credential, tenant, number)));
    return replies;
  };
  const nobody = (): Tenant => ({ ...alone, owner: randomUUID().replaceAll("-", "") });
  const DESK = ["outgoing", "command", "ticket", "contact", "history"];

  test("what a credential hears of another's ticket is, to the byte, what it hears of one that there is not", async () => {
    const there = await heard("alone's token", bound, tickets.get(bound) ?? "", DESK);
    expect(await heard("alone's token", bound, newTicketNumber(), DESK)).toEqual(there);
    expect(await heard("alone's token", nobody(), newTicketNumber(), DESK)).toEqual(there);
  });

  test("what a credential hears of another's ticket under its own owner is what it hears of one that there is not", async () => {
    const there = await heard("alone's token", alone, tickets.get(bound) ?? "", DESK);
    expect(await heard("alone's token", alone, newTicketNumber(), DESK)).toEqual(there);
    const shared = await heard("the shared desk's token", one, tickets.get(other) ?? "", DESK);
    expect(await heard("the shared desk's token", one, newTicketNumber(), DESK)).toEqual(shared);
  });

  test.each(["alone's token", "the shared desk's token"])(
    "what a credential hears of another's ticket with no owner given, by %s, is the same",
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

  test("what a credential hears of another's owner is the same by signature", async () => {
    const there = await heard("alone's signature", bound, tickets.get(bound) ?? "", ["outgoing", "command"]);
    expect(await heard("alone's signature", nobody(), newTicketNumber(), ["outgoing", "command"])).toEqual(there);
  });

  test("what a credential hears of another's owner is the same for an engine with another's key", async () => {
    const ENGINE = ["incoming", "sendMessage", "incomingMessage", "engineCommand"];
    const there = await heard("the key main", bound, tickets.get(bound) ?? "", ENGINE);
    expect(await heard("the key main", nobody(), newTicketNumber(), ENGINE)).toEqual(there);
  });

  test("what a credential hears of another's owner is the same to nobody, who hears nothing", async () => {
    const there = await heard("nothing", bound, tickets.get(bound) ?? "");
    expect(await heard("nothing", nobody(), newTicketNumber())).toEqual(there);
  });

  test("what a credential hears of another's ticket has left no trace in it", async () => {
    for (const tenant of [alone, bound, other]) {
      const { lanes, state } = await tenant.ticket(tickets.get(tenant) ?? "");
      expect([state, lanes.toDesk.accepted, lanes.toDolphins.accepted]).toEqual(["open", 1, 0]);
    }
  });
});
