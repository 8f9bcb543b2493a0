import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { expect, test, vi } from "vitest";
import { TenantIndex } from "../../../src/index";
import type { TicketSummary } from "../../../src/model/answers";
import { TicketStore } from "../../../src/ticket/store";
import { indexOf, reportOf } from "../tenant-index/index-world";
import {
  accepted,
  alarmOf,
  close,
  incoming,
  ok,
  operator,
  outgoing,
  registerTenant,
  status,
  ticketAtRest,
  ticketOf,
  tokenOf,
  untilView,
  useFarEnds,
  viewOf,
} from "../world";

/** What a ticket reports to its tenant's index, when, and through what. */

const farEnds = useFarEnds();

const ALL = { state: undefined, search: undefined, before: undefined, limit: 100 };
const passed = (ms: number) => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
const summaries = async (owner: string): Promise<TicketSummary[]> => (await indexOf(owner).tickets(ALL)).tickets;
/** What the index knows of the ticket "t", once `expected` is part of it. */
const untilKnown = (owner: string, expected: object): Promise<TicketSummary | undefined> =>
  vi.waitFor(
    async () => {
      const [known] = await summaries(owner);
      expect(known).toMatchObject(expected);
      return known;
    },
    { timeout: 5_000, interval: 10 },
  );

/** A ticket that was opened with one delivered message, and has reported that. */
async function knownTicket(record: Record<string, unknown> = {}): Promise<string> {
  const { owner } = await ticketAtRest(record);
  passed(10_000);
  return owner;
}

/** Sums of the index's minutes. */
async function countedOf(owner: string) {
  const { minutes } = await indexOf(owner).overview(owner, 1440);
  const sum = (name: "accepted" | "delivered" | "dead") =>
    minutes.reduce((total, { toDesk, toDolphins }) => total + toDesk[name] + toDolphins[name], 0);
  return { accepted: sum("accepted"), delivered: sum("delivered"), dead: sum("dead") };
}

test("a new ticket is reported by its first alarm, and not while its first message is on its way", async () => {
  const report = vi.spyOn(TenantIndex.prototype, "report");
  const search = vi.spyOn(TicketStore.prototype, "oldestAcceptedAtMs");
  const owner = await registerTenant();
  await accepted(incoming(owner, "t", "hello"));
  // A look at the ticket would be reported as well. So the far end says here when the message is through.
  await farEnds.until(1);
  await ticketOf(owner, "t").deliveryStatus("toDesk", 1, 1000);
  expect(report).not.toHaveBeenCalled();
  expect(((await alarmOf(ticketOf(owner, "t"))) ?? 0) - Date.now()).toBeLessThanOrEqual(5_000);
  await runDurableObjectAlarm(ticketOf(owner, "t"));
  const known = await untilKnown(owner, {
    ticketNumber: "t",
    channel: "whatsapp",
    contactId: "d61d77735f3fe08bcf6d6b96fa06ba9d",
    customerName: "Farhan Akbar",
    state: "open",
    lanes: { toDesk: { accepted: 1, delivered: 1, waiting: 0, dead: 0 } },
  });
  expect(known).not.toHaveProperty("waitingSince");
  expect(await countedOf(owner)).toEqual({ accepted: 1, delivered: 1, dead: 0 });
  // The object that has opened the ticket knows when that was.
  expect(search).not.toHaveBeenCalled();
});

test("a dead letter, its replay, a close and a new name are reported as they happen", async () => {
  const owner = await knownTicket();
  const token = await tokenOf(owner);
  farEnds.answerWith(status(422));
  await accepted(outgoing(token, "t", "refused"));
  await untilKnown(owner, { lanes: { toDolphins: { accepted: 1, delivered: 0, dead: 1 } } });
  expect(await countedOf(owner)).toEqual({ accepted: 2, delivered: 1, dead: 1 });

  passed(3_000);
  farEnds.answerWith(ok);
  await ticketOf(owner, "t").replay({ all: true });
  await untilKnown(owner, { lanes: { toDolphins: { delivered: 1, dead: 0 } } });

  passed(3_000);
  await accepted(incoming(owner, "t", "it's me", { customerName: "Bunga", contactId: "other" }));
  await untilKnown(owner, { customerName: "Bunga", contactId: "other" });

  passed(3_000);
  await accepted(close(token, "t"));
  await untilKnown(owner, { state: "closed" });
  expect(await countedOf(owner)).toEqual({ accepted: 4, delivered: 4, dead: 1 });
});

