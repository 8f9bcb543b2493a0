import type { Overview } from "../api/types";

const MINUTE_MS = 60_000;

/** `isUnknown`: some of what happened then is not counted yet. */
type Bar = { good: number; dead: number; isUnknown: boolean };
/** Whoever looks is so far behind at most, which is no reason to speak of what is not known. */
const BEHIND_MS = 30_000;

/** Deliveries and dead letters of both lanes. Pure: sums minutes into `bars` equal pieces of the time up to now, oldest first. */
export function barsOf(
  { minutes, countedUntil }: Pick<Overview, "minutes" | "countedUntil">,
  bars: number,
  minutesPerBar: number,
  nowMs: number,
): Bar[] {
  const lastMinute = Math.floor(nowMs / MINUTE_MS);
  const countedMinute = Math.floor((Date.parse(countedUntil) + BEHIND_MS) / MINUTE_MS);
  const sums = Array.from({ length: bars }, (_, bar) => ({
    good: 0,
    dead: 0,
    isUnknown: lastMinute - (bars - 1 - bar) * minutesPerBar > countedMinute,
  }));
  for (const { at, toDesk, toDolphins } of minutes) {
    const ago = lastMinute - Math.floor(Date.parse(at) / MINUTE_MS);
    const bar = sums[bars - 1 - Math.floor(ago / minutesPerBar)];
    if (!bar) continue;
    bar.good += toDesk.delivered + toDolphins.delivered;
    bar.dead += toDesk.dead + toDolphins.dead;
  }
  return sums;
}
