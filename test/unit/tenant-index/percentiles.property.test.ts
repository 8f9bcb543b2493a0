import * as fc from "fast-check";
import { expect, test } from "vitest";
import { LAG_BOUNDS_MS } from "../../../src/model/ticket-report";
import type { Cell } from "../../../src/tenant-index/minutes";
import { percentilesOf } from "../../../src/tenant-index/percentiles";

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
