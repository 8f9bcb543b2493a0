/** An alarm this late was lost: the runtime fires them within milliseconds, or when the object next starts. */
const LATE_MS = 2_000;

/** How far ahead the alarm stands for what is under way: at most, and at least when that began. */
const GUARD_MS = 8_000;
const LEAST_GUARD_MS = 2_000;
/** It is not moved on for longer than this: what is looked for when it rings, such as retention, has its turn. */
const LONGEST_QUIET_MS = 3600_000;

/**
 * The object's one alarm. Setting it is a row written, and an alarm that rings costs most of a message. So one that is early
 * enough is left alone, and one that only guards what is under way is moved on before it rings: an object that goes quiet
 * pays for one alarm, a steady stream for a row every few seconds.
 */
export class AlarmClock {
  readonly #storage: DurableObjectStorage;
  /** What this instance believes the alarm is set for. */
  #setForMs: number | null = null;
  /** The earliest time that it has to ring at. */
  #dueMs = Number.POSITIVE_INFINITY;
  #rangAtMs = Date.now();

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** Finds out what really stands: alarms get lost. */
  async verify(): Promise<void> {
    this.#setForMs = await this.#storage.getAlarm();
  }

  /** The alarm fired, so none stands. */
  fired(): void {
    this.#setForMs = null;
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#rangAtMs = Date.now();
  }

  /** Sees to it that an alarm rings at `dueMs` or before. */
  ensure(dueMs: number, nowMs: number): void {
    if (dueMs === Number.POSITIVE_INFINITY) return;
    this.#dueMs = Math.min(this.#dueMs, dueMs);
    if (!this.#standsBetween(nowMs - LATE_MS, dueMs)) this.#set(dueMs);
  }

  /**
   * Sees to it that an alarm stands for what is under way: how far ahead is how long that waits after a crash. `hasJustBegun`
   * says that nothing of it has waited, so that an alarm which is for nothing else need not ring yet.
   */
  guard(nowMs: number, hasJustBegun: boolean): void {
    const mayMove = hasJustBegun && nowMs < this.#rangAtMs + LONGEST_QUIET_MS;
    const leastMs = mayMove ? Math.min(nowMs + LEAST_GUARD_MS, this.#dueMs) : 0;
    const mostMs = Math.min(nowMs + GUARD_MS, this.#dueMs);
    if (!this.#standsBetween(Math.max(leastMs, nowMs - LATE_MS), mostMs)) this.#set(mostMs);
  }

  #standsBetween(fromMs: number, untilMs: number): boolean {
    return this.#setForMs !== null && this.#setForMs >= fromMs && this.#setForMs <= untilMs;
  }

  #set(atMs: number): void {
    this.#setForMs = atMs;
    // Not awaited: it is part of this turn's commit, and the output gate holds every answer until that is durable.
    void this.#storage.setAlarm(atMs);
  }
}
