import { isRecent } from "../lib/clock";

/** An alarm that is this late was lost. The runtime fires alarms within milliseconds, or when the object next starts. */
const LATE_MS = 2_000;

/** While something is under way, the alarm stands at most this far ahead. */
const GUARD_MS = 8_000;
/** When something new begins, an alarm that stands less far ahead than this is moved on. */
const LEAST_GUARD_MS = 2_000;
/** For longer than this the alarm is not moved on, so that it rings in the end: retention is looked at only then. */
const LONGEST_QUIET_MS = 3600_000;

type AlarmStorage = Pick<DurableObjectStorage, "getAlarm" | "setAlarm">;

/**
 * The object's one alarm. To set it costs a row, and when it rings, that costs most of what a message does. So an alarm that
 * is early enough is left alone. One that only guards what is under way is moved on before it rings: then an object that goes
 * quiet pays for one alarm, and a steady stream pays for one row every few seconds.
 */
export class AlarmClock {
  readonly #storage: AlarmStorage;
  /** What this instance believes the alarm is set for. */
  #setForMs: number | null = null;
  /** The earliest time that it has to ring at. */
  #dueMs = Number.POSITIVE_INFINITY;
  /** When it last rang, or this instance began. */
  #rangAtMs: number;

  constructor(storage: AlarmStorage, nowMs: number) {
    this.#storage = storage;
    this.#rangAtMs = nowMs;
  }

  /** Reads what the alarm is really set for, since an alarm may get lost. */
  async verify(): Promise<void> {
    this.#setForMs = await this.#storage.getAlarm();
  }

  /** The alarm rang, so none is set. */
  rang(nowMs: number): void {
    this.#setForMs = null;
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#rangAtMs = nowMs;
  }

  /** Makes sure that an alarm rings at `dueMs` or before. */
  ensure(dueMs: number, nowMs: number): void {
    if (dueMs === Number.POSITIVE_INFINITY) return;
    this.#dueMs = Math.min(this.#dueMs, dueMs);
    if (!this.#standsBetween(nowMs - LATE_MS, dueMs)) this.#set(dueMs);
  }

  /**
   * Makes sure that an alarm rings soon after a crash would have stopped what is under way: it may wait for that long.
   * `hasJustBegun` says that nothing else was under way before. Then an alarm that guarded only that may be moved on.
   */
  guard(nowMs: number, hasJustBegun: boolean): void {
    const mayMove = hasJustBegun && isRecent(this.#rangAtMs, nowMs, LONGEST_QUIET_MS);
    const leastMs = mayMove ? Math.min(nowMs + LEAST_GUARD_MS, this.#dueMs) : 0;
    const mostMs = Math.min(nowMs + GUARD_MS, this.#dueMs);
    if (!this.#standsBetween(Math.max(leastMs, nowMs - LATE_MS), mostMs)) this.#set(mostMs);
  }

  #standsBetween(fromMs: number, untilMs: number): boolean {
    return this.#setForMs !== null && this.#setForMs >= fromMs && this.#setForMs <= untilMs;
  }

  #set(atMs: number): void {
    this.#setForMs = atMs;
    // This need not be awaited. It is part of this turn's commit, and the output gate holds every answer until that is durable.
    void this.#storage.setAlarm(atMs);
  }
}
