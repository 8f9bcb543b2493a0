import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { Ticket } from "../../../src/index";
import type { LaneName, TenantAnswer } from "../../../src/model/answers";
import { meter } from "../meter";
import { indexOf, reportOf, sweep, WAITING } from "./index-world";
import {
  accepted,
  alarmOf,
  incoming,
  ok,
  operator,
  outgoing,
  registerTenant,
  status,
  ticketOf,
  tokenOf,
  untilView,
  useFarEnds,
  viewOf,
} from "../world";

const farEnds = useFarEnds();

const pause = (owner: string, body: { lane?: LaneName; reason?: string } = {}) =>
  operator("POST", `/tenants/${owner}/pause`, body);
const resume = (owner: string, body: { lane?: LaneName } = {}) => operator("POST", `/tenants/${owner}/resume`, body);
const recordOf = async (owner: string) => ((await operator("GET", `/tenants/${owner}`)) as TenantAnswer).tenant;
const heldIn = (owner: string) =>
  runInDurableObject(indexOf(owner), (_index, { storage }) =>
    [...storage.kv.list({ prefix: "held:" })].map(([key]) => key),
  );
/** All that the index has to do is done. */
const untilIdle = (owner: string) =>
  vi.waitFor(async () => {
    const work = await runInDurableObject(indexOf(owner), (_index, { storage }) =>
      storage.kv.get<{ jobs: unknown[] }>("work"),
    );
    expect(work?.jobs).toEqual([]);
  });

test("a pause of one direction keeps its messages and attempts nothing, and a resume delivers them in order", async () => {
  const owner = await registerTenant();
  const token = await tokenOf(owner);
  await accepted(incoming(owner, "t", "before"));
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.delivered === 1);
  const shown = { since: expect.any(String) as string, by: "admin", reason: "maintenance" };
  expect(await pause(owner, { lane: "toDesk", reason: "maintenance" })).toEqual({
    status: "success",
    paused: { toDesk: shown },
  });
  expect((await recordOf(owner)).paused).toEqual({ toDesk: shown });
  for (const text of ["one", "two", "three"]) await accepted(incoming(owner, "t", text));
  await accepted(incoming(owner, "opened since", "four"));
  await accepted(outgoing(token, "t", "a reply"));
  const view = await untilView(owner, "t", ({ lanes }) => lanes.toDolphins.delivered === 1);
  expect(view.lanes.toDesk).toMatchObject({ waiting: 3, paused: { reason: "maintenance" } });
  expect(view.messages.flatMap(({ attempts }) => attempts)).toHaveLength(2);
  await untilView(owner, "opened since", ({ lanes }) => lanes.toDesk.paused !== undefined);
  expect(farEnds.texts()).toEqual(["before", "a reply"]);
  expect(await resume(owner)).toEqual({ status: "success", paused: {} });
  await farEnds.until(6);
  const since = farEnds.texts().slice(2);
  expect(since.filter((text) => text !== "four")).toEqual(["one", "two", "three"]);
  expect(since).toContain("four");
  await untilIdle(owner);
  expect(await heldIn(owner)).toEqual([]);
  expect((await recordOf(owner)).paused).toBeUndefined();
  expect((await viewOf(owner, "t")).lanes.toDesk.paused).toBeUndefined();
});

test("a PUT of the record, also of one as it was read before the pause, keeps the pause", async () => {
  const owner = await registerTenant();
  const before = await recordOf(owner);
  await pause(owner, { reason: "maintenance" });
  await operator("PUT", `/tenants/${owner}`, before);
  expect(Object.keys((await recordOf(owner)).paused ?? {})).toEqual(["toDesk", "toDolphins"]);
  await operator("PUT", `/tenants/${owner}`, await recordOf(owner));
  await resume(owner, { lane: "toDolphins" });
  expect(Object.keys((await recordOf(owner)).paused ?? {})).toEqual(["toDesk"]);
});

test("a ticket that waits stops at once, stays paused in its own row, and needs no alarm", async () => {
  const owner = await registerTenant();
  farEnds.answerWith(status(503));
  await accepted(incoming(owner, "t", "one"));
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.nextAttemptAt !== undefined);
  const stub = ticketOf(owner, "t");
  await stub.sweep();
  await pause(owner, { lane: "toDesk" });
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.paused !== undefined);
  await untilIdle(owner);
  await evictDurableObject(stub);
  farEnds.answerWith(ok);
  farEnds.sent.length = 0;
  await accepted(incoming(owner, "t", "two"));
  // The first alarm has it reported that something waits. Then there is nothing more to ring for.
  while (await runDurableObjectAlarm(stub)) await stub.ticketInfo();
  expect(await alarmOf(stub)).toBeNull();
  expect(farEnds.sent).toEqual([]);
  expect((await viewOf(owner, "t")).lanes.toDesk.nextAttemptAt).toBeUndefined();
  await resume(owner);
  await farEnds.until(2);
  expect(farEnds.texts()).toEqual(["one", "two"]);
});

test("a message that grew too old under a pause alone is delivered, and one that was too old besides is given up", async () => {
  const owner = await registerTenant({ delivery: { maxAgeSeconds: 60 } });
  vi.useFakeTimers({ toFake: ["Date"] });
  await pause(owner, { lane: "toDesk" });
  await accepted(incoming(owner, "t", "one"));
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.paused !== undefined);
  farEnds.answerWith(status(503));
  vi.setSystemTime(Date.now() + 3600_000);
  await resume(owner);
  vi.setSystemTime(Date.now() + 1_000);
  await runDurableObjectAlarm(indexOf(owner));
  await farEnds.until(1);
  const { lanes } = await untilView(owner, "t", ({ messages }) => messages[0]?.attempts.length === 1);
  expect(lanes.toDesk).toMatchObject({ waiting: 1, dead: 0 });
  vi.setSystemTime(Date.now() + 61_000);
  await runDurableObjectAlarm(ticketOf(owner, "t"));
  await untilView(owner, "t", (view) => view.lanes.toDesk.dead === 1);
});

