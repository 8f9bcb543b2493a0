import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dayIn, readDate } from "../../../src/engine/dates";
import { RUN } from "../property";

const HOUR_MS = 3600_000;
/** With summer time and without, on both sides of UTC, with half hours, and with a day that never was. */
const ZONES = ["Asia/Jakarta", "UTC", "Europe/Berlin", "America/Los_Angeles", "Australia/Lord_Howe", "Asia/Kathmandu"];
ZONES.push("Pacific/Apia", "America/St_Johns", "Africa/Casablanca");

const zone = fc.constantFrom(...ZONES);
const instant = fc.integer({ min: Date.UTC(1990, 0), max: Date.UTC(2090, 0) });

/** What a clock in the zone shows, by another way than the code's own. */
const clock = (timeZone: string, atMs: number): string =>
  `${new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "medium" }).format(atMs).replace(" ", "T")}.${String(atMs % 1000).padStart(3, "0")}`;

describe("a date of 3Dolphins", () => {
  test("a date of 3Dolphins without a zone is the instant at which the tenant's clock shows it", () => {
    fc.assert(
      fc.property(zone, instant, (timeZone, atMs) => {
        const shown = clock(timeZone, atMs);
        const read = readDate(shown, timeZone) ?? Number.NaN;
        expect(clock(timeZone, read)).toBe(shown);
        // An hour that comes twice is the first of the two.
        expect(read).toBeLessThanOrEqual(atMs);
        expect(atMs - read).toBeLessThanOrEqual(HOUR_MS);
      }),
      { ...RUN, numRuns: 2000 },
    );
  });

  test("a date of 3Dolphins with an offset is that instant in whatever zone, however it is written", () => {
    fc.assert(
      fc.property(
        zone,
        zone,
        instant,
        fc.integer({ min: -14 * 60, max: 14 * 60 }),
        (timeZone, named, atMs, minutes) => {
          const shown = new Date(atMs + minutes * 60_000).toISOString().replace("Z", "");
          const [hh, mm] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map((n) =>
            String(n).padStart(2, "0"),
          );
          const sign = minutes < 0 ? "-" : "+";
          const spellings = [
            `${shown}${sign}${hh}:${mm}`,
            `${shown}${sign}${hh}${mm}`,
            `${shown.replace("T", " ")} ${sign}${hh}:${mm}[${named}]`,
          ];
          for (const text of spellings) expect(readDate(text, timeZone), text).toBe(atMs);
          expect(readDate(new Date(atMs).toISOString(), timeZone)).toBe(atMs);
          expect(readDate(atMs, timeZone)).toBe(atMs);
        },
      ),
      { ...RUN, numRuns: 1000 },
    );
  });

  test("a date of 3Dolphins falls on the day that a calendar in its zone shows", () => {
    fc.assert(
      fc.property(zone, instant, (timeZone, atMs) => {
        expect(dayIn(timeZone, atMs)).toBe(clock(timeZone, atMs).slice(0, 10));
      }),
      { ...RUN, numRuns: 1000 },
    );
  });

  test("a date of 3Dolphins is a whole number of milliseconds or nothing, whatever value is read, and reading never throws", () => {
    fc.assert(
      fc.property(fc.anything(), zone, (value, timeZone) => {
        const read = readDate(value, timeZone);
        expect(read === undefined || Number.isSafeInteger(read)).toBe(true);
      }),
      { ...RUN, numRuns: 1000 },
    );
  });

  test.each<[unknown, string, string]>([
    ["2020-10-22T17:40:55.372+07:00[Asia/Jakarta]", "UTC", "2020-10-22T10:40:55.372Z"],
    ["2021-04-28T15:39:37.945", "Asia/Jakarta", "2021-04-28T08:39:37.945Z"],
    ["2021-04-28 15:39", "Asia/Jakarta", "2021-04-28T08:39:00.000Z"],
    ["2021-04-28", "Asia/Jakarta", "2021-04-27T17:00:00.000Z"],
    ["2021-04-28T15:39:37.945123456Z", "Asia/Jakarta", "2021-04-28T15:39:37.945Z"],
    ["1619599177945", "Asia/Jakarta", "2021-04-28T08:39:37.945Z"],
    [1_619_599_177, "Asia/Jakarta", "2021-04-28T08:39:37.000Z"],
    // Left out by summer time, and come twice by its end.
    ["2024-03-31T02:30:00", "Europe/Berlin", "2024-03-31T01:30:00.000Z"],
    ["2024-10-27T02:30:00", "Europe/Berlin", "2024-10-27T00:30:00.000Z"],
    // This day does not exist in Samoa.
    ["2011-12-30T12:00:00", "Pacific/Apia", "2011-12-30T22:00:00.000Z"],
  ])("the date %j, read in %s, is %s", (value, timeZone, iso) => {
    expect(new Date(readDate(value, timeZone) ?? Number.NaN).toISOString()).toBe(iso);
  });

  test.each([
    "",
    "besok",
    "2021-02-30",
    "2021-13-01",
    "2021-04-28T24:00:00",
    "2021-04-28T15",
    "28/04/2021",
    "12345",
    null,
    {},
  ])("%j is no date of 3Dolphins", (value) => {
    expect(readDate(value, "Asia/Jakarta")).toBeUndefined();
  });
});
