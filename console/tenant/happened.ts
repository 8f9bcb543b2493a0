import { LANES, type LaneName, type TicketSummary } from "../api/types";

/** What an event says in comparison with the one before about the same ticket. Pure. */

export type Change =
  | { kind: "delivered" | "dead" | "accepted" | "replayed"; lane: LaneName; count: number }
  | { kind: "opened" | "closing" | "closed" | "waits" | "flows" };

export function changesBetween(before: TicketSummary | undefined, after: TicketSummary): Change[] {
  if (!before) return firstChanges(after);
  const changes: Change[] = [];
  if (before.state !== after.state) changes.push({ kind: after.state === "open" ? "opened" : after.state });
  for (const lane of LANES) {
    const [was, is] = [before.lanes[lane], after.lanes[lane]];
    const counts: Change[] = [
      { kind: "accepted", lane, count: is.accepted - was.accepted },
      { kind: "delivered", lane, count: is.delivered - was.delivered },
      { kind: "dead", lane, count: is.dead - was.dead },
      { kind: "replayed", lane, count: was.dead - is.dead },
    ];
    changes.push(...counts.filter((change) => "count" in change && change.count > 0));
  }
  if (before.waitingSince === undefined && after.waitingSince !== undefined) changes.push({ kind: "waits" });
  if (before.waitingSince !== undefined && after.waitingSince === undefined) changes.push({ kind: "flows" });
  return changes;
}

/** How a ticket stands of which no event came before. */
function firstChanges({ lanes, state, waitingSince }: TicketSummary): Change[] {
  const dead = LANES.map((lane) => ({ kind: "dead", lane, count: lanes[lane].dead }) as const);
  return [
    { kind: state === "open" ? "opened" : state },
    ...dead.filter(({ count }) => count > 0),
    ...(waitingSince === undefined ? [] : [{ kind: "waits" } as const]),
  ];
}
