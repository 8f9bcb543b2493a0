import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { beforeEach, expect, test, vi, type MockInstance } from "vitest";
import { Ticket } from "../../../src/index";
import type { Report } from "../../../src/model/ticket-report";
import { indexOf, NONE, reportOf } from "./index-world";
import { accepted, incoming, ok, operator, registerTenant, status, ticketOf, untilView, useFarEnds } from "../world";

/** Many tickets are tried from the index's alarm. Of most of them it knows by their reports alone: their objects are played. */

const farEnds = useFarEnds();

let retries: MockInstance<Ticket["retry"]>;
beforeEach(() => {
  retries = vi.spyOn(Ticket.prototype, "retry");
});

const WAITS = { toDesk: { ...NONE, accepted: 1, waiting: 1 }, toDolphins: NONE };
const FINE = { toDesk: { ...NONE, accepted: 1, delivered: 1 }, toDolphins: NONE };
const waits = (n: number, atMs: number): Report =>
  reportOf(n, { atMs, lanes: WAITS, waitingSinceMs: 1_000_000 + n, nextAttemptAtMs: 2_000_000 });
const recovers = (n: number, atMs: number): Report => reportOf(n, { atMs, lanes: FINE });

/** A tenant of whom so many tickets wait for the desk, and a clock that stands still. */
async function waitingTenant(tickets: number) {
  const owner = await registerTenant();
  const index = indexOf(owner);
  vi.useFakeTimers({ toFake: ["Date"] });
  for (let n = 0; n < tickets; n++) await index.report(waits(n, 1_000_000 + n));
  retries.mockImplementation(async () => ({ ok: true, value: 1 }));
  const jobs = () =>
    runInDurableObject(
      index,
      (_index, { storage }) => storage.kv.get<{ jobs: { kind: string }[] }>("work")?.jobs ?? [],
    );
  const step = async () => {
    vi.setSystemTime(Date.now() + 1_000);
    const before = retries.mock.calls.length;
    await runDurableObjectAlarm(index);
    return retries.mock.calls.length - before;
  };
  return { owner, index, jobs, step };
}

test("the others are tried in a wave that grows while far ends take them, once each, and one wave does for all", async () => {
  const { index, jobs, step } = await waitingTenant(100);
  await index.report(recovers(99, 3_000_000));
  await index.report(recovers(98, 3_000_000));
  expect(await step()).toBe(10);
  await index.report(recovers(0, 3_000_000));
  expect(await step()).toBe(20);
  await index.report(recovers(11, 3_000_000));
  await index.report(recovers(12, 3_000_000));
  expect(await step()).toBe(40);
  await index.report(recovers(31, 3_000_000));
  expect(await step()).toBe(28);
  expect(retries.mock.calls.every(([lanes, even]) => lanes.join() === "toDesk" && even === false)).toBe(true);
  await index.report(recovers(71, 3_000_000));
  expect(await step()).toBe(0);
  expect(await jobs()).toEqual([]);
});

test("a wave of whose step nothing is delivered waits for that, ends, and storms nobody; the next recovery begins another", async () => {
  const { index, jobs, step } = await waitingTenant(100);
  await index.report(recovers(99, 3_000_000));
  expect(await step()).toBe(10);
  for (let seconds = 0; seconds < 15; seconds++) expect(await step()).toBe(0);
  expect(await jobs()).toMatchObject([{ kind: "wave" }]);
  for (let seconds = 0; seconds < 7; seconds++) expect(await step()).toBe(0);
  expect(await jobs()).toEqual([]);
  await index.report(recovers(98, 3_000_000));
  expect(await step()).toBe(10);
});

test("what was delivered without having waited, or waited without an attempt that failed, begins no wave", async () => {
  const { index, jobs } = await waitingTenant(3);
  await index.report(reportOf(7, { atMs: 3_000_000, lanes: FINE }));
  await index.report(reportOf(8, { atMs: 3_000_000, lanes: WAITS, waitingSinceMs: 1_000_000 }));
  await index.report(recovers(8, 3_000_001));
  expect(await jobs()).toEqual([]);
  await index.report(recovers(0, 3_000_000));
  expect(await jobs()).toMatchObject([{ kind: "wave", lane: "toDesk" }]);
});

