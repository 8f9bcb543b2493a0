import type { LaneName } from "../model/answers";
import type { PauseState } from "../model/pause";

/**
 * What an operator, or a far end that is back, has a tenant's index do with many tickets: so many at a time, from its alarm.
 * Pure. Times are epoch ms.
 */

/** Where a list of those that wait, the oldest first, goes on. */
export type WaitingCursor = { waitingSinceMs: number; id: number };
const FROM_THE_OLDEST: WaitingCursor = { waitingSinceMs: -1, id: 0 };

type Of<Kind extends string> = { kind: Kind; lane: LaneName; dueMs: number };
/** Tries all that wait. `againAtMs` is when it begins once more, because by then every place knows the record that was put. */
type Retry = Of<"retry"> & { after: WaitingCursor; startedAtMs: number; againAtMs?: number };
/** Tries those that wait in steps that grow. `tried` is how many the last step has tried, and `patientUntilMs` is for these. */
export type Wave = Of<"wave"> & {
  after: WaitingCursor;
  startedAtMs: number;
  size: number;
  tried: number;
  patientUntilMs: number;
};
/** Tells those of ids below `beforeId` that the lane is paused. */
type Pausing = Of<"pause"> & { beforeId: number };
/** Lets those go on that were told so. */
type Resuming = Of<"resume">;
export type Job = Retry | Wave | Pausing | Resuming;

/** Who paused a lane is for the record alone. */
export type LaneState = PauseState & { by?: string };
export type Work = { owner: string; pauses: Partial<Record<LaneName, LaneState>>; jobs: readonly Job[] };

/** An alarm that is set for now may be lost. */
export const SOON_MS = 20;
const STEP_MS = 1_000;
const FIRST_STEP = 10;
/** The platform limits the requests of one alarm. */
const LONGEST_STEP = 320;
/** A far end may take its time to answer, and the report that it has comes after that. */
const PATIENCE_MS = 20_000;
/** A ticket reports that it waits within so long. */
const REPORTED_MS = 8_000;

export const retryOf = (lane: LaneName, nowMs: number, againAtMs?: number): Retry => ({
  kind: "retry",
  lane,
  dueMs: nowMs + SOON_MS,
  after: FROM_THE_OLDEST,
  startedAtMs: nowMs,
  ...(againAtMs === undefined ? {} : { againAtMs }),
});

/** What is left of a retry after a portion of it; undefined when nothing is. `last` is the end of a portion that was full. */
export function afterPortion(job: Retry, last: WaitingCursor | undefined, isFull: boolean, nowMs: number) {
  const after = last ?? job.after;
  if (isFull) return { ...job, after, dueMs: nowMs + SOON_MS };
  // Those that began to wait just before are in the list only now.
  const reportedMs = job.startedAtMs + REPORTED_MS;
  if (nowMs < reportedMs) return { ...job, after, dueMs: reportedMs };
  return job.againAtMs === undefined ? undefined : { ...retryOf(job.lane, job.againAtMs), dueMs: job.againAtMs };
}

export const waveOf = (lane: LaneName, nowMs: number): Wave => ({
  kind: "wave",
  lane,
  dueMs: nowMs + SOON_MS,
  after: FROM_THE_OLDEST,
  startedAtMs: nowMs,
  size: FIRST_STEP,
  tried: 0,
  patientUntilMs: 0,
});

/**
 * What a wave does next. As long as nothing of its last step was delivered it waits for that, and then it ends: a far end that
 * is still down is not stormed.
 */
export function nextOfWave(wave: Wave, recovered: number, nowMs: number): "try" | "wait" | "end" {
  if (wave.tried === 0 || recovered > 0) return "try";
  return nowMs < wave.patientUntilMs ? "wait" : "end";
}

export const waiting = (wave: Wave, nowMs: number): Wave => ({ ...wave, dueMs: nowMs + STEP_MS });

export const afterStep = (wave: Wave, last: WaitingCursor, tried: number, nowMs: number): Wave => ({
  ...wave,
  after: last,
  tried,
  size: Math.min(2 * wave.size, LONGEST_STEP),
  dueMs: nowMs + STEP_MS,
  patientUntilMs: nowMs + PATIENCE_MS,
});

/** The jobs with one more, or one that begins anew. There is one of each kind for a lane. */
export const withJob = (jobs: readonly Job[], job: Job): Job[] => [
  ...jobs.filter(({ kind, lane }) => kind !== job.kind || lane !== job.lane),
  job,
];
