import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startFakeChatwoot } from "../../../dev/fakes/chatwoot.ts";
import { textOf } from "../support/events.ts";
import { accepted } from "../support/http.ts";
import { newTicketNumber } from "../support/tenant.ts";
import { type World, startWorld } from "../support/world.ts";

const LAST_RELEASE = fileURLToPath(new URL("../releases/0.1.0", import.meta.url));

let folder: string;
let last: string;
let world: World;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dolphin-relay-rollback-"));
  // Its worker options are written beside a bundle.
  last = join(folder, "release");
  await cp(LAST_RELEASE, last, { recursive: true });
  world = await startWorld({ persist: join(folder, "state"), bundle: last });
});
afterAll(async () => {
  await world.stop();
  await rm(folder, { recursive: true, force: true });
});

test("what waits outlives a deploy, a rollback to the last release and the deploy after that, in order and once each", async () => {
  const tenant = await world.tenant();
  const number = newTicketNumber();
  const ids: string[] = [];
  const write = async (message: string) => {
    const stored = accepted(await tenant.incoming(number, { message }, { "idempotency-key": message }));
    expect(stored.sequence).toBe(ids.push(stored.id));
  };
  const tried = () => tenant.desk.received.length;
  tenant.desk.answerWith(() => ({ status: 503, body: "busy" }));
  await write("by the last release");
  // Each goes on where the other was: its tables, its attempts, its keys.
  for (const [at, bundle] of [undefined, last, undefined].entries()) {
    const before = tried();
    await world.killAndRestart(undefined, bundle);
    await write(`after change ${at + 1}`);
    await tenant.desk.until(() => tried() > before, "an attempt after the change", 30_000);
    const { messages } = await tenant.untilTicket(
      number,
      (ticket) => ticket.lanes.toDesk.nextAttemptAt !== undefined,
      "the attempt to be on record",
    );
    expect(messages.map(({ id, state }) => [id, state])).toEqual(ids.map((id) => [id, "waiting"]));
    expect(messages[0]?.attempts.every(({ status }) => status === 503)).toBe(true);
    expect(
      accepted(
        await tenant.incoming(number, { message: "by the last release" }, { "idempotency-key": "by the last release" }),
      ).id,
    ).toBe(ids[0]);
  }
  const before = tried();
  tenant.desk.answerWith(() => ({ status: 200 }));
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === ids.length, "all to be delivered");
  const taken = tenant.desk.received.slice(before).slice(-ids.length);
  expect(taken.map(({ headers }) => headers["webhook-id"])).toEqual(ids);
  expect(taken.map(({ body }) => textOf(body))).toEqual([
    "by the last release",
    ...[1, 2, 3].map((n) => `after change ${n}`),
  ]);
  expect(accepted(await tenant.reply(number)).sequence).toBe(1);
  expect(accepted(await tenant.close(number)).sequence).toBe(2);
  await tenant.untilTicket(number, ({ state }) => state === "closed", "the ticket to be closed");
}, 120_000);

test("a Close that lies is delivered once by the last release, and by the one that stored it, whichever comes to it", async () => {
  const chatwoot = await startFakeChatwoot();
  const tenant = await world.tenant({ record: { desk: chatwoot.record } });
  for (const [at, bundle] of [last, undefined].entries()) {
    chatwoot.sendWebhooksTo(`${world.relay().url}/v1/desks/chatwoot/${tenant.owner}`);
    const number = newTicketNumber();
    accepted(await tenant.incoming(number));
    await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the message to be delivered");
    const [conversation] = chatwoot.conversations.slice(at);
    if (!conversation) throw new Error("there is no conversation");
    expect(await chatwoot.agentResolves(conversation)).toBe(200);
    await world.killAndRestart(undefined, bundle);
    await tenant.untilTicket(number, ({ state }) => state === "closed", "the ticket to be closed");
    expect(tenant.engine.received.filter(({ body }) => body.includes(number))).toHaveLength(1);
    if (bundle) await world.killAndRestart();
  }
  await chatwoot.close();
}, 120_000);