test("a tenant's retry tries all that wait, in portions, and says how many", async () => {
  const { owner, jobs, step } = await waitingTenant(220);
  expect(await operator("POST", `/tenants/${owner}/retry`, { lane: "toDolphins" })).toMatchObject({ tickets: 0 });
  expect(await operator("POST", `/tenants/${owner}/retry`)).toEqual({ status: "success", tickets: 220 });
  let tried = 0;
  for (let n = 0; n < 20 && (await jobs()).length > 0; n++) {
    const portion = await step();
    expect(portion).toBeLessThanOrEqual(200);
    tried += portion;
  }
  expect(tried).toBe(220);
  expect(retries.mock.calls.every(([, even]) => even === true)).toBe(true);
  expect(new Set(retries.mock.contexts).size).toBe(220);
});

test("a retry also reaches who has begun to wait just before, and is in the list only a few seconds later", async () => {
  const { owner, index, step } = await waitingTenant(1);
  await operator("POST", `/tenants/${owner}/retry`, { lane: "toDesk" });
  const startedAtMs = Date.now();
  expect(await step()).toBe(1);
  await index.report(reportOf(5, { atMs: startedAtMs, lanes: WAITS, waitingSinceMs: startedAtMs - 1_000 }));
  let tried = 0;
  for (let seconds = 0; seconds < 10; seconds++) tried += await step();
  expect(tried).toBe(1);
});

test("a PUT of the record has all that waits tried at once, and once more when every place knows the record", async () => {
  const { owner, step } = await waitingTenant(2);
  await operator("PUT", `/tenants/${owner}`, {
    dolphins: { baseUrl: "https://bank.example.com" },
    desk: { type: "native", url: "https://desk.example.com/mended" },
  });
  let tried = 0;
  for (let seconds = 0; seconds < 60; seconds++) tried += await step();
  expect(tried).toBe(2);
  for (let seconds = 60; seconds < 100; seconds++) tried += await step();
  expect(tried).toBe(4);
});

test("a far end that is back is told all that waits for it within seconds, whatever their backoff", async () => {
  const owner = await registerTenant();
  farEnds.answerWith(status(503));
  const numbers = Array.from({ length: 12 }, (_, n) => `t${n}`);
  for (const number of numbers) await accepted(incoming(owner, number, number));
  // All of them are past their shortest waits.
  vi.useFakeTimers({ toFake: ["Date"] });
  for (let round = 0; round < 5; round++) {
    vi.setSystemTime(Date.now() + 130_000);
    await Promise.all(numbers.map((number) => ticketOf(owner, number).ticketInfo()));
    await vi.waitFor(async () => expect(farEnds.sent.length).toBeGreaterThanOrEqual(12 * (round + 2)));
  }
  await Promise.all(numbers.map((number) => ticketOf(owner, number).sweep()));
  // Between two reports of a ticket there are two seconds.
  vi.setSystemTime(Date.now() + 3_000);
  farEnds.answerWith(ok);
  await operator("POST", `/tickets/${owner}/t7/retry`);
  await untilView(owner, "t7", ({ lanes }) => lanes.toDesk.delivered === 1);
  for (let seconds = 0; seconds < 5; seconds++) {
    vi.setSystemTime(Date.now() + 1_000);
    await runDurableObjectAlarm(indexOf(owner));
  }
  for (const number of numbers) await untilView(owner, number, ({ lanes }) => lanes.toDesk.delivered === 1);
}, 30_000);

test("an operator's retry of a ticket goes before a Retry-After, and a wave does not", async () => {
  const owner = await registerTenant();
  farEnds.answerWith(() => new Response("", { status: 429, headers: { "retry-after": "300" } }));
  await accepted(incoming(owner, "t", "one"));
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.nextAttemptAt !== undefined);
  farEnds.answerWith(ok);
  expect(await ticketOf(owner, "t").retry(["toDesk"], false)).toEqual({ ok: true, value: 0 });
  expect(await operator("POST", `/tickets/${owner}/t/retry`, { lane: "toDolphins" })).toMatchObject({ tickets: 0 });
  expect(farEnds.sent).toHaveLength(1);
  expect(await operator("POST", `/tickets/${owner}/t/retry`)).toEqual({ status: "success", tickets: 1 });
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.delivered === 1);
  expect(farEnds.sent).toHaveLength(2);
});
