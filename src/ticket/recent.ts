/** Kept in memory for a flag alone: after a restart a repeat may go unflagged. */
const WINDOW_MS = 10_000;
const MOST = 50;

/** Recognises a body that came within the last 10 seconds already. */
export class RecentBodies {
  /** Oldest first. */
  readonly #seenAtMs = new Map<string, number>();

  /** Whether this one did, and remembers it. */
  see(body: string, nowMs: number): boolean {
    for (const [known, atMs] of this.#seenAtMs) {
      if (atMs > nowMs - WINDOW_MS && this.#seenAtMs.size <= MOST) break;
      this.#seenAtMs.delete(known);
    }
    const seen = this.#seenAtMs.delete(body);
    this.#seenAtMs.set(body, nowMs);
    return seen;
  }
}
