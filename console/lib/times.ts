/** Times in a zone and a language, and how long things take. Pure. */

export type Language = "en" | "id";
export type Units = { s: string; min: string; h: string; d: string; ms: string; point: string };

export type Times = {
  zone: string;
  /** `Asia/Jakarta (GMT+7)`. */
  zoneName: string;
  /** The time, and before it the date when that is not today's. */
  clock: (iso: string, nowMs: number) => string;
  /** With date and zone. */
  full: (iso: string) => string;
};

/** English as in most of the world: 24 hours, the day before the month. */
const LOCALES = { en: "en-GB", id: "id-ID" } as const;
const known = new Map<string, Times>();

export function timesIn(language: Language, zone: string): Times {
  const key = `${language} ${zone}`;
  const times = known.get(key) ?? makeTimes(LOCALES[language], zone);
  known.set(key, times);
  return times;
}

function makeTimes(locale: string, timeZone: string): Times {
  const day = new Intl.DateTimeFormat(locale, { timeZone, day: "numeric", month: "short", year: "numeric" });
  const date = new Intl.DateTimeFormat(locale, { timeZone, day: "numeric", month: "short" });
  const time = new Intl.DateTimeFormat(locale, { timeZone, hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const full = new Intl.DateTimeFormat(locale, { timeZone, dateStyle: "medium", timeStyle: "long" });
  const name = new Intl.DateTimeFormat(locale, { timeZone, timeZoneName: "short" });
  const short = name.formatToParts(0).find(({ type }) => type === "timeZoneName")?.value ?? "";
  return {
    zone: timeZone,
    zoneName: short === "" || short === timeZone ? timeZone : `${timeZone} (${short})`,
    clock: (iso, nowMs) => {
      const at = Date.parse(iso);
      return day.format(at) === day.format(nowMs) ? time.format(at) : `${date.format(at)}, ${time.format(at)}`;
    },
    full: (iso) => full.format(Date.parse(iso)),
  };
}

/** `40 s`, `12 min`, `5 h 12 min`, `3 d 4 h`. */
export function span(ms: number, units: Units): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} ${units.s}`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} ${units.min}`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return joined(hours, units.h, minutes % 60, units.min);
  return joined(Math.floor(hours / 24), units.d, hours % 24, units.h);
}

const joined = (large: number, largeUnit: string, small: number, smallUnit: string) =>
  small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;

/** How long an attempt took: `31 ms`, `10.0 s`. */
export const took = (ms: number, units: Units): string =>
  ms < 1000 ? `${Math.round(ms)} ${units.ms}` : `${(ms / 1000).toFixed(1).replace(".", units.point)} ${units.s}`;
