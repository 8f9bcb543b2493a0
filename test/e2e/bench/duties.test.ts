import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DUTIES, buildWithout } from "../../../dev/bench/duties.ts";
import { accepted } from "../support/http.ts";
import { filesWith } from "../support/state.ts";
import { bearer, newTicketNumber, openTicket } from "../support/tenant.ts";
import { type World, startWorld } from "../support/world.ts";

/**
 * `npm run ablate` measures a relay without each of its duties. Here is one without any of them: a duty that was not taken out
 * would show, and what cannot be taken out does not build.
 */

let folder: string;
let world: World;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dolphin-relay-duties-"));
  await buildWithout(DUTIES, join(folder, "none"));
  world = await startWorld({
    bundle: join(folder, "none"),
    persist: join(folder, "state"),
    rateLimits: { ENGINE_RATE: 1, CALLER_RATE: 1 },
  });
});
afterAll(async () => {
  await world.stop();
  await rm(folder, { recursive: true, force: true });
});

test("a duty whose module is not there is not shown as one that costs nothing", async () => {
  const gone = { name: "a duty of old", module: "ticket/gone.ts", instead: "alarm.ts" };
  await expect(buildWithout([gone], join(folder, "one"))).rejects.toThrow(/"a duty of old" \(ticket\/gone\.ts\)/);
});

test("without validation an event of no known type is accepted", async () => {
  const tenant = await world.tenant();
  expect(await tenant.incoming(newTicketNumber(), { messageType: "dance" })).toBeAccepted();
});

test("without limits a body over 256 KiB is accepted", async () => {
  const tenant = await world.tenant();
  expect(await tenant.incoming(newTicketNumber(), { note: "x".repeat(300 * 1024) })).toBeAccepted();
});

test("without signing a delivery has no signature, and without attempts the timeline shows none", async () => {
  const tenant = await world.tenant();
  const number = await openTicket(tenant);
  const { messages } = await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the delivery");
  expect(tenant.desk.received[0]?.headers).not.toHaveProperty("webhook-signature");
  expect(messages.map(({ attempts }) => attempts)).toEqual([[]]);
});

test("without sealing a customer's words lie in the state as they came", async () => {
  const tenant = await world.tenant();
  const word = `kata-${newTicketNumber()}`;
  accepted(await tenant.incoming(newTicketNumber(), { message: word }));
  expect(await filesWith(join(folder, "state"), word)).not.toEqual([]);
});

test("without the mapping in KV a desk of two tenants has to name the owner", async () => {
  const deskId = newTicketNumber();
  // The tickets of the first were never mapped, and are asked.
  const [, tenant] = [await world.tenant({ deskId }), await world.tenant({ deskId })];
  const number = await openTicket(tenant);
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the delivery");
  expect(await tenant.reply(number, { owner: undefined })).toBeRefused(404, "unknown_ticket");
  expect(await tenant.reply(number)).toBeAccepted();
});

test("without a time limit an attempt that takes ten times as long is the only one", async () => {
  const tenant = await world.tenant({ record: { delivery: { timeoutMs: 100 } } });
  tenant.desk.answerWith(async () => {
    await pause(1_000);
    return { status: 200 };
  });
  const number = await openTicket(tenant);
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the delivery");
  expect(tenant.desk.received).toHaveLength(1);
});

test("without an alarm nothing is tried again, and without reports the index knows of no dead letter", async () => {
  const tenant = await world.tenant();
  tenant.desk.answerWith(({ body }) => ({ status: body.includes("refused") ? 422 : 503 }));
  for (const message of ["refused", "failed"]) accepted(await tenant.incoming(newTicketNumber(), { message }));
  await tenant.desk.until((all) => all.length === 2, "both attempts");
  // A retry is due within 2 s, a dead letter is reported at once. Nobody may read a ticket meanwhile: that would wake it.
  await pause(5_000);
  expect(tenant.desk.received).toHaveLength(2);
  const listed = await world.admin("GET", `/admin/tenants/${tenant.owner}/tickets`);
  expect(listed.body).toEqual({ status: "success", tickets: [] });
});

test("without the rate limiter a desk may send three times what is allowed", async () => {
  const tenant = await world.tenant();
  const ask = () => world.call("/v1/tickets/none", { headers: bearer(tenant.token) });
  // The limit is of one question to the limiter, and it is asked at every fiftieth request.
  const answers = await Promise.all(Array.from({ length: 150 }, ask));
  expect([...new Set(answers.map(({ status }) => status))]).toEqual([404]);
});

test("without log lines all of that leaves no line in the log", () => {
  expect(world.relay().logs).toEqual([]);
});
