import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  attribute,
  hourOf,
  shownMinutes,
  withAddition,
  type Addition,
  type Hour,
} from "../../../src/tenant-index/minutes";
import type { LaneCounts, MinuteCounts } from "../../../src/model/ticket-report";
import { afterChange, NOTHING } from "../../../src/tenant-index/totals";
import { ROWS_PER_SCAN, scanOn } from "../../../src/tenant-index/scan";

const count = fc.integer({ min: 0, max: 50 });
const counts = fc.record({ accepted: count, delivered: count, waiting: count, dead: count });
const minute = fc.record({
  minute: fc.integer({ min: 0, max: 300 }),
  lane: fc.constantFrom("toDesk" as const, "toDolphins" as const),
  accepted: count,
  delivered: count,
  dead: count,
  lagSumMs: fc.integer({ min: 0, max: 1_000_000 }),
  lagMaxMs: fc.integer({ min: 0, max: 100_000 }),
});
const minutes = fc.uniqueArray(minute, { maxLength: 10, selector: (one) => `${one.minute} ${one.lane}` });

const sums = (additions: Addition[]) =>
  [0, 1, 2].map((place) => additions.reduce((sum, { cell }) => sum + (cell[place] ?? 0), 0));
const news = (before: LaneCounts | undefined, after: LaneCounts) =>
  (["accepted", "delivered", "dead"] as const).map((name) => Math.max(0, after[name] - (before?.[name] ?? 0)));

test("what is counted is what the totals grew by, whatever the ticket's minutes say", () => {
  fc.assert(
    fc.property(fc.option(counts, { nil: undefined }), counts, minutes, (before, after, given) => {
      expect(sums(attribute("toDesk", before, after, given, 999))).toEqual(news(before, after));
    }),
  );
});

test("history is counted in the minutes it happened in, and never more than that", () => {
  fc.assert(
    fc.property(counts, minutes, (after, given) => {
      const additions = attribute("toDesk", undefined, after, given, undefined);
      const own = given.filter((one) => one.lane === "toDesk");
      for (const { minute: at, cell } of additions) {
        const reported = own.find((one) => one.minute === at);
        expect(cell[0]).toBeLessThanOrEqual(reported?.accepted ?? 0);
        expect(cell[1]).toBeLessThanOrEqual(reported?.delivered ?? 0);
      }
    }),
  );
});

test("a report that came before adds nothing, and one that grew since adds its newest minutes alone", () => {
  fc.assert(
    fc.property(counts, minutes, minute, (after, given, newest) => {
      expect(attribute("toDesk", after, after, given, 999)).toEqual([]);
      const more = { ...after, accepted: after.accepted + newest.accepted };
      const grown: MinuteCounts[] = [...given, { ...newest, lane: "toDesk", minute: 301 }];
      const additions = attribute("toDesk", after, more, grown, 999);
      expect(additions.map((one) => one.minute)).toEqual(newest.accepted > 0 ? [301] : []);
    }),
  );
});

test("the lag is that of the messages counted: a part of a minute has its part of the sum", () => {
  const given = {
    minute: 5,
    lane: "toDesk" as const,
    accepted: 0,
    delivered: 4,
    dead: 0,
    lagSumMs: 800,
    lagMaxMs: 500,
  };
  const before = { accepted: 9, delivered: 3, waiting: 0, dead: 0 };
  const after = { accepted: 9, delivered: 4, waiting: 0, dead: 0 };
  expect(attribute("toDesk", before, after, [given], 7)).toEqual([
    { minute: 5, lane: "toDesk", cell: [0, 1, 0, 1, 200, 500] },
  ]);
});

