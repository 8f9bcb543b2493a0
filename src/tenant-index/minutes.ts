import type { Minute } from "../model/answers";
import type { LaneName } from "../model/answers";
import { isoTime, LANES } from "../model/timeline";
import { MINUTE_MS, type LaneCounts, type MinuteCounts } from "../model/ticket-report";

/** Counts per minute, kept by the hour: one row written for a report, however many minutes it has. Pure. */

const MINUTES_PER_HOUR = 60;
/** The last 24 hours, and the hour that is not over yet. */
const HOURS_KEPT = 25;

/**
 * `measured` counts the delivered whose lag is known; the lags are theirs. `lags` counts them by how long they are, which a
 * report of 0.1.0 does not say.
 */
export type Cell = [
  accepted: number,
  delivered: number,
  dead: number,
  measured: number,
  lagSumMs: number,
  lagMaxMs: number,
  ...lags: number[],
];
const EMPTY: Cell = [0, 0, 0, 0, 0, 0];
/** By minute of the hour. */
export type Hour = Partial<Record<number, Partial<Record<LaneName, Cell>>>>;

export type KeptHour = { hour: number; minutes: Hour };

export type Addition = { minute: number; lane: LaneName; cell: Cell };

export const hourOf = (minute: number): number => Math.floor(minute / MINUTES_PER_HOUR);
export const minuteOf = (ms: number): number => Math.floor(ms / MINUTE_MS);
export const oldestHour = (nowMs: number): number => hourOf(minuteOf(nowMs)) - HOURS_KEPT + 1;

/**
 * Where to count what is new in a lane. How much is new follows from the totals alone, so nothing is counted twice. The
 * ticket's minutes say where. The newest come first: a report may have arrived without its acknowledgement, and then the
 * ticket sends the older minutes again. What is left over is counted in `restMinute`; without one it is history, and is not
 * counted.
 */
export function attribute(
  lane: LaneName,
  before: LaneCounts | undefined,
  after: LaneCounts,
  minutes: readonly MinuteCounts[],
  restMinute: number | undefined,
): Addition[] {
  const left = {
    accepted: Math.max(0, after.accepted - (before?.accepted ?? 0)),
    delivered: Math.max(0, after.delivered - (before?.delivered ?? 0)),
    dead: Math.max(0, after.dead - (before?.dead ?? 0)),
  };
  const take = (name: keyof typeof left, most: number) => {
    const taken = Math.min(left[name], most);
    left[name] -= taken;
    return taken;
  };
  const newestFirst = minutes.filter((one) => one.lane === lane).toSorted((a, b) => b.minute - a.minute);
  const additions = newestFirst.map((one): Addition => {
    const delivered = take("delivered", one.delivered);
    const lagSumMs = delivered === 0 ? 0 : Math.round((one.lagSumMs * delivered) / one.delivered);
    const lagMaxMs = delivered === 0 ? 0 : one.lagMaxMs;
    const cell: Cell = [
      take("accepted", one.accepted),
      delivered,
      take("dead", one.dead),
      delivered,
      lagSumMs,
      lagMaxMs,
      ...firstOf(one.lags ?? [], delivered),
    ];
    return { minute: one.minute, lane, cell };
  });
  if (restMinute !== undefined) {
    additions.push({ minute: restMinute, lane, cell: [left.accepted, left.delivered, left.dead, 0, 0, 0] });
  }
  return additions.filter(({ cell }) => cell.some((count) => count > 0));
}

/** So many of those that are counted, the quickest first. */
function firstOf(lags: readonly number[], most: number): number[] {
  let left = most;
  return lags.map((count) => {
    const taken = Math.min(count, left);
    left -= taken;
    return taken;
  });
}

const sumOf = (one: Cell, other: Cell): Cell =>
  Array.from({ length: Math.max(one.length, other.length) }, (_, at) =>
    at === 5 ? Math.max(one[5], other[5]) : (one[at] ?? 0) + (other[at] ?? 0),
  ) as Cell;

/** The hour with an addition counted in. */
export function withAddition(hour: Hour, { minute, lane, cell }: Addition): Hour {
  const ofHour = minute % MINUTES_PER_HOUR;
  return { ...hour, [ofHour]: { ...hour[ofHour], [lane]: sumOf(hour[ofHour]?.[lane] ?? EMPTY, cell) } };
}

const laneMinute = ([accepted, delivered, dead, measured, lagSumMs, lagMaxMs]: Cell): Minute[LaneName] => ({
  accepted,
  delivered,
  dead,
  lagMeanMs: measured === 0 ? 0 : Math.round(lagSumMs / measured),
  lagMaxMs,
});

/** The sum of one lane from a minute on. */
export const sumFrom = (hours: readonly KeptHour[], fromMinute: number, lane: LaneName): Cell =>
  hours
    .flatMap(({ hour, minutes }) => Object.entries(minutes).map(([at, lanes]) => ({ hour, at: Number(at), lanes })))
    .filter(({ hour, at }) => hour * MINUTES_PER_HOUR + at >= fromMinute)
    .reduce((sum, { lanes }) => sumOf(sum, lanes?.[lane] ?? EMPTY), EMPTY);

/** The minutes from one on in which anything happened, the oldest first. `hours` are in order. */
export const shownMinutes = (hours: readonly KeptHour[], fromMinute: number): Minute[] =>
  hours.flatMap(({ hour, minutes }) =>
    Object.entries(minutes).flatMap(([at, lanes]) => {
      const minute = hour * MINUTES_PER_HOUR + Number(at);
      if (!lanes || minute < fromMinute) return [];
      const [toDesk, toDolphins] = LANES.map((lane) => laneMinute(lanes[lane] ?? EMPTY));
      return toDesk && toDolphins ? [{ at: isoTime(minute * MINUTE_MS), toDesk, toDolphins }] : [];
    }),
  );
