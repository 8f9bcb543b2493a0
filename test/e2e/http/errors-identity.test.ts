import { randomBytes, randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { closeEvent, incomingEvent, outgoingEvent } from "../support/events.ts";
import type { Reply } from "../support/http.ts";
import { type Tenant, bearer, newTicketNumber, openTicket } from "../support/tenant.ts";
import { type World, startWorld } from "../support/world.ts";

const FIVE_MINUTES_MS = 5 * 60_000;
const BRANCH_KEY = randomBytes(24).toString("hex");

let world: World;
let tenant: Tenant;
let stranger: Tenant;

beforeAll(async () => {
  const main = randomBytes(24).toString("hex");
  world = await startWorld({ settings: { INGRESS_KEYS: `main=${main},branch=${BRANCH_KEY}` } });
  [tenant, stranger] = await Promise.all([world.tenant(), world.tenant()]);
});
afterAll(() => world.stop());

async function expectNoReply(number: string, of: Tenant = tenant): Promise<void> {
  const { state, lanes } = await of.ticket(number);
  expect({ state, replies: lanes.toDolphins.accepted }).toEqual({ state: "open", replies: 0 });
}

const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> =>
  world.call(path, { method: "POST", body, headers });

describe("401 unauthorized", () => {
  test.each(["incoming", "command", "sendMessage", "incomingMessage"])(
    "an engine with a wrong key is refused at /%s before its body is read as JSON",
    async (route) => {
      const number = newTicketNumber();
      const body = route === "command" ? closeEvent(tenant.owner, number) : incomingEvent(tenant.owner, number);
      expect(await post(`/v1/dolphins/wrong/${route}`, body)).toBeRefused(401, "unauthorized");
      expect(await post(`/v1/dolphins/wrong/${route}`, "{")).toBeRefused(401, "unauthorized");
      expect(await post(`/v1/dolphins/${world.ingressKey}x/${route}`, body)).toBeRefused(401, "unauthorized");
      expect(await world.admin("GET", `/admin/tickets/${tenant.owner}/${number}`)).toBeRefused(404, "unknown_ticket");
    },
  );

  test("a desk with no credential, a wrong token or the operator's token is refused", async () => {
    const number = await openTicket(tenant);
    const wrong = [{}, bearer("wrong"), bearer(""), bearer(`${tenant.token}x`), bearer(world.settings.ADMIN_TOKEN)];
    for (const headers of [...wrong, { authorization: `Basic ${tenant.token}` }]) {
      expect(await post("/v1/outgoing", outgoingEvent(tenant.owner, number), headers)).toBeRefused(401, "unauthorized");
      expect(await post("/v1/command", closeEvent(tenant.owner, number), headers)).toBeRefused(401, "unauthorized");
      expect(await post("/v1/outgoing", "{", headers)).toBeRefused(401, "unauthorized");
      expect(await world.call(`/v1/tickets/${number}`, { headers })).toBeRefused(401, "unauthorized");
    }
    await expectNoReply(number);
  });

  test.each(["", "Bearer wrong", "Bearer ", "Basic YWRtaW46YWRtaW4="])(
    "an operator with the authorization %j is refused on every admin route",
    async (authorization) => {
      const number = await openTicket(tenant);
      const tenantPath = `/admin/tenants/${tenant.owner}`;
      const ticketPath = `/admin/tickets/${tenant.owner}/${number}`;
      const before = await world.admin("GET", tenantPath);
      const routes: [string, string, unknown?][] = [
        ["GET", "/admin/tenants"],
        ["GET", tenantPath],
        ["PUT", tenantPath, {}],
        ["DELETE", tenantPath],
        ["GET", `${tenantPath}/credentials`],
        ["POST", `${tenantPath}/credentials/rotate`],
        ["GET", ticketPath],
        ["POST", `${ticketPath}/replay`, { all: true }],
      ];
      for (const [method, path, body] of routes) {
        expect(await world.call(path, { method, body, headers: { authorization } })).toBeRefused(401, "unauthorized");
      }
      expect((await world.admin("GET", tenantPath)).text).toBe(before.text);
    },
  );

  test("a signature made with another secret or over another body is refused", async () => {
    const number = await openTicket(tenant);
    const event = outgoingEvent(tenant.owner, number);
    expect(await tenant.signed("/v1/outgoing", event, { secret: stranger.signingSecret })).toBeRefused(
      401,
      "unauthorized",
    );
    const secret = `whsec_${randomBytes(32).toString("base64")}`;
    expect(await tenant.signed("/v1/command", closeEvent(tenant.owner, number), { secret })).toBeRefused(
      401,
      "unauthorized",
    );
    const headers = {
      "webhook-id": "evt_1",
      "webhook-timestamp": String(Math.floor(Date.now() / 1_000)),
      "webhook-signature": "v1,bm90IGEgc2lnbmF0dXJl",
    };
    expect(await post("/v1/outgoing", event, headers)).toBeRefused(401, "unauthorized");
    await expectNoReply(number);
  });

  test("a signature over five minutes old or ahead is refused, one within is accepted", async () => {
    const number = await openTicket(tenant);
    const event = outgoingEvent(tenant.owner, number);
    for (const offMs of [-FIVE_MINUTES_MS - 10_000, FIVE_MINUTES_MS + 10_000]) {
      const reply = await tenant.signed("/v1/outgoing", event, {
        at: new Date(Date.now() + offMs),
      });
      expect(reply).toBeRefused(401, "unauthorized");
    }
    await expectNoReply(number);
    for (const offMs of [-FIVE_MINUTES_MS + 30_000, FIVE_MINUTES_MS - 30_000]) {
      expect(await tenant.signed("/v1/outgoing", event, { at: new Date(Date.now() + offMs) })).toBeAccepted();
    }
  });

  test("a signed request without owner, with one that is not there or with a body that does not parse is refused", async () => {
    const number = await openTicket(tenant);
    for (const body of [outgoingEvent(undefined, number), outgoingEvent(randomUUID(), number), "{", "[]"]) {
      expect(await tenant.signed("/v1/outgoing", body)).toBeRefused(401, "unauthorized");
    }
    await expectNoReply(number);
  });

  test("a signed request that names another desk's owner is refused", async () => {
    const number = await openTicket(stranger);
    expect(await tenant.signed("/v1/outgoing", outgoingEvent(stranger.owner, number))).toBeRefused(401, "unauthorized");
    await expectNoReply(number, stranger);
  });

  test("a good signature is as good as the token", async () => {
    const number = await openTicket(tenant);
    expect(await tenant.signed("/v1/outgoing", outgoingEvent(tenant.owner, number))).toBeAccepted();
    expect(await tenant.signed("/v1/command", closeEvent(tenant.owner, number))).toBeAccepted();
  });
});

describe("403 wrong_owner", () => {
  test("another desk's owner and one that is nowhere get the same answer, and nothing is stored", async () => {
    const number = await openTicket(stranger);
    const nobody = randomUUID().replaceAll("-", "");
    const ask = async (owner: string): Promise<string[]> => {
      const headers = bearer(tenant.token);
      const replies = await Promise.all([
        post("/v1/outgoing", outgoingEvent(owner, number), headers),
        post("/v1/command", closeEvent(owner, number), headers),
        world.call(`/v1/tickets/${number}?owner=${owner}`, { headers }),
      ]);
      for (const reply of replies) expect(reply).toBeRefused(403, "wrong_owner");
      return replies.map((reply) => reply.text.replaceAll(owner, "OWNER"));
    };
    expect(await ask(stranger.owner)).toEqual(await ask(nobody));
    await expectNoReply(number, stranger);
  });

  test("fields are judged before the owner, and the owner before the ticket", async () => {
    const headers = bearer(tenant.token);
    const broken = outgoingEvent(stranger.owner, newTicketNumber(), { messageType: "fax" });
    expect(await post("/v1/outgoing", broken, headers)).toBeRefused(422, "invalid_event");
    expect(await post("/v1/outgoing", outgoingEvent(stranger.owner, newTicketNumber()), headers)).toBeRefused(
      403,
      "wrong_owner",
    );
  });
});

test("no secret of anyone ever stands in a log line", () => {
  const logged = world.relay().logs.join("\n");
  const secrets = [world.ingressKey, BRANCH_KEY, world.settings.ADMIN_TOKEN, world.settings.MASTER_KEY];
  for (const secret of [...secrets, tenant.token, tenant.signingSecret]) expect(logged).not.toContain(secret);
});