test("additions in any order give the same hour, and all of them are shown", () => {
  fc.assert(
    fc.property(minutes, (given) => {
      const total = given.reduce((sum, one) => sum + one.accepted, 0);
      const additions = given.map((one): Addition => ({
        minute: one.minute,
        lane: one.lane,
        cell: [one.accepted, 0, 0, 0, 0, 0],
      }));
      const hours = (some: Addition[]) =>
        [0, 1, 2, 3, 4, 5].map((hour) => ({
          hour,
          minutes: some.filter((one) => hourOf(one.minute) === hour).reduce<Hour>(withAddition, {}),
        }));
      const shown = shownMinutes(hours(additions), 0);
      expect(shown).toEqual(shownMinutes(hours(additions.toReversed()), 0));
      expect(shown.reduce((sum, one) => sum + one.toDesk.accepted + one.toDolphins.accepted, 0)).toBe(total);
      const times = shown.map((one) => one.at);
      expect(times).toEqual(times.toSorted());
      expect(shownMinutes(hours(additions), 100).every((one) => Date.parse(one.at) >= 6_000_000)).toBe(true);
    }),
  );
});

const row = fc.record({
  state: fc.constantFrom("open" as const, "closing" as const, "closed" as const),
  waiting: count,
  dead: count,
  waitingSinceMs: fc.option(count),
});

test("the sums follow every change of every ticket, down to none", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ ticket: fc.integer({ min: 0, max: 4 }), row: fc.option(row, { nil: undefined }) })),
      (changes) => {
        const rows = new Map<number, typeof row extends fc.Arbitrary<infer T> ? T | undefined : never>();
        let totals = NOTHING;
        for (const change of changes) {
          totals = afterChange(totals, rows.get(change.ticket), change.row);
          rows.set(change.ticket, change.row);
        }
        const left = [...rows.values()].filter((one) => one !== undefined);
        const waits = left.filter((one) => one.waitingSinceMs !== null);
        expect(totals).toMatchObject({
          open: left.filter((one) => one.state === "open").length,
          closed: left.filter((one) => one.state === "closed").length,
          waitingTickets: waits.length,
          waitingMessages: waits.reduce((sum, one) => sum + one.waiting, 0),
          deadTickets: left.filter((one) => one.dead > 0).length,
          deadMessages: left.reduce((sum, one) => sum + one.dead, 0),
        });
        for (const one of left) totals = afterChange(totals, one, undefined);
        expect(totals).toEqual(NOTHING);
      },
    ),
  );
});

const DAY_MS = 86_400_000;
const ticket = (id: number) => ({ id, ticketNumber: `t${id}`, toldAtMs: 0, state: "open" as const });

test("the scan over quiet tickets passes every ticket once a round, however many at once may be woken", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 1, max: 40 }), (size, most) => {
      const all = Array.from({ length: size }, (_, n) => ticket(n + 1));
      let scan = { afterId: 0, startedAtMs: 0 };
      const woken: number[] = [];
      do {
        const { afterId } = scan;
        const passed = all.filter((one) => one.id > afterId).slice(0, ROWS_PER_SCAN);
        const step = scanOn(scan, passed, { nowMs: 2 * DAY_MS, closedMs: 9 * DAY_MS, most });
        expect(step.wake.length).toBeLessThanOrEqual(most);
        woken.push(...step.wake.map((one) => one.id));
        scan = step.scan;
      } while (scan.afterId > 0);
      expect(woken).toEqual(all.map((one) => one.id));
      expect(scan.startedAtMs).toBe(2 * DAY_MS);
    }),
  );
});

test("the scan over quiet tickets wakes one that has not reported for a day, and a closed one when it should have ended by itself", () => {
  const passed = [
    { ...ticket(1), toldAtMs: 5 * DAY_MS },
    { ...ticket(2), toldAtMs: 3 * DAY_MS },
    { ...ticket(3), toldAtMs: 3 * DAY_MS, state: "closed" as const },
    { ...ticket(4), toldAtMs: DAY_MS, state: "closed" as const },
  ];
  const { wake } = scanOn({ afterId: 0, startedAtMs: 0 }, passed, {
    nowMs: 5.5 * DAY_MS,
    closedMs: 3 * DAY_MS,
    most: 9,
  });
  expect(wake.map((one) => one.id)).toEqual([2, 4]);
});
