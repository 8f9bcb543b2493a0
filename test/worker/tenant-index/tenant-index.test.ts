import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test, vi } from "vitest";
import type { TenantIndex } from "../../../src/index";
import type { TicketSummary } from "../../../src/model/answers";
import { indexOf, list, reportOf, sweep, WAITING } from "./index-world";
import { accepted, incoming, ok, operator, registerTenant, status, ticketOf, untilView, useFarEnds } from "../world";

const farEnds = useFarEnds();

async function allPages(owner: string, query: string, limit = 100): Promise<TicketSummary[]> {
  const found: TicketSummary[] = [];
  for (let before = ""; ;) {
    const { tickets, next } = await list(owner, `?limit=${limit}${query}${before}`);
    found.push(...tickets);
    if (next === undefined) return found;
    before = `&before=${next}`;
  }
}

test("10,000 tickets are paged, each once, newest opened first, and found by state, age and words", async () => {
  const owner = await registerTenant();
  const index = indexOf(owner);
  const states = ["open", "closing", "closed"] as const;
  await runInDurableObject(index, async (object) => {
    for (let n = 0; n < 10_000; n++) {
      const waits = n % 100 === 7 ? { waitingSinceMs: 5_000_000 - n, lanes: WAITING } : {};
      // Ten at a time are opened in the same ms.
      const openedAtMs = 1_000_000 + Math.floor(n / 10);
      await object.report(reportOf(n, { openedAtMs, state: states[n % 3] ?? "open", ...waits }));
    }
  });
  const all = await allPages(owner, "");
  expect(new Set(all.map((one) => one.ticketNumber)).size).toBe(10_000);
  expect(all).toHaveLength(10_000);
  const opened = all.map((one) => Date.parse(one.openedAt));
  expect(opened).toEqual(opened.toSorted((a, b) => b - a));
  expect((await list(owner, "")).tickets).toHaveLength(50);

  const closed = await allPages(owner, "&state=closed");
  expect(closed.map((one) => one.ticketNumber)).toEqual(
    all.filter((one) => one.state === "closed").map((one) => one.ticketNumber),
  );
  const waiting = await allPages(owner, "&state=waiting", 30);
  const ages = waiting.map((one) => Date.parse(one.waitingSince ?? ""));
  expect(new Set(ages).size).toBe(100);
  expect(ages).toHaveLength(100);
  expect(ages).toEqual(ages.toSorted((a, b) => a - b));
  expect(await allPages(owner, "&q=TICKET-77")).toHaveLength(1 + 10 + 100);

  const { overview } = (await operator("GET", `/tenants/${owner}/overview`)) as { overview: unknown };
  const expected = {
    owner,
    tickets: { open: 3334, closing: 3333, closed: 3333 },
    waiting: { tickets: 100, messages: 300, oldestSince: new Date(5_000_000 - 9907).toISOString() },
    dead: { tickets: 0, messages: 0 },
  };
  expect(overview).toMatchObject(expected);
  // What is kept in memory is what the rows say.
  await index.report(reportOf(7, { atMs: 9_000_000, state: "closed" }));
  const { tickets, waiting: waits } = await index.overview(owner, 60);
  await evictDurableObject(index);
  expect(await index.overview(owner, 60)).toMatchObject({ tickets, waiting: waits });
  expect([tickets.closed, waits.tickets]).toEqual([3334, 99]);
}, 60_000);

