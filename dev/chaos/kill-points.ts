/**
 * When a kill hurts most: a request is on its way to the relay, the relay has just answered 200, it has just answered 200 to
 * a Close, or a far end has just received a message.
 */
export type KillPoint = "asked" | "accepted" | "closed" | "received";

export class KillPoints {
  #awaited: { point: KillPoint; resolve: () => void } | undefined;

  /** Resolves the next time that this point is reached, in the turn in which it is. */
  async next(point: KillPoint): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#awaited = { point, resolve };
    await promise;
  }

  /** Says that a run has come to this point. Whoever waits for it has their turn before this returns. */
  async reached(point: KillPoint): Promise<void> {
    if (this.#awaited?.point !== point) return;
    this.#awaited.resolve();
    this.#awaited = undefined;
    await new Promise((resume) => setImmediate(resume));
  }
}
