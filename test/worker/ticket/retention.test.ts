import { evictDurableObject, reset, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { TenantIndex } from "../../../src/index";
import {
  accepted,
  alarmOf,
  close,
  fresh,
  incoming,
  outgoing,
  useFarEnds,
  registerTenant,
  status,
  ticketOf,
  tokenOf,
  untilView,
  viewOf,
} from "../world";
import { list, sweep } from "../tenant-index/index-world";

const farEnds = useFarEnds();

const WAIT = { timeout: 10_000, interval: 50 };
const listed = async (owner: string) => (await list(owner, "")).tickets;

const DAY_MS = 24 * 3600_000;
const later = (days: number) => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + days * DAY_MS });
const rowsOf = (owner: string, table: string) =>
  runInDurableObject(ticketOf(owner, "t"), (_ticket, { storage }) =>
    storage.sql.exec<{ n: number }>(`SELECT count(*) AS n FROM ${table}`).one(),
  ).then((row) => row.n);

const isGone = async (owner: string) => !(await ticketOf(owner, "t").timeline({ toDesk: { before: 9 } })).ok;

test("messages go after retentionDays with their keys, the newest of a lane and dead letters too, and the lane goes on where it was", async () => {
  const owner = await registerTenant({ retentionDays: 2 });
  const token = await tokenOf(owner);
  await accepted(incoming(owner, "t", "one"));
  for (const key of ["k1", "k2"]) await accepted(outgoing(token, "t", "reply", { "idempotency-key": key }));
  await untilView(owner, "t", (view) => view.lanes.toDesk.delivered + view.lanes.toDolphins.delivered === 3);
  farEnds.answerWith(status(422));
  await accepted(incoming(owner, "t", "dead"));
  await untilView(owner, "t", (view) => view.lanes.toDesk.dead === 1);
  farEnds.answerWith(() => Response.json({ status: "success" }));
  expect(await rowsOf(owner, "idempotency")).toBe(2);

  later(1);
  await accepted(incoming(owner, "t", "younger"));
  await untilView(owner, "t", (view) => view.lanes.toDesk.delivered === 2);
  expect((await viewOf(owner, "t")).messages).toHaveLength(5);
  later(1.5);
  await ticketOf(owner, "t").sweep();
  const rest = {
    toDesk: { accepted: 3, delivered: 2, dead: 0, waiting: 0 },
    toDolphins: { accepted: 2, delivered: 2 },
  };
  const view = await viewOf(owner, "t");
  expect(view.messages.map((message) => `${message.lane} ${message.sequence} ${message.state}`)).toEqual([
    "toDesk 3 delivered",
  ]);
  expect(view.lanes).toMatchObject(rest);
  expect(await rowsOf(owner, "idempotency")).toBe(0);

  // What the rows do not say any more, the ticket's own does.
  await evictDurableObject(ticketOf(owner, "t"));
  expect((await viewOf(owner, "t")).lanes).toMatchObject(rest);
  expect((await incoming(owner, "t", "next")).headers.get("relay-sequence")).toBe("4");
  expect((await outgoing(token, "t", "next")).headers.get("relay-sequence")).toBe("3");
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.delivered === 3 && lanes.toDolphins.delivered === 3);
});

test("a dead letter is kept for retentionDays after it died, however old it is", async () => {
  const owner = await registerTenant({ retentionDays: 1, delivery: { maxAgeSeconds: 3 * 86_400 } });
  farEnds.answerWith(status(503));
  await accepted(incoming(owner, "t", "never taken"));
  await untilView(owner, "t", (view) => view.lanes.toDesk.nextAttemptAt !== undefined);
  later(4);
  await ticketOf(owner, "t").sweep();
  await untilView(owner, "t", (view) => view.lanes.toDesk.dead === 1);
  later(0.5);
  await ticketOf(owner, "t").sweep();
  expect((await viewOf(owner, "t")).messages).toHaveLength(1);
  later(1);
  await ticketOf(owner, "t").sweep();
  expect(await isGone(owner)).toBe(true);
});

