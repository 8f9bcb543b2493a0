import type { LaneName } from "../model/answers";

/** These are kept in memory alone, and only for a flag: after a restart a repeat may go unflagged. */
const WINDOW_MS = 10_000;
const MOST = 50;

/** Recognises a body that came within the last 10 seconds already, in the same direction. */
export class RecentBodies {
  /** Oldest first. They are few, so comparing them is faster than a map, which would have to hash each body. */
  readonly #seen: { lane: LaneName; body: string; atMs: number }[] = [];

  /** Whether this body has come already. From now on it has. */
  see(lane: LaneName, body: string, nowMs: number): boolean {
    const seen = this.#seen;
    while (seen[0] && (seen[0].atMs <= nowMs - WINDOW_MS || seen.length > MOST)) seen.shift();
    const known = seen.findIndex((one) => one.lane === lane && one.body === body);
    if (known >= 0) seen.splice(known, 1);
    seen.push({ lane, body, atMs: nowMs });
    return known >= 0;
  }
}
