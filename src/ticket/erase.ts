import { log } from "../lib/log";
import type { Erased } from "../model/ticket-report";
import type { TicketDeps } from "./deps";
import { wipe } from "./retention";

/**
 * Deletes the ticket with everything, whatever waits or is under way, and its mapping. With a contact only if it is, or was,
 * that one's. Its row in the index is for the caller, which is the index.
 */
export async function erase(
  contactId: string | undefined,
  deps: Pick<TicketDeps, "cache" | "store" | "directory" | "alarm" | "reporter" | "nowMs">,
): Promise<Erased> {
  const { cache, store, directory, reporter } = deps;
  if (!cache.ticket) return { state: "absent", messages: 0 };
  if (contactId !== undefined && !cache.isOf(contactId)) return { state: "other", messages: 0 };
  const { deskId, mapped, ticketNumber, owner } = cache.ticket;
  if (mapped === 1) await directory.unmapTicket(deskId, ticketNumber, owner);
  // One that arrives after the row is deleted would bring it back.
  await reporter.end();
  if (!cache.ticket) return { state: "absent", messages: 0 };
  const messages = store.countMessages();
  await wipe(deps);
  log("ticket_erased", { owner, ticketNumber, messages });
  return { state: "erased", messages };
}

/** The tenant is of another desk now: so is the ticket, and nothing of it stays under the first. */
export async function moveTo(
  deskId: string,
  { cache, directory, mapping }: Pick<TicketDeps, "cache" | "directory" | "mapping">,
): Promise<void> {
  if (!cache.ticket || cache.ticket.deskId === deskId) return;
  const { deskId: before, mapped, ticketNumber, owner } = cache.ticket;
  if (mapped === 1) await directory.unmapTicket(before, ticketNumber, owner);
  cache.change({ deskId, mapped: 0 });
  mapping.writeIfDue();
}