test("an open ticket that nobody writes in any more is gone with all there was of it, and opens anew with its first message", async () => {
  const owner = await registerTenant({ retentionDays: 1 });
  // With a second tenant of its desk, so that KV maps the ticket.
  await registerTenant({ deskId: owner });
  for (let n = 0; n < 3; n++) await accepted(incoming(owner, "t", `m${n}`));
  await untilView(owner, "t", (view) => view.lanes.toDesk.delivered === 3);
  farEnds.answerWith(status(422));
  for (let n = 0; n < 30; n++) await accepted(incoming(owner, "t", `dead ${n}`));
  await untilView(owner, "t", (view) => view.lanes.toDesk.dead === 30);
  const stub = ticketOf(owner, "t");
  await vi.waitFor(async () => expect((await listed(owner)).map((one) => one.ticketNumber)).toEqual(["t"]), WAIT);
  await vi.waitFor(async () => expect((await env.DIRECTORY.list({ prefix: "ticket:" })).keys).toHaveLength(1), WAIT);
  // It has no alarm of its own that would end it: the sweep that runs every day does.
  for (let day = 0; day < 400 && !(await isGone(owner)); day++) {
    await runInDurableObject(stub, (_ticket, { storage }) => storage.deleteAlarm());
    later(1);
    await sweep();
    expect(day, "it should be gone").toBeLessThan(3);
  }
  later(400);
  await sweep();
  expect(await isGone(owner)).toBe(true);
  expect(await listed(owner)).toEqual([]);
  expect((await env.DIRECTORY.list({ prefix: "ticket:" })).keys).toEqual([]);
  const tables = await runInDurableObject(stub, (_ticket, { storage }) =>
    storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '_cf%'").toArray(),
  );
  expect(tables).toEqual([]);
  expect((await incoming(owner, "t", "years later")).headers.get("relay-sequence")).toBe("1");
});

test("an active ticket is pruned by its own alarms", async () => {
  const owner = await registerTenant({ retentionDays: 1 });
  for (const text of ["one", "two", "three"]) await accepted(incoming(owner, "t", text));
  await untilView(owner, "t", (view) => view.lanes.toDesk.delivered === 3);
  later(2);
  await accepted(incoming(owner, "t", "four"));
  await untilView(owner, "t", (view) => view.lanes.toDesk.delivered === 4);
  await runDurableObjectAlarm(ticketOf(owner, "t"));
  expect((await viewOf(owner, "t")).messages.map((message) => message.sequence)).toEqual([4]);
});

test("an object that stays awake looks for what has run out once an hour", async () => {
  const owner = await registerTenant({ retentionDays: 1 });
  const stub = ticketOf(owner, "t");
  let count = 0;
  const oneMore = async () => {
    await accepted(incoming(owner, "t", `m${count++}`));
    await untilView(owner, "t", (view) => view.lanes.toDesk.delivered === count);
    await runDurableObjectAlarm(stub);
    return rowsOf(owner, "message");
  };
  const minute = 1 / 1440;
  await oneMore();
  later(1 - 10 * minute);
  expect(await oneMore(), "nothing has run out").toBe(2);
  later(20 * minute);
  expect(await oneMore(), "the first has run out, and it has been half an hour").toBe(3);
  later(45 * minute);
  expect(await oneMore(), "the hour is over").toBe(3);
});

test("a sweep's steps go on by the alarm, though the object has looked just before", async () => {
  const owner = await registerTenant({ retentionDays: 1 });
  await Promise.all(Array.from({ length: 130 }, (_, n) => accepted(incoming(owner, "t", `m${n}`))));
  await untilView(owner, "t", (view) => view.lanes.toDesk.delivered === 130);
  const stub = ticketOf(owner, "t");
  const minute = 1 / 1440;
  later(1 - 10 * minute);
  await stub.sweep();
  expect(await rowsOf(owner, "message"), "nothing has run out").toBe(130);
  later(20 * minute);
  await stub.sweep();
  expect(await rowsOf(owner, "message"), "a step").toBe(30);
  await runDurableObjectAlarm(stub);
  expect(await isGone(owner), "the rest").toBe(true);
});

test("a ticket that closes just after its object has looked has its end set all the same", async () => {
  const owner = await registerTenant({ retentionDays: 3 });
  const stub = ticketOf(owner, "t");
  await accepted(incoming(owner, "t", "hello"));
  await untilView(owner, "t", (view) => view.lanes.toDesk.delivered === 1);
  await runDurableObjectAlarm(stub);
  await accepted(close(await tokenOf(owner), "t"));
  await untilView(owner, "t", (view) => view.state === "closed" && view.lanes.toDolphins.waiting === 0);
  // Other alarms come before it, until the index has the report: that is not within two seconds of the report before.
  await vi.waitFor(
    async () => {
      await runDurableObjectAlarm(stub);
      expect(((await alarmOf(stub)) ?? 0) - Date.now()).toBeGreaterThan(2.9 * DAY_MS);
    },
    { timeout: 10_000, interval: 200 },
  );
}, 20_000);

test("a long history goes in steps, with the object free in between", async () => {
  const owner = await registerTenant({ retentionDays: 1 });
  await Promise.all(Array.from({ length: 250 }, (_, n) => accepted(incoming(owner, "t", `m${n}`))));
  await untilView(owner, "t", (view) => view.lanes.toDesk.delivered === 250);
  later(2);
  const stub = ticketOf(owner, "t");
  const left: number[] = [];
  await stub.sweep();
  left.push(await rowsOf(owner, "message"));
  while (!(await isGone(owner)) && (await runDurableObjectAlarm(stub))) {
    left.push((await isGone(owner)) ? 0 : await rowsOf(owner, "message"));
  }
  expect(left).toEqual([150, 50, 0]);
});

