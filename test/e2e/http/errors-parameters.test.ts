import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { incomingEvent, outgoingEvent } from "../support/events.ts";
import { type Reply, accepted, issuePaths, refusal } from "../support/http.ts";
import { type Tenant, bearer, newTicketNumber, openTicket } from "../support/tenant.ts";
import { type World, startWorld } from "../support/world.ts";

let world: World;
let tenant: Tenant;

beforeAll(async () => {
  world = await startWorld();
  tenant = await world.tenant();
});
afterAll(() => world.stop());

describe("422 invalid_tenant", () => {
  const put = (owner: string, record: unknown): Promise<Reply> => world.admin("PUT", `/admin/tenants/${owner}`, record);
  const good = {
    dolphins: { baseUrl: "http://127.0.0.1:9" },
    desk: { type: "native", url: "http://127.0.0.1:9/" },
  };

  test("a record without its two mandatory parts gets one issue for each", async () => {
    const owner = randomUUID();
    const paths = issuePaths(refusal(await put(owner, {}), 422, "invalid_tenant"));
    expect(paths).toEqual(["desk", expect.stringMatching(/^dolphins(\.baseUrl)?$/)]);
    expect(await world.admin("GET", `/admin/tenants/${owner}`)).toBeRefused(404, "unknown_owner");
  });

  test.each([
    ["name", { ...good, name: 7 }],
    ["deskId", { ...good, deskId: "d".repeat(129) }],
    ["deskId", { ...good, deskId: "desk\u0007" }],
    ["timeZone", { ...good, timeZone: "Mars/Olympus" }],
    ["retentionDays", { ...good, retentionDays: -1 }],
    ["delivery.timeoutMs", { ...good, delivery: { timeoutMs: "soon" } }],
    ["delivery.whenExhausted", { ...good, delivery: { whenExhausted: "panic" } }],
    ["dolphins.baseUrl", { ...good, dolphins: { baseUrl: "bank.example:9443" } }],
    ["dolphins.auth.password", { ...good, dolphins: { ...good.dolphins, auth: { type: "login", username: "u" } } }],
    ["dolphins.auth.type", { ...good, dolphins: { ...good.dolphins, auth: { type: "magic" } } }],
    ["desk.url", { ...good, desk: { type: "native", url: "no url" } }],
    ["desk.type", { ...good, desk: { type: "pigeon" } }],
  ])("a bad %s is named, and no tenant is made", async (path, record) => {
    const owner = randomUUID();
    expect(issuePaths(refusal(await put(owner, record), 422, "invalid_tenant"))).toEqual([path]);
    expect(await world.admin("GET", `/admin/tenants/${owner}`)).toBeRefused(404, "unknown_owner");
  });

  test("several bad fields get one issue each, and the record that was there stays", async () => {
    const path = `/admin/tenants/${tenant.owner}`;
    const before = await world.admin("GET", path);
    const error = refusal(
      await world.admin("PUT", path, { ...good, timeZone: "", retentionDays: "a" }),
      422,
      "invalid_tenant",
    );
    expect(issuePaths(error)).toEqual(["retentionDays", "timeZone"]);
    expect((await world.admin("GET", path)).text).toBe(before.text);
  });

  test("a refused record does not echo its secret", async () => {
    const auth = { type: "bearer", token: "hush-hush", username: 1 };
    const reply = await put(randomUUID(), {
      ...good,
      name: 7,
      dolphins: { ...good.dolphins, auth },
    });
    expect(reply).toBeRefused(422, "invalid_tenant");
    expect(reply.text).not.toContain("hush-hush");
  });
});

