import { isRecent } from "../lib/clock";
import type { LaneName } from "../model/answers";

/** These are kept in memory alone, and only for a flag: after a restart a repeat may go unflagged. */
const WINDOW_MS = 10_000;
const MOST = 50;

/** Recognises a body that came within the last 10 seconds already, in the same direction. */
export class RecentBodies {
  /** Oldest first. They are few, so comparing them is faster than a map, which would have to hash each body. */
  readonly #seen: { lane: LaneName; body: string; atMs: number }[] = [];

  /** Whether this body has come already. */
  has(lane: LaneName, body: string, nowMs: number): boolean {
    const seen = this.#seen;
    while (seen[0] && (!isRecent(seen[0].atMs, nowMs, WINDOW_MS) || seen.length > MOST)) seen.shift();
    return this.#indexOf(lane, body) >= 0;
  }

  /** It has come now, and been stored. */
  add(lane: LaneName, body: string, nowMs: number): void {
    const known = this.#indexOf(lane, body);
    if (known >= 0) this.#seen.splice(known, 1);
    this.#seen.push({ lane, body, atMs: nowMs });
  }

  #indexOf(lane: LaneName, body: string): number {
    return this.#seen.findIndex((one) => one.lane === lane && one.body === body);
  }
}
