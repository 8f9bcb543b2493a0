import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { NONE, reportOf } from "./index-world";
import { meter } from "../meter";
import { accepted, incoming, outgoing, ticketAtRest, tokenOf, useFarEnds } from "../world";

/**
 * What the index costs in rows: whatever a ticket and its index write together, over the accepting, the settling and the
 * alarms, which cost.test.ts has.
 */

const farEnds = useFarEnds();
const BAR = 0.2;

async function knownTicket() {
  const { owner, stub } = await ticketAtRest();
  const index = env.TENANT_INDEX.getByName(owner);
  const [ticketCost, indexCost] = [await meter(stub), await meter(index)];
  /** Rows beyond one for accepting a message, one for its outcome, and the alarms, which are none of the index's. */
  const extra = async (messages: number) => {
    const [ticket, reported] = [await ticketCost(), await indexCost()];
    return { rows: ticket.written - 2 * messages - ticket.alarms + reported.written, alarms: ticket.alarms };
  };
  return { owner, stub, index, extra };
}

test("a steady stream of 640 messages costs at most 0.2 rows for each, alarms counted", async () => {
  const { owner, stub, index, extra } = await knownTicket();
  vi.useFakeTimers({ toFake: ["Date"] });
  for (let n = 0; n < 640; n += 8) {
    // Some two a second.
    vi.setSystemTime(Date.now() + 4_000);
    await Promise.all(Array.from({ length: 8 }, (_, m) => accepted(incoming(owner, "t", `m${n + m}`))));
    await farEnds.until(n + 9);
    await stub.deliveryStatus("toDesk", n + 9, 1000);
    await runDurableObjectAlarm(stub);
  }
  const { rows } = await extra(640);
  // With none at all the index would know nothing.
  expect(rows).toBeGreaterThanOrEqual(40);
  expect(rows / 640).toBeLessThanOrEqual(BAR);
  const [known] = (await index.tickets({ state: undefined, search: undefined, before: undefined, limit: 1 })).tickets;
  expect(known?.lanes.toDesk.accepted).toBeGreaterThan(641 - 33);
});

test("a burst of 640 messages at once is reported a few times", async () => {
  const { owner, stub, extra } = await knownTicket();
  // At once by the clock, however busy the machine is.
  vi.useFakeTimers({ toFake: ["Date"] });
  await Promise.all(Array.from({ length: 640 }, (_, n) => accepted(incoming(owner, "t", `m${n}`))));
  await farEnds.until(641);
  await stub.deliveryStatus("toDesk", 641, 5000);
  await runDurableObjectAlarm(stub);
  const { rows, alarms } = await extra(640);
  expect((rows + alarms) / 640).toBeLessThanOrEqual(0.1);
});

test.each([
  { seconds: 10, messages: 200 },
  { seconds: 30, messages: 100 },
  { seconds: 60, messages: 100 },
])("a conversation with a message every $seconds seconds costs at most 0.2 rows for each", async (pace) => {
  const { owner, stub, extra } = await knownTicket();
  const token = await tokenOf(owner);
  vi.useFakeTimers({ toFake: ["Date"] });
  for (let n = 1; n <= pace.messages; n++) {
    vi.setSystemTime(Date.now() + (pace.seconds - 5) * 1000);
    await accepted(n % 2 === 0 ? incoming(owner, "t", `m${n}`) : outgoing(token, "t", `m${n}`));
    await farEnds.until(n + 1);
    await stub.deliveryStatus(n % 2 === 0 ? "toDesk" : "toDolphins", n % 2 === 0 ? n / 2 + 1 : (n + 1) / 2, 1000);
    vi.setSystemTime(Date.now() + 5_000);
    await runDurableObjectAlarm(stub);
  }
  const { rows, alarms } = await extra(pace.messages);
  expect(rows).toBeGreaterThan(0);
  expect(rows / pace.messages).toBeLessThanOrEqual(BAR);
  // The alarm that each message has at such a pace is there without the index too, and it sets no other.
  expect(alarms).toBeLessThanOrEqual(pace.messages);
});

test("a question whether a report is due reads no row while messages flow", async () => {
  const { owner, stub } = await knownTicket();
  const cost = await meter(stub);
  for (let n = 1; n <= 20; n++) await accepted(incoming(owner, "t", `m${n}`));
  await farEnds.until(21);
  await stub.deliveryStatus("toDesk", 21, 1000);
  // What accepting and settling read: nothing of it is looked up for the index.
  expect((await cost()).read / 20).toBeLessThanOrEqual(3);
});

test("a report that changes nothing writes nothing", async () => {
  const { index, stub } = await knownTicket();
  const cost = await meter(index);
  const report = reportOf(1);
  await index.report(report);
  const once = (await cost()).written;
  expect(once).toBeLessThanOrEqual(2);
  await index.report({ ...report, atMs: 2_000_000 });
  expect((await cost()).written).toBe(once);
  await stub.sweep();
  expect((await cost()).written).toBe(once);
});

test("a report looks once for its ticket and once for its hour", async () => {
  const { index } = await knownTicket();
  const now = { atMs: Date.now(), openedAtMs: Date.now() };
  await index.report(reportOf(1, now));
  const cost = await meter(index);
  await index.report(
    reportOf(1, { ...now, lanes: { toDesk: { ...NONE, accepted: 2, delivered: 2 }, toDolphins: NONE } }),
  );
  const { read, written } = await cost();
  expect(written).toBe(2);
  // Either is found by its key, and the update finds it again.
  expect(read).toBe(4);
});
