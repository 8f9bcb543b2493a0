import { expect, test } from "vitest";
import type { TicketSummary } from "../../../console/api/types";
import { barsOf } from "../../../console/lib/bars";
import { parseRoute, tenantHref, ticketHref } from "../../../console/lib/route";
import { span, timesIn, took } from "../../../console/lib/times";
import { changesBetween } from "../../../console/tenant/happened";

const units = { point: ",", ms: "md", s: "dtk", min: "mnt", h: "jam", d: "hari" };

test.each(["EM-1", "a/b?c#d", "100% <b>", "ñandú …"])(
  "an address in the console leads to the ticket %s",
  (ticketNumber) => {
    expect(parseRoute(ticketHref("o/1", ticketNumber))).toEqual({
      page: "ticket",
      owner: "o/1",
      ticketNumber,
      message: undefined,
    });
  },
);

test("an address in the console holds the filter of the tickets", () => {
  const route = parseRoute(tenantHref("o", "tickets", { state: "waiting", q: "a b&c" }));
  expect(route).toMatchObject({ page: "tenant", owner: "o", tab: "tickets" });
  expect("query" in route && Object.fromEntries(route.query)).toEqual({ state: "waiting", q: "a b&c" });
});

test.each(["#/nothing", "#/tenants/", "#/tenants/o/elsewhere", "#/tenants/o/tickets/1/2"])(
  "the address %s is no page of the console",
  (hash) => {
    expect(parseRoute(hash)).toEqual({ page: "unknown" });
  },
);

test("an address in the console that was mistyped does no harm", () => {
  expect(parseRoute("#/tenants/%E0%A4%A")).toMatchObject({ page: "tenant", owner: "%E0%A4%A" });
});

test("times are the tenant's, with the date when it is another day there", () => {
  const times = timesIn("en", "Asia/Jakarta");
  const nowMs = Date.parse("2026-11-24T19:00:00Z");
  expect(times.clock("2026-11-24T18:59:00Z", nowMs)).toBe("01:59:00");
  expect(times.clock("2026-11-24T16:59:00Z", nowMs)).toBe("24 Nov, 23:59:00");
  expect(times.zoneName).toContain("Asia/Jakarta");
});

test.each([
  [40_000, "40 dtk"],
  [119_000, "119 dtk"],
  [12 * 60_000, "12 mnt"],
  [5 * 3_600_000 + 12 * 60_000, "5 jam 12 mnt"],
  [76 * 3_600_000, "3 hari 4 jam"],
  [-5, "0 dtk"],
])("a duration of %i ms is shown as %s", (ms, words) => {
  expect(span(ms, units)).toBe(words);
});

test("times of an attempt are short", () => {
  expect([took(31, units), took(10_001, units)]).toEqual(["31 md", "10,0 dtk"]);
});

const lane = { accepted: 0, delivered: 2, dead: 1, lagMeanMs: 0, lagMaxMs: 0 };

test("bars hold each minute once, the current one last, and nothing of before", () => {
  const nowMs = Date.parse("2026-11-24T19:00:30Z");
  const minutes = ["18:00", "18:01", "18:59", "19:00"].map((time) => ({
    at: `2026-11-24T${time}:00Z`,
    toDesk: lane,
    toDolphins: lane,
  }));
  const overview = { minutes, countedUntil: "2026-11-24T19:00:15Z" };
  const bars = barsOf(overview, 60, 1, nowMs);
  expect(bars.map(({ good }) => good)).toEqual([4, ...Array.from({ length: 57 }, () => 0), 4, 4]);
  expect(barsOf(overview, 6, 10, nowMs).at(-1)).toMatchObject({ good: 8, dead: 4 });
  expect(bars.filter(({ isUnknown }) => isUnknown)).toEqual([]);
});

test("bars say of which minutes not everything is counted", () => {
  const nowMs = Date.parse("2026-11-24T19:00:30Z");
  const unknown = (countedUntil: string) =>
    barsOf({ minutes: [], countedUntil }, 60, 1, nowMs).filter(({ isUnknown }) => isUnknown).length;
  expect(unknown("2026-11-24T18:50:10Z")).toBe(10);
  expect(unknown("2026-11-24T17:00:00Z")).toBe(60);
  // Half a minute behind is as near as anybody comes.
  expect(unknown("2026-11-24T18:59:40Z")).toBe(0);
});

const counts = { accepted: 3, delivered: 3, waiting: 0, dead: 0 };
const before: TicketSummary = {
  ticketNumber: "t",
  channel: "whatsapp",
  contactId: "c",
  customerName: "n",
  state: "open",
  lanes: { toDesk: counts, toDolphins: counts },
  openedAt: "2026-11-24T18:00:00Z",
  toldAt: "2026-11-24T18:00:00Z",
};

test("what an event changed is seen from the counts of each lane", () => {
  const after = { ...before, lanes: { toDesk: { ...counts, delivered: 5, dead: 1 }, toDolphins: counts } };
  expect(changesBetween(before, after)).toEqual([
    { kind: "delivered", lane: "toDesk", count: 2 },
    { kind: "dead", lane: "toDesk", count: 1 },
  ]);
  expect(changesBetween(after, before)).toContainEqual({ kind: "replayed", lane: "toDesk", count: 1 });
});

test("what an event changed is seen when the ticket waits, flows again, and closes", () => {
  const waits = { ...before, waitingSince: before.toldAt };
  expect(changesBetween(before, waits)).toEqual([{ kind: "waits" }]);
  expect(changesBetween(waits, { ...before, state: "closed" })).toEqual([{ kind: "closed" }, { kind: "flows" }]);
});
