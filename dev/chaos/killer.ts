import { setTimeout as pause } from "node:timers/promises";
import type { KillPoint, KillPoints } from "./kill-points.ts";
import { type Random, between } from "./random.ts";
import type { Scenario } from "./scenario.ts";

/** Of the interruptions; the others are kill -9. */
const STOP_SHARE = 0.2;
const LONGEST_DOWN_MS = 800;
/** A kill that waits for its point longer than this comes anyway. */
const AIM_MS = 2_000;
const AIMS: (KillPoint | undefined)[] = ["asked", "accepted", "closed", "received", undefined];
/** A request takes about so long to be stored and answered: a kill within it leaves its sender not knowing. */
const ASKED_MS = 6;

/**
 * Ends the runtime `count` times in `driveMs`, one in each equal part of that time: at any moment, or just after an answer
 * 200 (to anything, or to a Close), just after a far end received a message, or while a request is on its way to the relay.
 */
export async function interruptNowAndThen(
  scenario: Scenario,
  killPoints: KillPoints,
  options: { random: Random; count: number; driveMs: number },
): Promise<void> {
  const { random, count, driveMs } = options;
  const startedMs = performance.now();
  for (let number = 0; number < count; number += 1) {
    const plannedMs = ((number + random()) / count) * driveMs;
    const aim = AIMS[Math.floor(random() * AIMS.length)];
    const how = random() < STOP_SHARE ? "stopped" : "killed";
    const downMs = between(random, 0, LONGEST_DOWN_MS);
    const afterMs = aim === "asked" ? between(random, 0, ASKED_MS) : 0;
    await pause(Math.max(0, plannedMs - (performance.now() - startedMs)));
    if (aim !== undefined) await Promise.race([killPoints.next(aim), pause(AIM_MS)]);
    if (afterMs > 0) await pause(afterMs);
    await scenario.interrupt(how, downMs);
  }
}