/** The second tenant of a desk: its tickets are mapped. */
async function secondTenant(record: Record<string, unknown>): Promise<string> {
  const deskId = fresh("desk");
  await registerTenant({ deskId });
  return registerTenant({ ...record, deskId });
}

async function closedTicket(owner: string): Promise<void> {
  await accepted(incoming(owner, "t", "hello"));
  await accepted(close(await tokenOf(owner), "t"));
  await untilView(owner, "t", (view) => view.state === "closed" && view.lanes.toDesk.waiting === 0);
  await vi.waitFor(async () => expect((await env.DIRECTORY.list({ prefix: "ticket:" })).keys).toHaveLength(1));
}

test("a closed ticket that was quiet for retentionDays is wiped whole by its alarm, with its mapping", async () => {
  const owner = await secondTenant({ retentionDays: 3 });
  await closedTicket(owner);
  const stub = ticketOf(owner, "t");
  // The safety alarm, finding nothing to do, leaves the one that ends the ticket.
  await runDurableObjectAlarm(stub);
  const alarmMs = (await alarmOf(stub)) ?? 0;
  expect(alarmMs - Date.now()).toBeGreaterThan(2.9 * DAY_MS);
  expect(alarmMs - Date.now()).toBeLessThanOrEqual(3 * DAY_MS);
  later(3.1);
  await runDurableObjectAlarm(stub);
  expect(await stub.timeline({ toDesk: { before: 9 } })).toEqual({ ok: false, error: { code: "unknown_ticket" } });
  const rest = await runInDurableObject(stub, async (_ticket, { storage }) => ({
    tables: storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '_cf%'").toArray(),
    alarm: await storage.getAlarm(),
  }));
  expect(rest).toEqual({ tables: [], alarm: null });
  expect((await env.DIRECTORY.list({ prefix: "ticket:" })).keys).toEqual([]);

  const answer = await incoming(owner, "t", "years later");
  expect(answer.headers.get("relay-sequence")).toBe("1");
  await untilView(owner, "t", (view) => view.state === "open" && view.lanes.toDesk.delivered === 1);
});

test("a ticket whose customer writes while it is being wiped lives on, and is mapped and reported again", async () => {
  const owner = await secondTenant({ retentionDays: 3 });
  await closedTicket(owner);
  const stub = ticketOf(owner, "t");
  const forget = Reflect.get(TenantIndex.prototype, "forget");
  vi.spyOn(TenantIndex.prototype, "forget").mockImplementationOnce(async function (this: TenantIndex, ...ticket) {
    await forget.apply(this, ticket);
    await accepted(incoming(owner, "t", "one more thing"));
  });
  later(3.1);
  await stub.sweep();
  const view = await untilView(owner, "t", (seen) => seen.lanes.toDesk.delivered === 2);
  expect(view.state).toBe("open");
  expect(farEnds.texts()).toContain("one more thing");
  await vi.waitFor(async () => expect((await env.DIRECTORY.list({ prefix: "ticket:" })).keys).toHaveLength(1));
  await stub.sweep();
  const { tickets } = await env.TENANT_INDEX.getByName(owner).tickets({
    state: undefined,
    search: undefined,
    before: undefined,
    limit: 9,
  });
  expect(tickets).toMatchObject([{ ticketNumber: "t", state: "open", lanes: { toDesk: { accepted: 2 } } }]);
});

test("a ticket that was opened again, or still has something waiting, is not wiped", async () => {
  const reopened = await secondTenant({ retentionDays: 1 });
  await closedTicket(reopened);
  later(1.5);
  await accepted(incoming(reopened, "t", "again"));
  await untilView(reopened, "t", (view) => view.lanes.toDesk.delivered > 0 && view.lanes.toDesk.waiting === 0);
  later(0.9);
  await ticketOf(reopened, "t").sweep();
  expect((await viewOf(reopened, "t")).state).toBe("open");

  vi.useRealTimers();
  await reset();
  const waiting = await registerTenant({ retentionDays: 1, delivery: { maxAgeSeconds: 2_000_000 } });
  farEnds.answerWith((sent) => (sent.url.includes("desk") ? status(503)(sent) : Response.json({ status: "success" })));
  await closedTicket2(waiting);
  later(2);
  await ticketOf(waiting, "t").sweep();
  expect((await viewOf(waiting, "t")).lanes.toDesk.waiting).toBe(1);
});

/** Closed towards the engine, while the customer's message still waits for the desk. */
async function closedTicket2(owner: string): Promise<void> {
  await accepted(incoming(owner, "t", "hello"));
  await accepted(close(await tokenOf(owner), "t"));
  await untilView(owner, "t", (view) => view.state === "closed");
}