test("a ticket that has seen a pause in the record asks the index, which may know better", async () => {
  const owner = await registerTenant();
  await pause(owner, { lane: "toDesk" });
  // The record of this place says so still, for as long as KV may.
  await indexOf(owner).resume(["toDesk"]);
  await accepted(incoming(owner, "t", "one"));
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.delivered === 1);
  expect(farEnds.texts()).toEqual(["one"]);
});

test("as long as the index does not say whether a lane is paused, nothing is sent and nothing counts as an attempt", async () => {
  const owner = await registerTenant();
  await pause(owner, { lane: "toDesk" });
  const stub = ticketOf(owner, "t");
  const index = env.TENANT_INDEX.getByName(owner);
  const asks = vi.spyOn(
    Object.getPrototypeOf(await runInDurableObject(index, (object) => object)) as { pauseFor: () => Promise<unknown> },
    "pauseFor",
  );
  asks.mockRejectedValueOnce(new Error("away"));
  await accepted(incoming(owner, "t", "one"));
  await vi.waitFor(() => expect(asks).toHaveBeenCalled());
  const view = await viewOf(owner, "t");
  expect(view.messages[0]).toMatchObject({ state: "waiting", attempts: [] });
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 6_000 });
  await runDurableObjectAlarm(stub);
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.paused !== undefined);
  expect(farEnds.sent).toEqual([]);
});

test("a ticket that could not be reached is resumed later, and one that was paused again meanwhile is not let go", async () => {
  const owner = await registerTenant();
  await pause(owner, { lane: "toDesk" });
  await accepted(incoming(owner, "t", "one"));
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.paused !== undefined);
  await untilIdle(owner);
  const applies = vi.spyOn(Ticket.prototype, "applyPause").mockRejectedValueOnce(new Error("overloaded"));
  await resume(owner);
  await vi.waitFor(() => expect(applies).toHaveBeenCalledTimes(1));
  expect(await heldIn(owner)).toEqual(["held:toDesk:t"]);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 6_000 });
  await runDurableObjectAlarm(indexOf(owner));
  await farEnds.until(1);
  vi.useRealTimers();
  await pause(owner, { lane: "toDesk" });
  await accepted(incoming(owner, "t", "two"));
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.paused !== undefined);
  const { promise, resolve } = Promise.withResolvers<void>();
  applies.mockImplementationOnce(async () => {
    await promise;
    return true;
  });
  await resume(owner);
  await vi.waitFor(() => expect(applies).toHaveBeenCalledTimes(3));
  await pause(owner, { lane: "toDesk", reason: "again" });
  resolve();
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.paused?.reason === "again");
  expect(await heldIn(owner)).toEqual(["held:toDesk:t"]);
});

test("the sweep lets those rest that wait in a lane that is paused, and wakes the others", async () => {
  const owner = await registerTenant();
  const waits = { waitingSinceMs: 1_000, nextAttemptAtMs: 2_000 };
  await indexOf(owner).report(reportOf(1, { ...waits, lanes: WAITING }));
  await indexOf(owner).report(
    reportOf(2, { ...waits, lanes: { toDesk: WAITING.toDolphins, toDolphins: WAITING.toDesk } }),
  );
  vi.spyOn(Ticket.prototype, "applyPause").mockResolvedValue(true);
  await pause(owner, { lane: "toDesk" });
  await untilIdle(owner);
  const sweeps = vi.spyOn(Ticket.prototype, "sweep").mockResolvedValue(true);
  await runInDurableObject(indexOf(owner), (_index, { storage }) =>
    storage.kv.put("walk", { afterId: 0, startedAtMs: Date.now() }),
  );
  await sweep();
  expect(sweeps).toHaveBeenCalledTimes(1);
});

test("a ticket pays one row for a pause and one for its end, and an index that has nothing to do pays nothing", async () => {
  const owner = await registerTenant();
  await accepted(incoming(owner, "t", "one"));
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.delivered === 1);
  const stub = ticketOf(owner, "t");
  while (await runDurableObjectAlarm(stub)) await stub.ticketInfo();
  const cost = await meter(stub);
  await stub.applyPause("toDesk", { atMs: 1, pause: { sinceMs: Date.now(), reason: "" } });
  expect((await cost()).written).toBe(1);
  await stub.applyPause("toDesk", { atMs: 2 });
  expect((await cost()).written).toBe(2);
  expect(await runInDurableObject(indexOf(owner), (_index, { storage }) => storage.kv.get("work"))).toBeUndefined();
});

test("a resume whose alarm was lost is finished after the next sweep", async () => {
  const owner = await registerTenant();
  await accepted(incoming(owner, "t", "before"));
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.delivered === 1);
  await ticketOf(owner, "t").sweep();
  await pause(owner, { lane: "toDesk" });
  await untilIdle(owner);
  await accepted(incoming(owner, "t", "meanwhile"));
  await runInDurableObject(indexOf(owner), async (index, { storage }) => {
    await index.resume(["toDesk"]);
    await storage.deleteAlarm();
  });
  await evictDurableObject(indexOf(owner));
  expect(farEnds.texts()).toEqual(["before"]);
  await sweep();
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.delivered === 2);
  expect(farEnds.texts()).toEqual(["before", "meanwhile"]);
});
