import type { PauseState } from "../model/pause";

/** What a ticket keeps of the pauses of a lane. Pure. Times are epoch ms. */

/** `past` are the pauses that were, from and until, as long as a message that saw them may wait. */
export type LanePause = PauseState & { past?: readonly (readonly [number, number])[] };

/** Far more than anybody begins while one message waits. */
const MOST_KEPT = 50;

/** A lane's pauses after a state of its tenant's index; `isEmpty` where nothing waits in it. Undefined when a later one is known. */
export function afterState(
  before: LanePause | undefined,
  { atMs, pause }: PauseState,
  nowMs: number,
  isEmpty: boolean,
): LanePause | undefined {
  if (before && before.atMs >= atMs) return undefined;
  const hasEnded = before?.pause && before.pause.sinceMs !== pause?.sinceMs;
  const ended = hasEnded ? [[before.pause.sinceMs, pause?.sinceMs ?? nowMs] as const] : [];
  const past = isEmpty ? [] : [...(before?.past ?? []), ...ended].slice(-MOST_KEPT);
  return { atMs, ...(pause ? { pause } : {}), ...(past.length > 0 ? { past } : {}) };
}

/** How much of a time a lane was paused. */
export function pausedMs(pauses: LanePause | undefined, fromMs: number, untilMs: number): number {
  const { pause, past = [] } = pauses ?? {};
  const all = pause ? [...past, [pause.sinceMs, untilMs] as const] : past;
  return all.reduce((sum, [from, until]) => sum + Math.max(0, Math.min(until, untilMs) - Math.max(from, fromMs)), 0);
}
