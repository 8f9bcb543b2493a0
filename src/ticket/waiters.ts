/** The callers that wait, under `Prefer: wait`, for a message to end. */
export class Waiters {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Resolves when `wake` is called for this key, or after `timeoutMs`. */
  async until(key: string, timeoutMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    const others = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, others.add(resolve));
    await promise;
    clearTimeout(timer);
    others.delete(resolve);
    if (others.size === 0) this.#waiting.delete(key);
  }

  wake(key: string): void {
    for (const resolve of this.#waiting.get(key) ?? []) resolve();
  }
}