test("tickets are found by a part of number, contact or name, in any case, whatever characters that is", async () => {
  const owner = await registerTenant();
  const names = ["Siti 100%", "Budi_Utomo", `O'Brien "Bob"`, "ÉLODIE", "<script>alert(1)</script>", "back\\slash"];
  for (const [n, customerName] of names.entries()) await indexOf(owner).report(reportOf(n, { customerName }));
  const found = async (q: string) =>
    (await list(owner, `?q=${encodeURIComponent(q)}`)).tickets.map((one) => one.customerName);
  expect(await found("%")).toEqual(["Siti 100%"]);
  expect(await found("_")).toEqual(["Budi_Utomo"]);
  expect(await found("'")).toEqual([`O'Brien "Bob"`]);
  expect(await found(`"bob"`)).toEqual([`O'Brien "Bob"`]);
  expect(await found("élodie")).toEqual(["ÉLODIE"]);
  expect(await found("\\")).toEqual(["back\\slash"]);
  expect(await found("<SCRIPT>")).toEqual(["<script>alert(1)</script>"]);
  expect(await found("CONTACT-1")).toEqual(["Budi_Utomo"]);
  expect(await found("ticket-2")).toEqual([`O'Brien "Bob"`]);
  expect(await found("'; DROP TABLE ticket; --")).toEqual([]);
  expect(await found("")).toHaveLength(6);
  expect(await found("nobody")).toEqual([]);
});

test("a tenant without tickets has an empty overview and empty lists, and its index writes nothing", async () => {
  const owner = await registerTenant();
  expect(await list(owner, "?state=dead&q=x")).toEqual({ status: "success", tickets: [] });
  expect(await operator("GET", `/tenants/${owner}/dead-letters`)).toEqual({ status: "success", deadLetters: [] });
  expect(await operator("GET", `/tenants/${owner}/overview`)).toEqual({
    status: "success",
    overview: {
      owner,
      tickets: { open: 0, closing: 0, closed: 0 },
      waiting: { tickets: 0, messages: 0 },
      dead: { tickets: 0, messages: 0 },
      countedUntil: expect.any(String) as string,
      lag: { toDesk: {}, toDolphins: {} },
      minutes: [],
    },
  });
  await sweep();
  expect(await tablesOf(indexOf(owner))).toEqual([]);
});

const tablesOf = (stub: DurableObjectStub<TenantIndex>) =>
  runInDurableObject(stub, (_index, { storage }) =>
    storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '_cf%'").toArray(),
  );

test("minutes hold what happened in each, with the lag, for 24 hours and no longer", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2026-11-24T10:00:30Z") });
  const owner = await registerTenant();
  farEnds.answerWith(status(503));
  await accepted(incoming(owner, "t", "late"));
  await untilView(owner, "t", (view) => view.lanes.toDesk.nextAttemptAt !== undefined);
  farEnds.answerWith(ok);
  vi.setSystemTime(Date.parse("2026-11-24T10:01:10Z"));
  await runDurableObjectAlarm(ticketOf(owner, "t"));
  await untilView(owner, "t", (view) => view.lanes.toDesk.delivered === 1);
  await ticketOf(owner, "t").sweep();
  const minutesOf = async (query = "") =>
    ((await operator("GET", `/tenants/${owner}/overview${query}`)) as { overview: { minutes: unknown[] } }).overview
      .minutes;
  const none = { accepted: 0, delivered: 0, dead: 0, lagMeanMs: 0, lagMaxMs: 0 };
  // The clock goes on while the far end is asked.
  const about40s = expect.toSatisfy((ms: number) => ms >= 40_000 && ms < 41_000) as number;
  const lag = { lagMeanMs: about40s, lagMaxMs: about40s };
  const both = [
    { at: "2026-11-24T10:00:00.000Z", toDesk: { ...none, accepted: 1 }, toDolphins: none },
    { at: "2026-11-24T10:01:00.000Z", toDesk: { ...none, delivered: 1, ...lag }, toDolphins: none },
  ];
  expect(await minutesOf()).toEqual(both);
  expect(await minutesOf("?minutes=1")).toEqual(both.slice(1));
  vi.setSystemTime(Date.parse("2026-11-25T10:00:00Z"));
  expect(await minutesOf()).toEqual(both.slice(1));
  vi.setSystemTime(Date.parse("2026-11-26T12:00:00Z"));
  await accepted(incoming(owner, "t", "days later"));
  await untilView(owner, "t", (view) => view.lanes.toDesk.delivered === 2);
  await ticketOf(owner, "t").sweep();
  expect(await minutesOf()).toHaveLength(1);
});