describe("422 invalid_request", () => {
  test.each([{}, { ids: "msg_1" }, { ids: [7] }, { all: "yes" }, [], "all"])(
    "a replay of %j is refused",
    async (what) => {
      const number = await openTicket(tenant);
      expect(await tenant.replay(number, JSON.stringify(what))).toBeRefused(422, "invalid_request");
    },
  );

  test.each(["lane=sideways", "lane=toDesk&before=abc", "lane=toDesk&before=-1", "lane=toDesk&before=1.5"])(
    "a timeline asked for with ?%s is refused to the operator and to the desk",
    async (query) => {
      const number = await openTicket(tenant);
      expect(await world.admin("GET", `/admin/tickets/${tenant.owner}/${number}?${query}`)).toBeRefused(
        422,
        "invalid_request",
      );
      const headers = bearer(tenant.token);
      expect(await world.call(`/v1/tickets/${number}?${query}`, { headers })).toBeRefused(422, "invalid_request");
    },
  );

  test.each(["lane=toDesk&before=3,2", "before=5", "before=1,1"])(
    "a timeline asked for with ?%s, a cursor of whichever kind of page, gets an answer",
    async (query) => {
      const number = await openTicket(tenant);
      expect((await tenant.ticket(number, `?${query}`)).messages.length).toBe(query === "before=1,1" ? 0 : 1);
    },
  );

  test.each(["idempotency-key", "webhook-id"])(
    "a %s of 256 characters is accepted, one of 257 is not",
    async (header) => {
      const number = await openTicket(tenant);
      expect(await tenant.reply(number, {}, { [header]: "k".repeat(256) })).toBeAccepted();
      expect(await tenant.reply(number, {}, { [header]: "k".repeat(257) })).toBeRefused(422, "invalid_request");
      expect((await tenant.ticket(number)).lanes.toDolphins.accepted).toBe(1);
    },
  );
});

describe("422 idempotency_mismatch", () => {
  test.each(["idempotency-key", "webhook-id"])(
    "a reply under a %s used with another body is not stored",
    async (header) => {
      const number = await openTicket(tenant);
      expect(await tenant.reply(number, { message: "satu" }, { [header]: "key-1" })).toBeAccepted();
      expect(await tenant.reply(number, { message: "dua" }, { [header]: "key-1" })).toBeRefused(
        422,
        "idempotency_mismatch",
      );
      expect((await tenant.ticket(number)).lanes.toDolphins.accepted).toBe(1);
    },
  );

  test("an Incoming Event under a key used with another body is not stored", async () => {
    const number = newTicketNumber();
    const headers = { "idempotency-key": "key-1" };
    expect(await tenant.incoming(number, { message: "satu" }, headers)).toBeAccepted();
    expect(await tenant.incoming(number, { message: "dua" }, headers)).toBeRefused(422, "idempotency_mismatch");
    expect((await tenant.ticket(number)).lanes.toDesk.accepted).toBe(1);
  });

  test("a signed reply that is sent again under another Idempotency-Key is a repeat by its webhook-id", async () => {
    const number = await openTicket(tenant);
    const event = outgoingEvent(tenant.owner, number);
    const signed = { id: "evt_1", at: new Date() };
    const [first, again] = [
      await tenant.signed("/v1/outgoing", event, { ...signed, headers: { "idempotency-key": "key-1" } }),
      await tenant.signed("/v1/outgoing", event, { ...signed, headers: { "idempotency-key": "key-2" } }),
    ];
    expect(accepted(again)).toEqual(accepted(first));
    expect(again.headers.get("idempotent-replay")).toBe("true");
    const other = { ...signed, id: "evt_2", headers: { "idempotency-key": "key-1" } };
    expect(accepted(await tenant.signed("/v1/outgoing", event, other)).sequence).toBe(2);
  });

  test("the same key on another ticket or in the other lane is another key", async () => {
    const [one, other] = [await openTicket(tenant), await openTicket(tenant)];
    const headers = { "idempotency-key": "key-1" };
    const replies = [
      await tenant.reply(one, {}, headers),
      await tenant.reply(other, {}, headers),
      await tenant.incoming(one, {}, headers),
    ];
    expect(new Set(replies.map((reply) => accepted(reply).id)).size).toBe(3);
    expect(replies.map((reply) => reply.headers.get("idempotent-replay"))).toEqual([null, null, null]);
  });
});

describe("404 unknown_owner", () => {
  test("an Incoming Event of a tenant that is not there is refused", async () => {
    const body = incomingEvent(randomUUID(), newTicketNumber());
    const reply = await world.call(`/v1/dolphins/${world.ingressKey}/incoming`, {
      method: "POST",
      body,
    });
    expect(reply).toBeRefused(404, "unknown_owner");
  });

  test.each(["", "/credentials"])("the operator's GET of an unknown tenant%s is told so", async (rest) => {
    expect(await world.admin("GET", `/admin/tenants/${randomUUID()}${rest}`)).toBeRefused(404, "unknown_owner");
  });

  test("the operator's rotation for an unknown tenant is told so", async () => {
    expect(await world.admin("POST", `/admin/tenants/${randomUUID()}/credentials/rotate`)).toBeRefused(
      404,
      "unknown_owner",
    );
  });
});
