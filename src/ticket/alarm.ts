/** An alarm this late was lost: the runtime fires them within milliseconds, or when the object next starts. */
const LATE_MS = 2_000;

/**
 * The object's one alarm. Setting it is a row written, so one that is early enough is left alone: it fires, and whoever
 * answers it sets the next. An object that goes quiet pays for one; a steady stream, for one every few seconds.
 */
export class AlarmClock {
  readonly #storage: DurableObjectStorage;
  /** What this instance believes the alarm is set for. */
  #setForMs: number | null = null;

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
  }

  /** Sees to it that an alarm stands at `dueMs` or before. */
  ensure(dueMs: number, nowMs: number): void {
    if (dueMs === Number.POSITIVE_INFINITY) return;
    if (this.#setForMs !== null && this.#setForMs <= dueMs && this.#setForMs > nowMs - LATE_MS) return;
    this.#setForMs = dueMs;
    // Not awaited: it is part of this turn's commit, and the output gate holds every answer until that is durable.
    void this.#storage.setAlarm(dueMs);
  }
}
