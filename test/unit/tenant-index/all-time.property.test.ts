import * as fc from "fast-check";
import { expect, test } from "vitest";
import { LAG_BOUNDS_MS } from "../../../src/model/ticket-report";
import { earlierWith, laneTotal, percentilesOf, totalOf, type Earlier } from "../../../src/tenant-index/all-time";
import { hourOf, withAddition, type Addition, type Cell, type Hour } from "../../../src/tenant-index/minutes";

const HOURS_KEPT = 3;

const lags = fc.array(fc.nat(9), { minLength: LAG_BOUNDS_MS.length + 1, maxLength: LAG_BOUNDS_MS.length + 1 });
const addition = fc
  .tuple(fc.nat(600), fc.constantFrom("toDesk" as const, "toDolphins" as const), fc.nat(9), fc.nat(9), lags)
  .map(([minute, lane, accepted, dead, counts]): Addition => {
    const delivered = counts.reduce((sum, count) => sum + count, 0);
    return { minute, lane, cell: [accepted, delivered, dead, delivered, delivered * 10, 500, ...counts] };
  });

/** An index that keeps a few hours, as the real one keeps a day. */
function countAll(reports: Addition[][]) {
  let earlier: Earlier | undefined;
  const kept = new Map<number, Hour>();
  const all = () => [...kept].map(([hour, minutes]) => ({ hour, minutes }));
  const totals = reports.map((additions) => {
    for (const [hour, some] of Map.groupBy(additions, ({ minute }) => hourOf(minute))) {
      earlier = earlierWith(earlier, all, { hour, additions: some }) ?? earlier;
      const isKept = hour > Math.max(-1, ...kept.keys()) - HOURS_KEPT;
      if (isKept) kept.set(hour, some.reduce(withAddition, kept.get(hour) ?? {}));
      for (const old of kept.keys()) if (old <= Math.max(...kept.keys()) - HOURS_KEPT) kept.delete(old);
    }
    return totalOf(earlier, all(), "toDesk");
  });
  return totals;
}

test("what was done in all is counted once, in whatever order reports come and however few hours are kept", () => {
  fc.assert(
    fc.property(fc.array(fc.array(addition, { maxLength: 4 }), { minLength: 1, maxLength: 20 }), (reports) => {
      const totals = countAll(reports).map(laneTotal);
      const own = reports.flat().filter(({ lane }) => lane === "toDesk");
      const sum = (place: number) => own.reduce((all, { cell }) => all + (cell[place] ?? 0), 0);
      expect(totals.at(-1)).toMatchObject({ accepted: sum(0), delivered: sum(1), dead: sum(2), lagSumMs: sum(4) });
      expect(totals.at(-1)?.lags.reduce((all, count) => all + count, 0)).toBe(sum(1));
      expect(totals.every(({ accepted }, at) => accepted >= (totals[at - 1]?.accepted ?? 0))).toBe(true);
    }),
  );
});

const cellOf = (lagsMs: number[]): Cell => {
  const counts = [...LAG_BOUNDS_MS, Infinity].map(
    (bound, at, bounds) => lagsMs.filter((ms) => ms <= bound && ms > (bounds[at - 1] ?? -1)).length,
  );
  return [0, lagsMs.length, 0, lagsMs.length, 0, Math.max(...lagsMs), ...counts];
};

test("a percentile lies within the bound that the real one lies in, and none is above the longest", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(4_000_000), { minLength: 1, maxLength: 200 }), (lagsMs) => {
      const sorted = lagsMs.toSorted((a, b) => a - b);
      const { p50Ms = -1, p95Ms = -1, p99Ms = -1 } = percentilesOf(cellOf(lagsMs));
      for (const [part, shown] of [
        [0.5, p50Ms],
        [0.95, p95Ms],
        [0.99, p99Ms],
      ] as const) {
        const real = sorted[Math.ceil(part * sorted.length) - 1] ?? 0;
        const above = LAG_BOUNDS_MS.find((bound) => real <= bound) ?? Infinity;
        const below = LAG_BOUNDS_MS.findLast((bound) => bound < real) ?? 0;
        expect(shown).toBeGreaterThanOrEqual(Math.min(below, sorted.at(-1) ?? 0));
        expect(shown).toBeLessThanOrEqual(Math.min(above, sorted.at(-1) ?? 0));
      }
      expect(p50Ms).toBeLessThanOrEqual(p95Ms);
      expect(p95Ms).toBeLessThanOrEqual(p99Ms);
    }),
  );
});

test("nothing is said of lags that nobody measured", () => {
  expect(percentilesOf([3, 3, 0, 3, 900, 500])).toEqual({});
});
