/**
 * When a kill hurts most: a request is on its way to the relay, the relay just answered 200, it just answered 200 to a
 * Close, a far end just heard a message.
 */
export type Moment = "asked" | "accepted" | "closed" | "heard";

export class Moments {
  #waiting: { moment: Moment; resolve: () => void } | undefined;

  /** Resolves at the next such moment, in the turn in which it is marked. */
  async next(moment: Moment): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting = { moment, resolve };
    await promise;
  }

  /** Says that the moment is now. When somebody waits for it they get their turn before this returns. */
  async mark(moment: Moment): Promise<void> {
    if (this.#waiting?.moment !== moment) return;
    this.#waiting.resolve();
    this.#waiting = undefined;
    await new Promise((resume) => setImmediate(resume));
  }
}
