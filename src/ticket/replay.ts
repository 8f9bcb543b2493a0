import type { Result } from "../model/result";
import { LANES, type Replayed } from "../model/timeline";
import type { TicketDeps } from "./deps";
import { UNKNOWN_TICKET, type UnknownTicket } from "./views";

export type Which = { ids: string[] } | { all: true };

/** Puts dead letters back: those with these ids, or all. With `dryRun` it only says which it would. */
export function replay(
  which: Which,
  dryRun: boolean,
  { cache, store, nowMs }: Pick<TicketDeps, "cache" | "store" | "nowMs">,
): Result<Replayed, UnknownTicket> {
  if (!cache.ticket) return UNKNOWN_TICKET;
  const ids = "all" in which ? undefined : new Set(which.ids);
  const isWanted = (id: string) => ids?.has(id) ?? true;
  const letters = LANES.flatMap((lane) => {
    const newest = store.newestDelivered(lane);
    const dead = store.readDeadLetters(lane).filter(({ id }) => isWanted(id));
    return dead.map(({ id, sequence }) => ({ id, isLate: sequence < newest }));
  });
  if (!dryRun) for (const lane of LANES) cache.replay(lane, isWanted, nowMs());
  const idsOf = (some: typeof letters) => some.map(({ id }) => id);
  return { ok: true, value: { replayed: idsOf(letters), late: idsOf(letters.filter(({ isLate }) => isLate)) } };
}
