import { evictDurableObject } from "cloudflare:test";
import { expect, test, vi } from "vitest";
import { Ticket } from "../../../src/index";
import { indexOf, list, reportOf, sweep, WAITING } from "./index-world";
import {
  accepted,
  call,
  incoming,
  loseAlarm,
  ok,
  operator,
  registerTenant,
  status,
  ticketOf,
  tokenOf,
  untilView,
  useFarEnds,
} from "../world";

const farEnds = useFarEnds();

const DAY_MS = 24 * 3600_000;
const later = (ms: number) => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });

test("the sweep gets a ticket going that waits and whose alarm was lost", async () => {
  const owner = await registerTenant();
  farEnds.answerWith(status(503));
  await accepted(incoming(owner, "t", "waits"));
  await untilView(owner, "t", (view) => view.lanes.toDesk.nextAttemptAt !== undefined);
  const stub = ticketOf(owner, "t");
  later(6_000);
  await stub.sweep();
  await vi.waitFor(async () => expect((await list(owner, "?state=waiting")).tickets).toHaveLength(1));
  await untilView(owner, "t", (view) => view.lanes.toDesk.nextAttemptAt !== undefined);
  await loseAlarm(stub);
  await evictDurableObject(stub);
  farEnds.sent.length = 0;
  farEnds.answerWith(ok);
  // Not before it is overdue: the ticket's own alarm comes first.
  await sweep();
  expect(farEnds.sent).toEqual([]);
  later(5 * 60_000);
  await sweep();
  await farEnds.until(1);
  await untilView(owner, "t", (view) => view.lanes.toDesk.delivered === 1);
});

test("the sweep still finds those that wait of a tenant that was deleted", async () => {
  const owner = await registerTenant();
  farEnds.answerWith(status(503));
  await accepted(incoming(owner, "t", "waits"));
  await untilView(owner, "t", (view) => view.lanes.toDesk.nextAttemptAt !== undefined);
  later(6_000);
  await ticketOf(owner, "t").sweep();
  await operator("DELETE", `/tenants/${owner}`);
  await loseAlarm(ticketOf(owner, "t"));
  await evictDurableObject(ticketOf(owner, "t"));
  later(5 * 60_000);
  await sweep();
  await vi.waitFor(async () => {
    const { tickets } = await indexOf(owner).tickets({
      state: "waiting",
      search: undefined,
      before: undefined,
      limit: 9,
    });
    expect(Date.parse(tickets[0]?.nextAttemptAt ?? "")).toBeGreaterThan(Date.now());
  });
});

test("the sweep ends an open ticket that has long been quiet, and a closed one whose alarm was lost", async () => {
  const owner = await registerTenant({ retentionDays: 2 });
  const close = { method: "POST", headers: { authorization: `Bearer ${await tokenOf(owner)}` } };
  for (const ticket of ["quiet", "closed"]) {
    for (const text of ["one", "two"]) await accepted(incoming(owner, ticket, text));
    await untilView(owner, ticket, (view) => view.lanes.toDesk.delivered === 2);
  }
  const body = JSON.stringify({ ticketNumber: "closed", channel: "whatsapp", event: "Close" });
  await accepted(call("/v1/command", { ...close, body }));
  await untilView(owner, "closed", (view) => view.state === "closed");
  for (const ticket of ["quiet", "closed"]) {
    await ticketOf(owner, ticket).sweep();
    await loseAlarm(ticketOf(owner, ticket));
    await evictDurableObject(ticketOf(owner, ticket));
  }
  later(2.5 * DAY_MS);
  await sweep();
  expect(await ticketOf(owner, "quiet").timeline({ toDesk: { before: 9 } })).toMatchObject({ ok: false });
  expect((await list(owner, "")).tickets.map((one) => one.ticketNumber)).toEqual(["closed"]);
  later(1.1 * DAY_MS);
  await sweep();
  expect((await list(owner, "")).tickets).toEqual([]);
  expect(await ticketOf(owner, "closed").timeline({ toDesk: { before: 9 } })).toMatchObject({ ok: false });
});

test("the sweep has the index forget a ticket that is not there, and goes on after one that fails", async () => {
  const owner = await registerTenant();
  const waits = { waitingSinceMs: 1000, lanes: WAITING };
  for (const n of [1, 2, 3]) await indexOf(owner).report(reportOf(n, waits));
  const sweeps = vi.spyOn(Ticket.prototype, "sweep").mockRejectedValueOnce(new Error("overloaded"));
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => lines.push(line));
  await sweep();
  expect(sweeps).toHaveBeenCalledTimes(3);
  expect((await list(owner, "")).tickets).toHaveLength(1);
  expect(lines.filter((line) => line.includes('"swept"'))).toEqual([expect.stringContaining('"woken":3,"failed":1')]);
});

test("the sweep leaves tickets alone that have reported within a day and do not wait, and rests for the day", async () => {
  const owner = await registerTenant();
  vi.useFakeTimers({ toFake: ["Date"], now: DAY_MS * 20_000 });
  await indexOf(owner).report(reportOf(1, { atMs: Date.now() }));
  const sweeps = vi.spyOn(Ticket.prototype, "sweep").mockResolvedValue(true);
  await sweep();
  expect(sweeps).not.toHaveBeenCalled();
  later(DAY_MS - 10_000);
  await sweep();
  expect(sweeps).not.toHaveBeenCalled();
  later(20_000);
  await sweep();
  await sweep();
  expect(sweeps).toHaveBeenCalledTimes(1);
});

test("the sweep leaves one line of what it did", async () => {
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => lines.push(line));
  const owner = await registerTenant();
  await indexOf(owner).report(reportOf(1, { waitingSinceMs: 1000, lanes: WAITING }));
  await sweep();
  const swept = lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((one) => one["event"] === "swept");
  expect(swept).toEqual([{ event: "swept", tenants: 1, woken: 1, failed: 0, ms: expect.any(Number) as number }]);
});
