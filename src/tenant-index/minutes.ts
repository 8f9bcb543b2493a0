import type { Minute } from "../model/answers";
import type { LaneName } from "../model/answers";
import { isoTime, LANES } from "../model/timeline";
import { MINUTE_MS, type LaneCounts, type MinuteCounts } from "../model/ticket-report";

/** Counts per minute, kept by the hour: one row written for a report, however many minutes it has. Pure. */

const MINUTES_PER_HOUR = 60;
/** The last 24 hours, and the hour that is not over yet. */
const HOURS_KEPT = 25;

/** `measured` counts the delivered whose lag is known; the lags are theirs. */
type Cell = [accepted: number, delivered: number, dead: number, measured: number, lagSumMs: number, lagMaxMs: number];
/** By minute of the hour. */
export type Hour = Partial<Record<number, Partial<Record<LaneName, Cell>>>>;

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
    ];
    return { minute: one.minute, lane, cell };
  });
  if (restMinute !== undefined) {
    additions.push({ minute: restMinute, lane, cell: [left.accepted, left.delivered, left.dead, 0, 0, 0] });
  }
  return additions.filter(({ cell }) => cell.some((count) => count > 0));
}

/** The hour with an addition counted in. */
export function withAddition(hour: Hour, { minute, lane, cell }: Addition): Hour {
  const ofHour = minute % MINUTES_PER_HOUR;
  const known = hour[ofHour]?.[lane] ?? [0, 0, 0, 0, 0, 0];
  const sum = known.map((count, at) => (at === 5 ? Math.max(count, cell[5]) : count + (cell[at] ?? 0))) as Cell;
  return { ...hour, [ofHour]: { ...hour[ofHour], [lane]: sum } };
}

const laneMinute = ([accepted, delivered, dead, measured, lagSumMs, lagMaxMs]: Cell): Minute[LaneName] => ({
  accepted,
  delivered,
  dead,
  lagMeanMs: measured === 0 ? 0 : Math.round(lagSumMs / measured),
  lagMaxMs,
});

/** The minutes from one on in which anything happened, the oldest first. `hours` are in order. */
export const shownMinutes = (hours: readonly { hour: number; minutes: Hour }[], fromMinute: number): Minute[] =>
  hours.flatMap(({ hour, minutes }) =>
    Object.entries(minutes).flatMap(([at, lanes]) => {
      const minute = hour * MINUTES_PER_HOUR + Number(at);
      if (!lanes || minute < fromMinute) return [];
      const [toDesk, toDolphins] = LANES.map((lane) => laneMinute(lanes[lane] ?? [0, 0, 0, 0, 0, 0]));
      return toDesk && toDolphins ? [{ at: isoTime(minute * MINUTE_MS), toDesk, toDolphins }] : [];
    }),
  );