test("a message that waits past 5 seconds is reported with its next attempt, and the ticket again when nothing waits any more", async () => {
  const owner = await knownTicket();
  farEnds.answerWith(status(503));
  await accepted(incoming(owner, "t", "waits"));
  await untilView(owner, "t", (view) => view.lanes.toDesk.nextAttemptAt !== undefined);
  const { oldestWaitingSince } = (await viewOf(owner, "t")).lanes.toDesk;
  passed(6_000);
  await runDurableObjectAlarm(ticketOf(owner, "t"));
  const known = await untilKnown(owner, { waitingSince: oldestWaitingSince, lanes: { toDesk: { waiting: 1 } } });
  expect(known?.nextAttemptAt).toMatch(/^\d{4}-/);
  expect((await indexOf(owner).overview(owner, 60)).waiting).toEqual({
    tickets: 1,
    messages: 1,
    oldestSince: oldestWaitingSince,
  });
  // The look has the ticket report once more, and between two reports there is a pause.
  await untilKnown(owner, { nextAttemptAt: expect.not.stringMatching(String(known?.nextAttemptAt)) as string });
  await ticketOf(owner, "t").sweep();

  farEnds.answerWith(ok);
  passed(60_000);
  await runDurableObjectAlarm(ticketOf(owner, "t"));
  expect(await untilKnown(owner, { lanes: { toDesk: { waiting: 0, delivered: 2 } } })).not.toHaveProperty(
    "waitingSince",
  );
  expect((await indexOf(owner).overview(owner, 60)).waiting).toEqual({ tickets: 0, messages: 0 });
});

test("a message that waits is reported after 5 seconds, though the far end asked for a long pause", async () => {
  const owner = await knownTicket();
  farEnds.answerWith(() => new Response("", { status: 503, headers: { "retry-after": "500" } }));
  await accepted(incoming(owner, "t", "waits"));
  await vi.waitFor(async () => {
    const dueMs = ((await alarmOf(ticketOf(owner, "t"))) ?? Infinity) - Date.now();
    expect(dueMs).toBeLessThanOrEqual(5_000);
  });
  await farEnds.until(2);
  passed(6_000);
  await runDurableObjectAlarm(ticketOf(owner, "t"));
  await untilKnown(owner, { lanes: { toDesk: { waiting: 1 } } });
  expect((await summaries(owner))[0]).toHaveProperty("waitingSince");
});

test("counts are reported in batches: nothing for 31 messages, and the 32nd brings them all", async () => {
  const owner = await knownTicket();
  const report = vi.spyOn(TenantIndex.prototype, "report");
  for (let n = 1; n <= 31; n++) await accepted(incoming(owner, "t", `m${n}`));
  await farEnds.until(32);
  await ticketOf(owner, "t").deliveryStatus("toDesk", 32, 1000);
  expect(report).not.toHaveBeenCalled();
  await accepted(incoming(owner, "t", "m32"));
  await untilKnown(owner, { lanes: { toDesk: { accepted: 33 } } });
  expect(report).toHaveBeenCalledTimes(1);
});

test("a ticket whose every message ends dead is reported at most every two seconds, and all of them in the end", async () => {
  const owner = await knownTicket();
  const report = vi.spyOn(TenantIndex.prototype, "report");
  farEnds.answerWith(status(422));
  for (let n = 1; n <= 20; n++) await accepted(incoming(owner, "t", `bad ${n}`));
  await farEnds.until(21);
  await ticketOf(owner, "t").deliveryStatus("toDesk", 21, 1000);
  expect(report).toHaveBeenCalledTimes(1);
  passed(3_000);
  expect(await runDurableObjectAlarm(ticketOf(owner, "t"))).toBe(true);
  await untilKnown(owner, { lanes: { toDesk: { accepted: 21, dead: 20 } } });
  expect(report).toHaveBeenCalledTimes(2);
});

test("an index that is down costs no message, no order and no report", async () => {
  const owner = await registerTenant();
  const down = vi.spyOn(TenantIndex.prototype, "report").mockRejectedValue(new Error("the index is down"));
  farEnds.answerWith((sent) => status(sent.body.includes("bad") ? 422 : 200)(sent));
  const texts = Array.from({ length: 40 }, (_, n) => (n === 7 ? "bad" : `m${n}`));
  for (const text of texts) await accepted(incoming(owner, "t", text));
  await farEnds.until(40);
  expect(farEnds.texts()).toEqual(texts);
  const stub = ticketOf(owner, "t");
  await vi.waitFor(() => expect(down).toHaveBeenCalled());
  expect(await summaries(owner)).toEqual([]);

  // It is tried again by the alarm, less and less often.
  const pauses: number[] = [];
  for (let tries = 0; tries < 7; tries++) {
    const calls = down.mock.calls.length;
    passed(400_000);
    await runDurableObjectAlarm(stub);
    await vi.waitFor(() => expect(down.mock.calls.length).toBe(calls + 1));
    await vi.waitFor(async () => expect((await alarmOf(stub)) ?? 0).toBeGreaterThan(Date.now() + 9_000));
    pauses.push(Math.round((((await alarmOf(stub)) ?? 0) - Date.now()) / 1000));
  }
  expect(pauses.map((seconds) => seconds / 10)).toEqual([2, 4, 8, 16, 30, 30, 30]);

  down.mockRestore();
  passed(400_000);
  await runDurableObjectAlarm(stub);
  await untilKnown(owner, { lanes: { toDesk: { accepted: 40, delivered: 39, waiting: 0, dead: 1 } } });
  expect(await countedOf(owner)).toEqual({ accepted: 40, delivered: 39, dead: 1 });
});

