import type { LaneName } from "../model/answers";
import type { PauseState } from "../model/pause";
import type { TicketDeps } from "./deps";
import { wake } from "./drain";
import { nextStep } from "./lane";
import { isAskedToWait } from "./retry";

/** What an operator has a ticket do, or the tenant's index in an operator's place. */

/** Pauses a lane, or has it go on at once. */
export function applyPause(lane: LaneName, state: PauseState, deps: TicketDeps): void {
  deps.cache.applyPause(lane, state, deps.nowMs());
  if (!state.pause) retryNow([lane], true, deps);
}

/**
 * Has the heads of lanes that wait tried at once, and says how many are. Unless it is `evenBeforeRetryAfter`, one whose far end
 * has asked for time is left in peace.
 */
export function retryNow(lanes: readonly LaneName[], evenBeforeRetryAfter: boolean, deps: TicketDeps): number {
  const { cache, store, directory } = deps;
  if (!cache.ticket) return 0;
  const nowMs = deps.nowMs();
  const some = lanes.filter((name) => {
    const step = nextStep(cache.lane(name), nowMs);
    if (step.do !== "wait") return step.do === "deliver";
    const history = store.readHistory(name, cache.lane(name).requeued[0]?.sequence ?? 0);
    return evenBeforeRetryAfter || !history || !isAskedToWait(history, step.untilMs);
  });
  if (some.length === 0) return 0;
  // Somebody may have put the record only now.
  directory.forgetTenant(cache.ticket.owner);
  for (const lane of some) cache.retry(lane);
  wake(deps, nowMs);
  return some.length;
}
