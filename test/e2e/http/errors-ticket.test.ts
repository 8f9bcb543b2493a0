import { randomBytes, randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { closeEvent, incomingEvent, outgoingEvent } from "../support/events.ts";
import type { Reply } from "../support/http.ts";
import { type Tenant, bearer, newTicketNumber, openTicket } from "../support/tenant.ts";
import { type World, startWorld } from "../support/world.ts";

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

describe("404 unknown_owner on an engine's route", () => {
  test("a tenant bound to another engine's key is not there for this one", async () => {
    const bound = await world.tenant({ record: { ingress: "branch" } });
    const number = newTicketNumber();
    const refused = await bound.incoming(number);
    const nobody = randomUUID().replaceAll("-", "");
    const unknown = await post(`/v1/dolphins/${world.ingressKey}/incoming`, incomingEvent(nobody, number));
    expect(refused).toBeRefused(404, "unknown_owner");
    expect(refused.text.replaceAll(bound.owner, "OWNER")).toBe(unknown.text.replaceAll(nobody, "OWNER"));
    expect(await world.admin("GET", `/admin/tickets/${bound.owner}/${number}`)).toBeRefused(404, "unknown_ticket");

    expect(await post(`/v1/dolphins/${BRANCH_KEY}/incoming`, incomingEvent(bound.owner, number))).toBeAccepted();
    expect(await bound.engineClose(number)).toBeRefused(404, "unknown_owner");
    expect((await bound.ticket(number)).state).toBe("open");
  });

  test("a tenant bound to no key is there for every engine", async () => {
    expect(
      await post(`/v1/dolphins/${BRANCH_KEY}/incoming`, incomingEvent(tenant.owner, newTicketNumber())),
    ).toBeAccepted();
  });
});

describe("404 unknown_ticket and 409 ambiguous_ticket", () => {
  const twoOfOneDesk = async (): Promise<[Tenant, Tenant]> => {
    const deskId = `desk-${randomUUID()}`;
    return [await world.tenant({ deskId }), await world.tenant({ deskId })];
  };

  test("a reply, a Close and a question about a ticket that no Incoming Event opened are refused", async () => {
    const number = newTicketNumber();
    const headers = bearer(tenant.token);
    expect(await tenant.engineClose(number)).toBeRefused(404, "unknown_ticket");
    expect(await tenant.signed("/v1/outgoing", outgoingEvent(tenant.owner, number))).toBeRefused(404, "unknown_ticket");
    expect(await world.call(`/v1/tickets/${number}`, { headers })).toBeRefused(404, "unknown_ticket");
    expect(await tenant.replay(number, { all: true })).toBeRefused(404, "unknown_ticket");
    for (const reply of [await tenant.reply(number), await tenant.close(number)]) {
      expect(reply).toBeRefused(404, "unknown_ticket");
      expect(reply.headers.get("retry-after")).toBeNull();
    }
    expect(await world.admin("GET", `/admin/tickets/${tenant.owner}/${number}`)).toBeRefused(404, "unknown_ticket");
  });

  test("another desk's ticket, asked for without owner, is as unknown as one that is nowhere", async () => {
    const number = await openTicket(stranger);
    const headers = bearer(tenant.token);
    const ask = async (ticketNumber: string): Promise<string[]> => {
      const replies = [
        await post("/v1/outgoing", outgoingEvent(undefined, ticketNumber), headers),
        await world.call(`/v1/tickets/${ticketNumber}`, { headers }),
      ];
      for (const reply of replies) expect(reply).toBeRefused(404, "unknown_ticket");
      return replies.map((reply) => reply.text.replaceAll(ticketNumber, "TICKET"));
    };
    expect(await ask(number)).toEqual(await ask(newTicketNumber()));
    await expectNoReply(number, stranger);
  });

  test("a desk of several tenants that gives no owner for an unknown ticket is asked to come again", async () => {
    const [one] = await twoOfOneDesk();
    const number = newTicketNumber();
    for (const [path, event] of [
      ["/v1/outgoing", outgoingEvent(undefined, number)],
      ["/v1/command", closeEvent(undefined, number)],
    ] as const) {
      const reply = await post(path, event, bearer(one.token));
      expect(reply).toBeRefused(404, "unknown_ticket");
      expect(reply.headers.get("retry-after")).toBe("60");
    }
  });

  test("a desk of several tenants that gives no owner is understood by the ticket alone", async () => {
    const [one, other] = await twoOfOneDesk();
    const number = await openTicket(other);
    expect(one.token).toBe(other.token);
    expect(await post("/v1/outgoing", outgoingEvent(undefined, number), bearer(one.token))).toBeAccepted();
    await other.engine.until((received) => received.length === 1, "the reply at the right engine");
    expect(one.engine.received).toEqual([]);
  });

  test("a ticket number that two tenants of one desk hold needs the owner", async () => {
    const [one, other] = await twoOfOneDesk();
    const number = newTicketNumber();
    expect(await one.incoming(number)).toBeAccepted();
    expect(await other.incoming(number)).toBeAccepted();
    const headers = bearer(one.token);
    expect(await post("/v1/outgoing", outgoingEvent(undefined, number), headers)).toBeRefused(409, "ambiguous_ticket");
    expect(await post("/v1/command", closeEvent(undefined, number), headers)).toBeRefused(409, "ambiguous_ticket");
    expect(await world.call(`/v1/tickets/${number}`, { headers })).toBeRefused(409, "ambiguous_ticket");
    await expectNoReply(number, one);
    await expectNoReply(number, other);
    expect(await one.reply(number)).toBeAccepted();
    expect((await other.ticket(number)).lanes.toDolphins.accepted).toBe(0);
  });
});
