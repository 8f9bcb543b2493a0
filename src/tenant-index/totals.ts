import type { TicketRow } from "./schema";

/** Sums over all tickets of a tenant. `waiting` is of those that have waited past 5 seconds. */
export type Totals = {
  open: number;
  closing: number;
  closed: number;
  waitingTickets: number;
  waitingMessages: number;
  deadTickets: number;
  deadMessages: number;
};

export const NOTHING: Totals = {
  open: 0,
  closing: 0,
  closed: 0,
  waitingTickets: 0,
  waitingMessages: 0,
  deadTickets: 0,
  deadMessages: 0,
};

type Counted = Pick<TicketRow, "state" | "waiting" | "dead" | "waitingSinceMs">;

const shareOf = (row: Counted | undefined): Totals => {
  if (!row) return NOTHING;
  const waits = row.waitingSinceMs !== null;
  return {
    ...NOTHING,
    [row.state]: 1,
    waitingTickets: waits ? 1 : 0,
    waitingMessages: waits ? row.waiting : 0,
    deadTickets: row.dead > 0 ? 1 : 0,
    deadMessages: row.dead,
  };
};

/** The sums after one ticket's row has become another; undefined for one that is not there. */
export function afterChange(totals: Totals, before: Counted | undefined, after: Counted | undefined): Totals {
  const [less, more] = [shareOf(before), shareOf(after)];
  const keys = Object.keys(NOTHING) as (keyof Totals)[];
  return Object.fromEntries(keys.map((key) => [key, totals[key] - less[key] + more[key]])) as Totals;
}
