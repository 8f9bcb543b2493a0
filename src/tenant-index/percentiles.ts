import { LAG_BOUNDS_MS } from "../model/ticket-report";
import type { Cell } from "./minutes";

/** The lags that half, 95 and 99 of a hundred deliveries did not exceed, in ms; none where nothing was measured. */
export function percentilesOf(cell: Cell): { p50Ms?: number; p95Ms?: number; p99Ms?: number } {
  const [, , , , , , ...lags] = cell;
  if (lags.every((count) => count === 0)) return {};
  return { p50Ms: percentileMs(cell, 0.5), p95Ms: percentileMs(cell, 0.95), p99Ms: percentileMs(cell, 0.99) };
}

/** Within its bound a lag is taken to be anywhere. */
function percentileMs([, , , , , lagMaxMs, ...lags]: Cell, part: number): number {
  let left = part * lags.reduce((sum, count) => sum + count, 0);
  for (const [at, count] of lags.entries()) {
    if (count > 0 && left <= count) {
      const from = Math.min(LAG_BOUNDS_MS[at - 1] ?? 0, lagMaxMs);
      const to = Math.min(LAG_BOUNDS_MS[at] ?? lagMaxMs, lagMaxMs);
      return Math.round(from + (to - from) * (left / count));
    }
    left -= count;
  }
  return lagMaxMs;
}
