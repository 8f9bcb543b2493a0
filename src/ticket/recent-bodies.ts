import { isRecent } from "../lib/clock";
import type { LaneName } from "../model/answers";

/** These are kept in memory alone, and only for a flag: after a restart a repeat may go unflagged. */
const WINDOW_MS = 10_000;
const MOST = 50;

/** Recognises, by its digest, a body that came within the last 10 seconds already, in the same direction. */
export class RecentBodies {
  /** Oldest first. */
  readonly #seen: { lane: LaneName; digest: string; atMs: number }[] = [];

  /** Whether this body has come already. */
  has(lane: LaneName, digest: string, nowMs: number): boolean {
    const seen = this.#seen;
    while (seen[0] && (!isRecent(seen[0].atMs, nowMs, WINDOW_MS) || seen.length > MOST)) seen.shift();
    return this.#indexOf(lane, digest) >= 0;
  }

  /** It has come now, and been stored. */
  add(lane: LaneName, digest: string, nowMs: number): void {
    const known = this.#indexOf(lane, digest);
    if (known >= 0) this.#seen.splice(known, 1);
    this.#seen.push({ lane, digest, atMs: nowMs });
  }

  #indexOf(lane: LaneName, digest: string): number {
    return this.#seen.findIndex((one) => one.lane === lane && one.digest === digest);
  }
}
