import { isRecent } from "../lib/clock";
import type { Scan, TicketRow } from "./schema";

/**
 * The scan over all tickets, for those that nothing else wakes: a quiet one whose retention has run out, and one whose alarm
 * was lost before it could report that anything waits. Each sweep scans a part, and a round takes at least a day. Pure.
 */

const DAY_MS = 24 * 3600_000;
export const ROWS_PER_SCAN = 4000;

type Scanned = Pick<TicketRow, "id" | "ticketNumber" | "toldAtMs" | "state">;

/** A round that is over rests until its day is. */
export const isResting = ({ afterId, startedAtMs }: Scan, nowMs: number): boolean =>
  afterId === 0 && isRecent(startedAtMs, nowMs, DAY_MS);

/**
 * Which of the scanned tickets to wake, at most `most`, and where to go on. A closed ticket ends by itself when its retention
 * has run out, so it is woken only when it is still there `closedMs` after its last report.
 */
export function scanOn(
  scan: Scan,
  scanned: readonly Scanned[],
  { nowMs, closedMs, most }: { nowMs: number; closedMs: number; most: number },
): { wake: Scanned[]; scan: Scan } {
  const isStale = ({ state, toldAtMs }: Scanned) => toldAtMs + (state === "closed" ? closedMs : DAY_MS) < nowMs;
  const wake = scanned.filter(isStale).slice(0, most + 1);
  const tooMany = wake.length > most ? wake.pop() : undefined;
  const startedAtMs = scan.afterId === 0 ? nowMs : scan.startedAtMs;
  const isOver = !tooMany && scanned.length < ROWS_PER_SCAN;
  // The one too many is the first of the next part.
  const afterId = isOver ? 0 : tooMany ? tooMany.id - 1 : (scanned.at(-1)?.id ?? 0);
  return { wake, scan: { afterId, startedAtMs } };
}
