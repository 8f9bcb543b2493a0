/**
 * For times that are kept, in a row or in memory. The clock may be set back, and a restart may find another one: then a time
 * that was written lies ahead, and must not be waited for as if it had been meant.
 */

/** Whether a wait until `untilMs` goes on. One that is longer than any can be was begun by another clock, so it is over. */
export const isWaiting = (untilMs: number, nowMs: number, longestMs: number): boolean =>
  untilMs > nowMs && untilMs <= nowMs + longestMs;

/** Whether `atMs` is less than `ms` away from now, to either side. */
export const isRecent = (atMs: number, nowMs: number, ms: number): boolean => Math.abs(nowMs - atMs) < ms;

/** How long something took. A clock that was set back meanwhile does not make it less than nothing. */
export const elapsedMs = (sinceMs: number, nowMs: number): number => Math.max(0, nowMs - sinceMs);
