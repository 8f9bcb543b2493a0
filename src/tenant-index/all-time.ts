import type { LaneName } from "../model/answers";
import { LAG_BOUNDS_MS } from "../model/ticket-report";
import { EMPTY, sumFrom, sumOf, type Addition, type Cell, type KeptHour } from "./minutes";

/** What a tenant has done in all, and the lags of it. Hours are kept for a day, and counters must never fall. Pure. */

/** All that was counted in the hours before one, though they are no longer kept. */
export type Earlier = { hour: number; lanes: Record<LaneName, Cell> };

/** The sum over all time: what is earlier, and the hours since. */
export const totalOf = (earlier: Earlier | undefined, hours: readonly KeptHour[], lane: LaneName): Cell => {
  const since = hours.filter(({ hour }) => hour >= (earlier?.hour ?? 0));
  return sumOf(earlier?.lanes[lane] ?? EMPTY, sumFrom(since, 0, lane));
};

/**
 * What is earlier than the newest hour, once `additions` are counted in `hour`; undefined when nothing of it changes, as is
 * so for all but the first report of an hour. `hours` are those kept so far.
 */
export function earlierWith(
  earlier: Earlier | undefined,
  hours: () => readonly KeptHour[],
  { hour, additions }: { hour: number; additions: readonly Addition[] },
): Earlier | undefined {
  if (earlier && hour === earlier.hour) return undefined;
  if (earlier && hour < earlier.hour) {
    const of = (lane: LaneName) =>
      additions.filter((one) => one.lane === lane).reduce((sum, { cell }) => sumOf(sum, cell), earlier.lanes[lane]);
    return { hour: earlier.hour, lanes: { toDesk: of("toDesk"), toDolphins: of("toDolphins") } };
  }
  const until = hours().filter((one) => one.hour < hour);
  return {
    hour,
    lanes: { toDesk: totalOf(earlier, until, "toDesk"), toDolphins: totalOf(earlier, until, "toDolphins") },
  };
}

/** What a lane has done in all, and how long it took. `lags` counts by LAG_BOUNDS_MS. */
export type LaneTotal = { accepted: number; delivered: number; dead: number; lagSumMs: number; lags: number[] };

export const laneTotal = ([accepted, delivered, dead, , lagSumMs, , ...lags]: Cell): LaneTotal => ({
  accepted,
  delivered,
  dead,
  lagSumMs,
  lags: [...LAG_BOUNDS_MS, Infinity].map((_, at) => lags[at] ?? 0),
});

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
