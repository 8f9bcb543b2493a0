import { log } from "../lib/log";
import type { Directory } from "../tenants/directory";
import type { AlarmClock } from "./alarm";
import type { TicketImage } from "./cache";
import type { TicketStore } from "./store";
import type { Telling } from "./index-reporter";
import { LANES } from "../model/timeline";

const DAY_MS = 24 * 3600_000;
/** For a tenant whose record is gone without a trace. */
const DEFAULT_RETENTION_DAYS = 30;
/** Messages deleted in one turn, and the pause before the next: the object stays free for what comes in. */
const STEP = 100;
const PAUSE_MS = 1_000;

/**
 * Deletes what the tenant's `retentionDays` have run out for, a step at a time: delivered messages, and in the end the
 * whole of a closed ticket with its mapping and its place in the index. Sets the alarm for what is left to do; false when
 * that is more of the same.
 */
export async function tidy(
  image: TicketImage,
  store: TicketStore,
  directory: Directory,
  alarm: AlarmClock,
  telling: Telling,
): Promise<boolean> {
  if (!image.ticket) return true;
  const policy = await directory.policy(image.ticket.owner);
  const retentionMs = (policy?.retentionDays ?? DEFAULT_RETENTION_DAYS) * DAY_MS;
  const nowMs = Date.now();
  // The newest message of a lane stays, so a lane of one has nothing to delete.
  const lanes = LANES.filter((lane) => image.lane(lane).accepted > 1);
  const steps = lanes.map((lane) => store.deleteDelivered(lane, nowMs - retentionMs, STEP));
  if (steps.includes(true)) {
    alarm.ensure(nowMs + PAUSE_MS, nowMs);
    return false;
  }
  if (!image.isOver()) return true;
  const overAtMs = store.newestAcceptedAtMs() + retentionMs;
  if (overAtMs > nowMs) {
    alarm.ensure(overAtMs, nowMs);
    return true;
  }
  const { deskId, ticketNumber, owner } = image.ticket;
  await directory.unmapTicket(deskId, ticketNumber, owner);
  await telling.forget(image.ticket);
  // An event may have come in while those were asked: then the ticket lives on, and both must know it again.
  if (!image.isOver()) {
    image.change({ mapped: 0, told: null });
    alarm.ensure(Date.now() + PAUSE_MS, Date.now());
    return false;
  }
  alarm.fired();
  await image.wipe();
  log("ticket_wiped", { owner, ticketNumber });
  return true;
}
