import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { meter } from "../meter";
import { accepted, incoming, registerTenant, ticketAtRest, ticketOf, untilView, useFarEnds, viewOf } from "../world";

/** What a message costs, in the rows that Cloudflare bills. */

const farEnds = useFarEnds();

test("a burst of 100 messages in one ticket writes at most 2.2 rows for each, alarms counted", async () => {
  const { owner, stub } = await ticketAtRest();
  const cost = await meter(stub);
  await Promise.all(Array.from({ length: 100 }, (_, n) => accepted(incoming(owner, "t", `m${n}`))));
  await farEnds.until(101);
  await untilView(owner, "t", (view) => view.lanes.toDesk.delivered === 101);
  const { written } = await cost();
  expect(written).toBeGreaterThanOrEqual(200);
  expect(written / 100).toBeLessThanOrEqual(2.2);
});

test("a lone message writes at most 3.2 rows, its alarm counted, until the object is at rest again", async () => {
  const { owner, stub } = await ticketAtRest();
  const cost = await meter(stub);
  await accepted(incoming(owner, "t", "alone"));
  await farEnds.until(2);
  // Not by looking at the ticket: what an operator looks at is reported to the index, which is a row.
  expect(await stub.deliveryStatus("toDesk", 2, 10_000)).toEqual({ state: "delivered" });
  await runDurableObjectAlarm(stub);
  const { written, alarms } = await cost();
  expect(alarms).toBe(1);
  expect(written).toBeGreaterThanOrEqual(3);
  expect(written).toBeLessThanOrEqual(3.2);
});

test("the first message of a ticket writes its tables and its row once, and nothing to KV", async () => {
  const owner = await registerTenant();
  const put = vi.spyOn(Object.getPrototypeOf(env.DIRECTORY) as KVNamespace, "put");
  const stub = ticketOf(owner, "t");
  const cost = await meter(stub);
  await accepted(incoming(owner, "t", "first"));
  await untilView(owner, "t", (view) => view.lanes.toDesk.delivered === 1);
  const { written } = await cost();
  // 3 for the message; the ticket's row, the tables and their version.
  expect(written).toBeLessThanOrEqual(7);
  expect(put).not.toHaveBeenCalled();
});

test("a message reads as many rows after 10,000 messages of history as after 10", async () => {
  const { owner, stub } = await ticketAtRest();
  const reads: Record<number, number> = {};
  for (const history of [10, 1000, 10_000]) {
    await runInDurableObject(stub, (_ticket, { storage }) => {
      const lane = "toDesk";
      const [first] = storage.sql
        .exec<{ event: string }>("SELECT event FROM message WHERE lane = ? AND sequence = 1", lane)
        .toArray();
      for (let sequence = 2; sequence <= history; sequence++) {
        storage.sql.exec(
          `INSERT OR IGNORE INTO message (lane, sequence, id, kind, event, acceptedAtMs, suspectedDuplicate)
           VALUES (?, ?, ?, 'incoming', ?, ?, 0)`,
          lane,
          sequence,
          `msg_${sequence}`,
          first?.event ?? "",
          Date.now(),
        );
        storage.sql.exec(
          "INSERT OR IGNORE INTO outcome VALUES (?, ?, 'delivered', NULL, '[]', 1, 0, 1, NULL)",
          lane,
          sequence,
        );
      }
    });
    await evictDurableObject(stub);
    // The history is reported to the index, so that what is read from now on is for the messages to come.
    await stub.sweep();
    await evictDurableObject(stub);
    const cost = await meter(stub);
    const before = farEnds.sent.length;
    // One that finds the object freshly started, and one that finds it running; then the alarm with its tidying.
    for (const text of ["cold", "warm"]) await accepted(incoming(owner, "t", `${text} ${history}`));
    await farEnds.until(before + 2);
    await vi.waitFor(async () => expect((await cost()).written).toBeGreaterThanOrEqual(4));
    await runDurableObjectAlarm(stub);
    reads[history] = (await cost()).read;
    expect((await viewOf(owner, "t")).lanes.toDesk).toMatchObject({ waiting: 0, dead: 0 });
  }
  expect(reads[10]).toBeGreaterThan(0);
  expect(reads[1000]).toBe(reads[10]);
  expect(reads[10_000]).toBe(reads[10]);
});

test("in a steady stream a message reads nothing from KV, and writes nothing there", async () => {
  const { owner } = await ticketAtRest();
  const kv = Object.getPrototypeOf(env.DIRECTORY) as KVNamespace;
  const [get, list, put] = [vi.spyOn(kv, "get"), vi.spyOn(kv, "list"), vi.spyOn(kv, "put")];
  // What is watched is what the relay uses.
  await registerTenant();
  expect(get).toHaveBeenCalled();
  expect(put).toHaveBeenCalled();
  for (const spy of [get, list, put]) spy.mockClear();
  for (let n = 0; n < 5; n++) await accepted(incoming(owner, "t", `m${n}`));
  await untilView(owner, "t", (view) => view.lanes.toDesk.delivered === 6);
  for (const spy of [get, list, put]) expect(spy).not.toHaveBeenCalled();
});
