import { log } from "../lib/log";
import type { TicketDeps } from "./deps";

const DAY_MS = 24 * 3600_000;
/** For a tenant whose record is gone without a trace. */
const DEFAULT_RETENTION_DAYS = 30;
/** So many messages are deleted in one turn. Before the next comes a pause, in which the object takes what comes in. */
const STEP = 100;
const PAUSE_MS = 1_000;

type RetentionDeps = Pick<TicketDeps, "cache" | "store" | "directory" | "alarm" | "reporter" | "nowMs">;

/**
 * Deletes what the tenant's `retentionDays` have run out for: messages a step at a time, whatever the ticket's state, and when
 * none is left the whole of the ticket, with its mapping and its row in the index. What waits stays. Sets the alarm for what
 * is left to do. Returns false when there is more to delete at once.
 *
 * An open ticket that has gone quiet has no alarm for this, which would cost each quiet spell one row. Its index wakes it once
 * a day.
 */
export async function prune(deps: RetentionDeps): Promise<boolean> {
  const { cache, store, directory, alarm, reporter } = deps;
  if (!cache.ticket) return true;
  const policy = await directory.policy(cache.ticket.owner);
  const retentionMs = (policy?.retentionDays ?? DEFAULT_RETENTION_DAYS) * DAY_MS;
  const nowMs = deps.nowMs();
  if (cache.expire(nowMs - retentionMs, STEP)) {
    alarm.ensure(nowMs + PAUSE_MS, nowMs);
    return false;
  }
  if (!cache.isEmpty()) {
    if (!cache.isOver()) return true;
    const lastMs = Math.max(store.newestAcceptedAtMs(), store.lastDeathMs());
    alarm.ensure(Math.max(lastMs + retentionMs, nowMs) + 1, nowMs);
    return true;
  }
  const { deskId, mapped, ticketNumber, owner } = cache.ticket;
  if (mapped === 1) await directory.unmapTicket(deskId, ticketNumber, owner);
  // With its row the index forgets the name of its conversation. What is delivered from now on gives it again.
  cache.keepNamed(undefined);
  await reporter.forget(cache.ticket);
  // An event may have come in meanwhile. Then the ticket lives on, and both KV and the index have to know it again.
  if (!cache.isEmpty()) {
    cache.change({ mapped: 0, lastReport: null });
    cache.keepNamed(undefined);
    alarm.ensure(deps.nowMs() + PAUSE_MS, deps.nowMs());
    return false;
  }
  await wipe(deps);
  log("ticket_wiped", { owner, ticketNumber });
  return true;
}

/** Deletes the ticket whole. From here on it is as if it had never been, until the next Incoming Event opens it. */
export async function wipe({ cache, alarm, nowMs }: Pick<TicketDeps, "cache" | "alarm" | "nowMs">): Promise<void> {
  alarm.rang(nowMs());
  await cache.wipe();
}
