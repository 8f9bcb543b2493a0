import { afterAll, beforeAll, expect, test } from "vitest";
import { outgoingEvent } from "../support/events.ts";
import { accepted } from "../support/http.ts";
import { gate, openTicket } from "../support/tenant.ts";
import { type World, startWorld } from "../support/world.ts";

let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

test("Prefer: wait tells that the reply was delivered", async () => {
  const tenant = await world.tenant();
  const number = await openTicket(tenant);
  const reply = await tenant.reply(number, {}, { prefer: "wait=10" });
  expect(reply).toBeAccepted();
  expect(reply.headers.get("relay-delivery")).toBe("delivered");
  expect(tenant.engine.received).toHaveLength(1);
});

test("Prefer: wait tells that the reply is pending when the time is over, and it is delivered all the same", async () => {
  const tenant = await world.tenant();
  const number = await openTicket(tenant);
  const held = gate();
  tenant.engine.answerWith(async () => {
    await held.opened;
    return { status: 200 };
  });
  const reply = await tenant.reply(number, {}, { prefer: "wait=1" });
  expect(reply).toBeAccepted();
  expect(reply.headers.get("relay-delivery")).toBe("pending");
  held.open();
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDolphins.delivered === 1, "the delivery");
});

test.each(["wait=soon", "wait=-1", "respond-async"])(
  "Prefer: wait that is malformed or another preference (%s) is passed over",
  async (prefer) => {
    const tenant = await world.tenant();
    const reply = await tenant.reply(await openTicket(tenant), {}, { prefer });
    expect(reply).toBeAccepted();
    expect(reply.headers.get("relay-delivery")).toBeNull();
  },
);

test("Prefer: wait for longer than 20 seconds and among other preferences is honoured as far as it goes", async () => {
  const tenant = await world.tenant();
  const reply = await tenant.reply(await openTicket(tenant), {}, { prefer: "respond-async, wait=60" });
  expect(reply).toBeAccepted();
  expect(reply.headers.get("relay-delivery")).toBe("delivered");
});

test("Prefer: wait on a repeat waits for the first message's outcome", async () => {
  const tenant = await world.tenant();
  const number = await openTicket(tenant);
  const held = gate();
  tenant.engine.answerWith(async () => {
    await held.opened;
    return { status: 200 };
  });
  const key = { "idempotency-key": "reply-1" };
  const first = accepted(await tenant.reply(number, {}, key));
  const waiting = tenant.reply(number, {}, { ...key, prefer: "wait=20" });
  await tenant.engine.until((received) => received.length === 1, "the only attempt");
  held.open();
  const repeat = await waiting;
  expect(accepted(repeat)).toEqual(first);
  expect(repeat.headers.get("idempotent-replay")).toBe("true");
  expect(repeat.headers.get("relay-delivery")).toBe("delivered");
  expect(tenant.engine.received).toHaveLength(1);
});

test.each(["idempotency-key", "webhook-id"])(
  "a repeat by %s stores nothing more and gets the first answer",
  async (header) => {
    const tenant = await world.tenant();
    const number = await openTicket(tenant);
    const first = await tenant.reply(number, {}, { [header]: "reply-1" });
    expect(first.headers.get("idempotent-replay")).toBeNull();
    const repeat = await tenant.reply(number, {}, { [header]: "reply-1" });
    expect(accepted(repeat)).toEqual(accepted(first));
    expect(repeat.headers.get("idempotent-replay")).toBe("true");
    const next = accepted(await tenant.reply(number, {}, { [header]: "reply-2" }));
    expect(next.sequence).toBe(2);
    await tenant.untilTicket(number, ({ lanes }) => lanes.toDolphins.delivered === 2, "both delivered");
    expect(tenant.engine.received).toHaveLength(2);
  },
);

test("a repeat with both headers is known by its Idempotency-Key alone", async () => {
  const tenant = await world.tenant();
  const number = await openTicket(tenant);
  const key = { "idempotency-key": "reply-1" };
  const first = accepted(await tenant.reply(number, {}, { ...key, "webhook-id": "evt_1" }));
  expect(accepted(await tenant.reply(number, {}, { ...key, "webhook-id": "evt_2" }))).toEqual(first);
  expect(accepted(await tenant.reply(number, {}, { "webhook-id": "evt_1" })).id).not.toBe(first.id);
});

test("a repeat of a signed request and of the engine's is recognised too", async () => {
  const tenant = await world.tenant();
  const number = await openTicket(tenant);
  const event = outgoingEvent(tenant.owner, number);
  const first = accepted(await tenant.signed("/v1/outgoing", event, { id: "evt_1" }));
  expect(accepted(await tenant.signed("/v1/outgoing", event, { id: "evt_1" }))).toEqual(first);
  const key = { "idempotency-key": "masuk-1" };
  expect(accepted(await tenant.incoming(number, {}, key))).toEqual(accepted(await tenant.incoming(number, {}, key)));
});
