import { memo } from "../lib/bounded-map";

/** Dates as 3Dolphins writes them, with a zone or without. Pure: the clock and the zone are arguments. */

const DAY_MS = 24 * 3600_000;

/**
 * ISO 8601, also with a blank for the T, a comma in the seconds or an offset with no colon. Java puts the zone's name behind
 * it, in brackets.
 */
const DATE =
  /^(\d{4}-\d\d-\d\d)(?:[T ]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:[.,](\d{1,9}))?)?)? ?(Z|[+-]\d\d(?::?[0-5]\d)?)?(?:\[.*\])?$/i;

/** Seconds since 1970 have 9 or 10 digits for as long as this matters, milliseconds 12 or 13. */
const EPOCH = /^\d{9,10}$|^\d{12,13}$/;

const clockOf = memo(
  100,
  (timeZone: string) =>
    new Intl.DateTimeFormat("en", {
      timeZone,
      calendar: "iso8601",
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    }),
);

/** How far the zone's clock is ahead of UTC at an instant. */
function offsetMs(atMs: number, timeZone: string): number {
  const parts = clockOf(timeZone).formatToParts(atMs);
  const part = (type: Intl.DateTimeFormatPartTypes) => Number(parts.find((one) => one.type === type)?.value);
  const [year, month, day] = [part("year"), part("month"), part("day")];
  const shownMs = Date.UTC(year, month - 1, day, part("hour"), part("minute"), part("second"));
  return shownMs - Math.floor(atMs / 1000) * 1000;
}

/**
 * The instant at which the clocks of a zone show a time. That time is given as `shownMs`, as if it were UTC.
 *
 * When clocks are put back, an hour comes twice: the first of the two is meant. When they are put forward, an hour is left
 * out: a time in it counts by the clock before the change, so that 02:30 is half an hour after the change.
 */
function instantAt(shownMs: number, timeZone: string): number {
  const before = shownMs - offsetMs(shownMs - DAY_MS, timeZone);
  const after = shownMs - offsetMs(shownMs + DAY_MS, timeZone);
  return [before, after].find((atMs) => atMs + offsetMs(atMs, timeZone) === shownMs) ?? before;
}

/** The day, `yyyy-MM-dd`, that a calendar in this zone shows. */
export const dayIn = (timeZone: string, atMs: number): string =>
  new Date(atMs + offsetMs(atMs, timeZone)).toISOString().slice(0, "yyyy-MM-dd".length);

/** A date as it came, in epoch ms: a text, or seconds or milliseconds since 1970. Without an offset it is one of `timeZone`. */
export function readDate(value: unknown, timeZone: string): number | undefined {
  const text = typeof value === "number" ? String(value) : typeof value === "string" ? value.trim() : "";
  if (EPOCH.test(text)) return Number(text) * (text.length < 12 ? 1000 : 1);
  const match = DATE.exec(text);
  if (!match) return undefined;
  const [, day = "", hour = "00", minute = "00", second = "00", fraction = "", offset] = match;
  const shown = new Date(`${day}T${hour}:${minute}:${second}.${fraction.slice(0, 3).padEnd(3, "0")}Z`);
  // The 30th of February is no date: it comes out as invalid, or as a day in March.
  if (Number.isNaN(shown.getTime()) || !shown.toISOString().startsWith(day)) return undefined;
  if (offset === undefined) return instantAt(shown.getTime(), timeZone);
  return shown.getTime() - minutesOf(offset) * 60_000;
}

/** `Z`, `+07`, `+0700` or `+07:00`. */
function minutesOf(offset: string): number {
  const [, sign, hours = "0", minutes = "0"] = /^([+-])(\d\d):?(\d\d)?$/.exec(offset) ?? [];
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}
