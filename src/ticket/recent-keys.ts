import { isRecent } from "../lib/clock";

/** Kept in memory alone: after a restart only what still lies is known. */
const WINDOW_MS = 10_000;

/** The order keys of what was stored within the last 10 seconds. */
export class RecentKeys {
  /** Oldest first, and falling: what came before a higher one says nothing any more. */
  readonly #keys: { key: number; atMs: number }[] = [];

  /** The highest; less than any key when there is none. */
  highest(nowMs: number): number {
    while (this.#keys[0] && !isRecent(this.#keys[0].atMs, nowMs, WINDOW_MS)) this.#keys.shift();
    return this.#keys[0]?.key ?? Number.NEGATIVE_INFINITY;
  }

  add(key: number, nowMs: number): void {
    while ((this.#keys.at(-1)?.key ?? Number.POSITIVE_INFINITY) <= key) this.#keys.pop();
    this.#keys.push({ key, atMs: nowMs });
  }
}
