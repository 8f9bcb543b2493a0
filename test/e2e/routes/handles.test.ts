import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Received } from "../../../dev/fakes/far-end.ts";
import { accepted } from "../support/http.ts";
import { type Tenant, newTicketNumber, openTicket } from "../support/tenant.ts";
import { poll } from "../support/timeline.ts";
import { type World, startWorld } from "../support/world.ts";

/** The operator's handles, through the built Worker: alarms ring by themselves here, and time is real. */

let persist: string;
let world: World;
beforeAll(async () => {
  persist = await mkdtemp(join(tmpdir(), "dolphin-relay-handles-"));
  world = await startWorld({ persist });
});
afterAll(async () => {
  await world.stop();
  await rm(persist, { recursive: true, force: true });
});

const of = (tenant: Tenant) => `/admin/tenants/${tenant.owner}`;
const texts = (received: readonly Received[]): unknown[] =>
  received.map(({ body }) => (JSON.parse(body) as { message?: string }).message);
const untilListed = (tenant: Tenant, count: number) =>
  poll(
    () => world.admin("GET", `${of(tenant)}/tickets?state=waiting`),
    ({ body }) => (body as { tickets: unknown[] }).tickets.length === count,
    `${count} tickets that wait`,
  );
/** It is down, and asks to be left in peace for longer than any test takes. */
const DOWN = () => ({ status: 503, body: "maintenance", headers: { "retry-after": "600" } });
const OK = () => ({ status: 200, body: '{"status":"success"}' });

test("a direction that is paused keeps what comes through a kill and a restart, and delivers it in order when resumed", async () => {
  const tenant = await world.tenant();
  const number = await openTicket(tenant);
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the first message");
  const paused = await world.admin("POST", `${of(tenant)}/pause`, { lane: "toDesk", reason: "maintenance" });
  expect(paused.body).toMatchObject({ status: "success", paused: { toDesk: { by: "admin", reason: "maintenance" } } });
  for (const message of ["one", "two"]) accepted(await tenant.incoming(number, { message }));
  accepted(await tenant.reply(number, { message: "a reply" }));
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDolphins.delivered === 1, "the other direction");
  await world.killAndRestart();
  accepted(await tenant.incoming(number, { message: "three" }));
  const { lanes } = await tenant.untilTicket(number, (view) => view.lanes.toDesk.waiting === 3, "three that wait");
  expect(lanes.toDesk.paused).toMatchObject({ reason: "maintenance" });
  expect(texts(tenant.desk.received)).toHaveLength(1);
  expect((await world.admin("POST", `${of(tenant)}/resume`)).body).toEqual({ status: "success", paused: {} });
  await tenant.untilTicket(number, (view) => view.lanes.toDesk.delivered === 4, "all of them");
  expect(texts(tenant.desk.received).slice(1)).toEqual(["one", "two", "three"]);
});

test("a retry of a ticket, of a tenant, and a PUT of the record each go before a Retry-After", async () => {
  const tenant = await world.tenant();
  const attempts = async (number: string) => (await tenant.ticket(number)).messages[0]?.attempts.length ?? 0;
  tenant.desk.answerWith(DOWN);
  const number = await openTicket(tenant);
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.nextAttemptAt !== undefined, "a failure");
  const ofTicket = await world.admin("POST", `/admin/tickets/${tenant.owner}/${number}/retry`, { lane: "toDesk" });
  expect(ofTicket.body).toEqual({ status: "success", tickets: 1 });
  await poll(
    () => attempts(number),
    (made) => made === 2,
    "a second attempt",
  );
  await untilListed(tenant, 1);
  expect((await world.admin("POST", `${of(tenant)}/retry`)).body).toEqual({ status: "success", tickets: 1 });
  await poll(
    () => attempts(number),
    (made) => made === 3,
    "a third attempt",
  );
  tenant.desk.answerWith(OK);
  expect((await world.putTenant(tenant)).status).toBe(200);
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the delivery after the PUT");
});

test("when one ticket's desk is back, the others are tried within seconds", async () => {
  const tenant = await world.tenant();
  tenant.desk.answerWith(() => ({ status: 503, body: "" }));
  const numbers = Array.from({ length: 14 }, newTicketNumber);
  for (const number of numbers) accepted(await tenant.incoming(number));
  await untilListed(tenant, 14);
  // Past their short waits, so that none comes back soon by itself.
  for (const number of numbers) {
    await tenant.untilTicket(number, ({ messages }) => (messages[0]?.attempts.length ?? 0) >= 5, "five attempts");
  }
  tenant.desk.answerWith(OK);
  const [first = ""] = numbers;
  await world.admin("POST", `/admin/tickets/${tenant.owner}/${first}/retry`);
  for (const number of numbers) {
    await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "a delivery by the wave");
  }
  const tries = await Promise.all(numbers.map((number) => tenant.ticket(number)));
  expect(tries.every(({ messages }) => (messages[0]?.attempts.length ?? 0) <= 8)).toBe(true);
}, 120_000);

test("dead letters are found by their cause, and what is discarded is replayed no more", async () => {
  const tenant = await world.tenant();
  tenant.desk.answerWith(({ body }) => ({ status: body.includes("signed") ? 401 : 422, body: "no" }));
  const number = await openTicket(tenant);
  for (const message of ["signed 1", "signed 2"]) accepted(await tenant.incoming(number, { message }));
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.dead === 3, "three dead letters");
  const path = `${of(tenant)}/dead-letters`;
  const { body } = await poll(
    () => world.admin("GET", `${path}?group=cause`),
    (reply) => reply.text.includes('"count":2'),
    "the groups",
  );
  expect(body).toMatchObject({ groups: [{ lane: "toDesk", reason: "rejected", status: 401, count: 2 }, { count: 1 }] });
  const discarded = await world.admin("POST", `${path}/discard`, { all: true, status: 401 });
  expect((discarded.body as { discarded: string[] }).discarded).toHaveLength(2);
  const filtered = await world.admin("GET", `${path}?lane=toDesk&reason=rejected&status=401`);
  expect(filtered.body).toEqual({ status: "success", deadLetters: [] });
  tenant.desk.answerWith(OK);
  const replayed = await world.admin("POST", `${path}/replay`, { all: true, since: "2026-01-01T00:00:00Z" });
  expect((replayed.body as { replayed: string[] }).replayed).toHaveLength(1);
  const { lanes, messages } = await tenant.untilTicket(number, (view) => view.lanes.toDesk.delivered === 1, "the rest");
  expect(lanes.toDesk.dead).toBe(0);
  expect(messages.map(({ state }) => state)).toEqual(["delivered", "discarded", "discarded"]);
});
