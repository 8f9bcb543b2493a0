import type { LaneName } from "../model/answers";
import type { Result } from "../model/result";
import { LANES, type Replayed, type Which } from "../model/timeline";
import type { TicketDeps } from "./deps";
import { UNKNOWN_TICKET, type UnknownTicket } from "./views";

/** Puts dead letters back: those with these ids, or all. With `dryRun` it only says which it would. */
export function replay(
  which: Which,
  dryRun: boolean,
  { cache, store, nowMs }: Pick<TicketDeps, "cache" | "store" | "nowMs">,
): Result<Replayed, UnknownTicket> {
  if (!cache.ticket) return UNKNOWN_TICKET;
  const letters = LANES.flatMap((lane) => {
    const newest = store.newestDelivered(lane);
    return wanted(lane, which, store).map(({ id, sequence }) => ({ id, isLate: sequence < newest }));
  });
  const ids = new Set(letters.map(({ id }) => id));
  if (!dryRun) for (const lane of LANES) cache.replay(lane, (id) => ids.has(id), nowMs());
  const idsOf = (some: typeof letters) => some.map(({ id }) => id);
  return { ok: true, value: { replayed: idsOf(letters), late: idsOf(letters.filter(({ isLate }) => isLate)) } };
}

/** Ends the wait of dead letters for somebody: they stay in the timeline, and nothing brings them back. */
export function discard(
  which: Which,
  dryRun: boolean,
  { cache, store }: Pick<TicketDeps, "cache" | "store">,
): Result<string[], UnknownTicket> {
  if (!cache.ticket) return UNKNOWN_TICKET;
  const ids = LANES.flatMap((lane) => {
    const letters = wanted(lane, which, store);
    if (!dryRun)
      cache.discard(
        lane,
        letters.map(({ sequence }) => sequence),
      );
    return letters.map(({ id }) => id);
  });
  return { ok: true, value: ids };
}

function wanted(
  lane: LaneName,
  which: Which,
  store: TicketDeps["store"],
): ReturnType<TicketDeps["store"]["readDeadLetters"]> {
  const { filter = {} } = which;
  const letters = (filter.lane ?? lane) === lane ? store.readDeadLetters(lane, filter) : [];
  const ids = "ids" in which ? new Set(which.ids) : undefined;
  return letters.filter(({ id }) => ids?.has(id) ?? true);
}
