import type { Minute } from "../api/types";

const MINUTE_MS = 60_000;

type Bar = { good: number; dead: number };

/** Deliveries and dead letters of both lanes. Pure: sums minutes into `bars` equal pieces of the time up to now, oldest first. */
export function barsOf(minutes: Minute[], bars: number, minutesPerBar: number, nowMs: number): Bar[] {
  const lastMinute = Math.floor(nowMs / MINUTE_MS);
  const sums = Array.from({ length: bars }, () => ({ good: 0, dead: 0 }));
  for (const { at, toDesk, toDolphins } of minutes) {
    const ago = lastMinute - Math.floor(Date.parse(at) / MINUTE_MS);
    const bar = sums[bars - 1 - Math.floor(ago / minutesPerBar)];
    if (!bar) continue;
    bar.good += toDesk.delivered + toDolphins.delivered;
    bar.dead += toDesk.dead + toDolphins.dead;
  }
  return sums;
}
