import type { TicketRow, Walk } from "./schema";

/**
 * The walk over all tickets, for those that nothing else will touch: a quiet one whose retention has run out, and one whose
 * alarm was lost before the index heard that anything waits. A piece of it with each sweep, a round a day. Pure.
 */

const DAY_MS = 24 * 3600_000;
export const ROWS_PER_WALK = 4000;

type Passed = Pick<TicketRow, "id" | "ticketNumber" | "toldAtMs" | "state">;

/** Between two rounds there is nothing to read. */
export const isResting = ({ afterId, startedAtMs }: Walk, nowMs: number): boolean =>
  afterId === 0 && startedAtMs + DAY_MS > nowMs;

/**
 * Whom to touch of those passed, at most `most`, and where to go on. A closed ticket ends by itself when its retention has
 * run out; only one that is still there `closedMs` after it was heard of is touched.
 */
export function walkOn(
  walk: Walk,
  passed: readonly Passed[],
  { nowMs, closedMs, most }: { nowMs: number; closedMs: number; most: number },
): { touch: Passed[]; walk: Walk } {
  const isStale = ({ state, toldAtMs }: Passed) => toldAtMs + (state === "closed" ? closedMs : DAY_MS) < nowMs;
  const touch = passed.filter(isStale).slice(0, most + 1);
  const tooMany = touch.length > most ? touch.pop() : undefined;
  const startedAtMs = walk.afterId === 0 ? nowMs : walk.startedAtMs;
  const isOver = !tooMany && passed.length < ROWS_PER_WALK;
  // The one too many is the first of the next piece.
  const afterId = isOver ? 0 : tooMany ? tooMany.id - 1 : (passed.at(-1)?.id ?? 0);
  return { touch, walk: { afterId, startedAtMs } };
}
