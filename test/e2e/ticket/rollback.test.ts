import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startFakeChatwoot } from "../../../dev/fakes/chatwoot.ts";
import { textOf } from "../support/events.ts";
import { accepted } from "../support/http.ts";
import { newTicketNumber } from "../support/tenant.ts";
import { poll } from "../support/timeline.ts";
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

/** Until the relay that runs now has tried this message, and failed. */
const untilFailed = async (id: string): Promise<void> => {
  const failed = () => world.relay().logs.filter((line) => line.includes("attempt_failed") && line.includes(id));
  await poll(
    async () => failed().length,
    (lines) => lines > 0,
    `an attempt of ${id} to fail`,
  );
};

test("what waits outlives a deploy, a rollback to the last release and the deploy after that, in order and once each, and the last release sends nothing that it cannot read", async () => {
  const tenant = await world.tenant();
  const number = newTicketNumber();
  const ids: string[] = [];
  const write = async (message: string) => {
    const stored = accepted(await tenant.incoming(number, { message }, { "idempotency-key": message }));
    expect(stored.sequence).toBe(ids.push(stored.id));
  };
  const isRepeated = async () => {
    const message = "by the last release";
    const again = accepted(await tenant.incoming(number, { message }, { "idempotency-key": message }));
    expect(again.id).toBe(ids[0]);
  };
  const tried = () => tenant.desk.received.length;
  const isTried = async () => {
    const before = tried();
    await tenant.desk.until(() => tried() > before, "an attempt after the change", 30_000);
  };
  tenant.desk.answerWith(() => ({ status: 503, body: "busy" }));
  tenant.engine.answerWith(() => ({ status: 503, body: "busy" }));
  await write("by the last release");

  // Each goes on where the other was: its tables, its attempts, its keys.
  await world.killAndRestart();
  await write("sealed");
  await isTried();
  const reply = accepted(await tenant.reply(number, { message: "a sealed reply" }));
  const { messages } = await tenant.untilTicket(
    number,
    ({ lanes }) => lanes.toDesk.nextAttemptAt !== undefined && lanes.toDolphins.nextAttemptAt !== undefined,
    "the attempts to be on record",
  );
  expect(messages.map(({ id, state }) => [id, state])).toEqual([...ids, reply.id].map((id) => [id, "waiting"]));
  expect(messages.flatMap(({ attempts }) => attempts).every(({ status }) => status === 503)).toBe(true);
  await isRepeated();

  await world.killAndRestart(undefined, last);
  await write("after the rollback");
  await isRepeated();
  const before = tried();
  const toEngine = tenant.engine.received.length;
  tenant.desk.answerWith(() => ({ status: 200 }));
  tenant.engine.answerWith(() => ({ status: 200 }));
  // Its own goes out. What is sealed waits, and what is behind it as well.
  const [own = "", sealed = "", ...behind] = ids;
  await Promise.all([untilFailed(sealed), untilFailed(reply.id)]);
  expect(tenant.desk.received.slice(before).map(({ headers }) => headers["webhook-id"])).toEqual([own]);
  expect(tenant.engine.received).toHaveLength(toEngine);

  await world.killAndRestart();
  await write("after the second deploy");
  await tenant.untilTicket(
    number,
    ({ lanes }) => lanes.toDesk.delivered === ids.length && lanes.toDolphins.delivered === 1,
    "all to be delivered",
  );
  const taken = tenant.desk.received.slice(before);
  expect(taken.map(({ headers }) => headers["webhook-id"])).toEqual(ids);
  expect(taken.map(({ body }) => textOf(body))).toEqual([
    "by the last release",
    "sealed",
    "after the rollback",
    "after the second deploy",
  ]);
  expect(behind).toHaveLength(1);
  expect(tenant.engine.received.slice(toEngine).map(({ body }) => textOf(body))).toEqual(["a sealed reply"]);
  expect(accepted(await tenant.close(number)).sequence).toBe(2);
  await tenant.untilTicket(number, ({ state }) => state === "closed", "the ticket to be closed");
}, 180_000);

/** A new ticket whose agent has resolved its conversation, and then the relay is killed: its Close lies. */
async function withLyingClose(bundle: string | undefined) {
  const chatwoot = await startFakeChatwoot();
  const tenant = await world.tenant({ record: { desk: chatwoot.record } });
  chatwoot.sendWebhooksTo(`${world.relay().url}/v1/desks/chatwoot/${tenant.owner}`);
  const number = newTicketNumber();
  accepted(await tenant.incoming(number));
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the message to be delivered");
  const [conversation] = chatwoot.conversations;
  if (!conversation) throw new Error("there is no conversation");
  expect(await chatwoot.agentResolves(conversation)).toBe(200);
  await world.killAndRestart(undefined, bundle);
  const isClosed = () => tenant.untilTicket(number, ({ state }) => state === "closed", "the ticket to be closed");
  return { number, tenant, chatwoot, isClosed };
}

test("a Close that lies is delivered once by the release that stored it", async () => {
  const { tenant, chatwoot, isClosed } = await withLyingClose(undefined);
  await isClosed();
  expect(tenant.engine.received).toHaveLength(1);
  await chatwoot.close();
}, 120_000);

test("a Close that lies waits where the last release comes to it, and is delivered once after the next deploy", async () => {
  const { number, tenant, chatwoot, isClosed } = await withLyingClose(last);
  await untilFailed(number);
  expect(tenant.engine.received).toEqual([]);
  await world.killAndRestart();
  await isClosed();
  expect(tenant.engine.received).toHaveLength(1);
  await chatwoot.close();
}, 120_000);