test("a report whose acknowledgement was lost is made again, and counted once", async () => {
  const owner = await knownTicket();
  const take = Reflect.get(TenantIndex.prototype, "report");
  const losing = vi.spyOn(TenantIndex.prototype, "report");
  losing.mockImplementation(async function (this: TenantIndex, ...report) {
    await take.apply(this, report);
    throw new Error("the answer was lost");
  });
  const stub = ticketOf(owner, "t");
  for (let n = 1; n <= 40; n++) await accepted(incoming(owner, "t", `m${n}`));
  await vi.waitFor(() => expect(losing).toHaveBeenCalledTimes(1));
  // The next instance finds the last report as it was before.
  await evictDurableObject(stub);
  await stub.sweep();
  expect(losing).toHaveBeenCalledTimes(2);
  losing.mockRestore();
  await accepted(incoming(owner, "t", "one more"));
  await farEnds.until(42);
  await stub.deliveryStatus("toDesk", 42, 1000);
  await stub.sweep();
  await untilKnown(owner, { lanes: { toDesk: { accepted: 42, delivered: 42 } } });
  expect(await countedOf(owner)).toEqual({ accepted: 42, delivered: 42, dead: 0 });
});

test("an eviction before a report loses nothing: the alarm that stands for the report brings it to the index", async () => {
  const owner = await knownTicket();
  const down = vi.spyOn(TenantIndex.prototype, "report").mockRejectedValue(new Error("the index is down"));
  farEnds.answerWith(status(422));
  await accepted(incoming(owner, "t", "bad"));
  await vi.waitFor(() => expect(down).toHaveBeenCalledTimes(1));
  await evictDurableObject(ticketOf(owner, "t"));
  down.mockRestore();
  expect(await runDurableObjectAlarm(ticketOf(owner, "t"))).toBe(true);
  await untilKnown(owner, { lanes: { toDesk: { dead: 1 } } });
  expect(await countedOf(owner)).toEqual({ accepted: 2, delivered: 1, dead: 1 });
});

test("a late report of an instance that is gone changes nothing, and a report behind it is made again with a later time", async () => {
  const owner = await knownTicket();
  const [known] = await summaries(owner);
  const stale = reportOf(1, { ticketNumber: "t", customerName: "stale" });
  const toldAtMs = Date.parse(known?.toldAt ?? "");
  expect(await indexOf(owner).report({ ...stale, atMs: toldAtMs - 1 })).toBe(toldAtMs);
  expect(await summaries(owner)).toEqual([known]);

  // Its clock was an hour ahead.
  await indexOf(owner).report({ ...stale, atMs: Date.now() + 3600_000 });
  await accepted(incoming(owner, "t", "next"));
  await farEnds.until(2);
  await ticketOf(owner, "t").sweep();
  await ticketOf(owner, "t").sweep();
  await untilKnown(owner, { customerName: "Farhan Akbar", lanes: { toDesk: { accepted: 2 } } });
});

test("a ticket that is wiped is forgotten first, and stays until the index has answered", async () => {
  const owner = await knownTicket({ retentionDays: 1 });
  await accepted(close(await tokenOf(owner), "t"));
  await untilKnown(owner, { state: "closed" });
  const stub = ticketOf(owner, "t");
  const deaf = vi.spyOn(TenantIndex.prototype, "forget").mockRejectedValue(new Error("the index is down"));
  passed(2 * 24 * 3600_000);
  await runDurableObjectAlarm(stub);
  expect(await summaries(owner)).toHaveLength(1);
  expect((await viewOf(owner, "t")).state).toBe("closed");
  const dueMs = (await alarmOf(stub)) ?? 0;
  expect(dueMs).toBeGreaterThan(Date.now());
  expect(dueMs).toBeLessThanOrEqual(Date.now() + 60_000);

  deaf.mockRestore();
  await runDurableObjectAlarm(stub);
  expect(await stub.timeline({ toDesk: { before: 9 } })).toEqual({ ok: false, error: { code: "unknown_ticket" } });
  expect(await summaries(owner)).toEqual([]);
  expect((await indexOf(owner).overview(owner, 60)).tickets).toEqual({ open: 0, closing: 0, closed: 0 });

  await accepted(incoming(owner, "t", "years later"));
  await runDurableObjectAlarm(stub);
  await untilKnown(owner, { state: "open", lanes: { toDesk: { accepted: 1 } } });
});

test("an operator who looks at a ticket finds it in the lists as it is", async () => {
  const owner = await knownTicket();
  await accepted(incoming(owner, "t", "one more"));
  await farEnds.until(2);
  expect(await summaries(owner)).toMatchObject([{ lanes: { toDesk: { accepted: 1 } } }]);
  await operator("GET", `/tickets/${owner}/t`);
  await untilKnown(owner, { lanes: { toDesk: { accepted: 2 } } });
});
