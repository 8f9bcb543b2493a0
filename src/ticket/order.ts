import type { Order } from "../desks/desk";

/**
 * Where a desk's webhooks are jobs of their own, they may overtake each other. So one that may have come ahead of another lies
 * for a while, before its lane takes it. Pure.
 */

/** A message that its lane has not taken yet. Without a key it goes behind all that have one. */
export type Lying = Readonly<{ key: number | null; untilMs: number }>;

/** A younger reply was sent while the desk was at leisure: its webhooks come in order then. */
const FRESH_MS = 2_000;
const REPLY_LIES_MS = 2_000;
/** Longer than a reply, since the replies before it may all be behind it. */
const CLOSE_LIES_MS = 3_000;
export const LONGEST_LYING_MS = CLOSE_LIES_MS;

/**
 * Until when a message lies, epoch ms; undefined when the lane takes it at once. `highestKey` is that of those stored lately.
 * A fresh reply goes with those that lie ahead of it, for it would overtake them otherwise.
 */
export function lieUntilMs(
  order: Order,
  lying: readonly Lying[],
  highestKey: number,
  nowMs: number,
): number | undefined {
  if (order.key === null) return nowMs + CLOSE_LIES_MS;
  const replies = lying.flatMap(({ key, untilMs }) => (key === null ? [] : [{ key, untilMs }]));
  const highest = Math.max(highestKey, ...replies.map(({ key }) => key));
  if (order.ageMs > FRESH_MS || order.key < highest) return nowMs + REPLY_LIES_MS;
  return replies.length === 0 ? undefined : Math.max(...replies.map(({ untilMs }) => untilMs));
}
