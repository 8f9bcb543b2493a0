import { log } from "../lib/log";
import { LANES } from "../model/timeline";
import type { TicketDeps } from "./deps";

const DAY_MS = 24 * 3600_000;
/** For a tenant whose record is gone without a trace. */
const DEFAULT_RETENTION_DAYS = 30;
/** So many messages are deleted in one turn. Before the next comes a pause, in which the object takes what comes in. */
const STEP = 100;
const PAUSE_MS = 1_000;

/**
 * Deletes what the tenant's `retentionDays` have run out for: first the delivered messages, a step at a time, and in the end
 * the whole of a closed ticket, with its mapping and its row in the index. Sets the alarm for what is left to do. Returns
 * false when there is more to delete at once.
 */
export async function prune(
  deps: Pick<TicketDeps, "cache" | "store" | "directory" | "alarm" | "reporter" | "nowMs">,
): Promise<boolean> {
  const { cache, store, directory, alarm, reporter } = deps;
  if (!cache.ticket) return true;
  const policy = await directory.policy(cache.ticket.owner);
  const retentionMs = (policy?.retentionDays ?? DEFAULT_RETENTION_DAYS) * DAY_MS;
  const nowMs = deps.nowMs();
  // The newest message of a lane stays, so a lane of one has nothing to delete.
  const lanes = LANES.filter((lane) => cache.lane(lane).accepted > 1);
  const steps = lanes.map((lane) => store.deleteDelivered(lane, nowMs - retentionMs, STEP));
  if (steps.includes(true)) {
    alarm.ensure(nowMs + PAUSE_MS, nowMs);
    return false;
  }
  if (!cache.isOver()) return true;
  const overAtMs = store.newestAcceptedAtMs() + retentionMs;
  if (overAtMs > nowMs) {
    alarm.ensure(overAtMs, nowMs);
    return true;
  }
  const { deskId, mapped, ticketNumber, owner } = cache.ticket;
  if (mapped === 1) await directory.unmapTicket(deskId, ticketNumber, owner);
  // With its row the index forgets the name of its conversation. What is delivered from now on gives it again.
  cache.keepNamed(undefined);
  await reporter.forget(cache.ticket);
  // An event may have come in meanwhile. Then the ticket lives on, and both KV and the index have to know it again.
  if (!cache.isOver()) {
    cache.change({ mapped: 0, lastReport: null });
    cache.keepNamed(undefined);
    alarm.ensure(deps.nowMs() + PAUSE_MS, deps.nowMs());
    return false;
  }
  alarm.rang(deps.nowMs());
  await cache.wipe();
  log("ticket_wiped", { owner, ticketNumber });
  return true;
}
