import type { LaneName } from "../model/timeline";

/** Kept in memory for a flag alone: after a restart a repeat may go unflagged. */
const WINDOW_MS = 10_000;
const MOST = 50;

/** Recognises a body that came within the last 10 seconds already, in the same direction. */
export class RecentBodies {
  /** Oldest first. So few are compared sooner than looked up, for which a body would have to be hashed. */
  readonly #seen: { lane: LaneName; body: string; atMs: number }[] = [];

  /** Whether this one did, and remembers it. */
  see(lane: LaneName, body: string, nowMs: number): boolean {
    const seen = this.#seen;
    while (seen[0] && (seen[0].atMs <= nowMs - WINDOW_MS || seen.length > MOST)) seen.shift();
    const known = seen.findIndex((one) => one.lane === lane && one.body === body);
    if (known >= 0) seen.splice(known, 1);
    seen.push({ lane, body, atMs: nowMs });
    return known >= 0;
  }
}
