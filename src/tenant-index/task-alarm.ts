import { isWaiting } from "../lib/clock";

const DUE = "due";
/** An alarm that is this late was lost; and one further ahead was set by another clock. */
const LATE_MS = 2_000;
const LONGEST_MS = 24 * 3600_000;

/** What the index has to do at a time of its own. */
export type Task = "jobs";
type Due = Partial<Record<Task, number>>;

/** The object's one alarm, for several tasks: it rings when the first of them is due. When each is due outlasts a crash. */
export class TaskAlarm {
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** Has a task done at `atMs`. A time that stood for it before counts no more. */
  async at(task: Task, atMs: number): Promise<void> {
    this.#storage.kv.put<Due>(DUE, { ...this.#due(), [task]: atMs });
    await this.ensure(atMs);
  }

  /** Makes sure that the alarm rings at `atMs` or before. */
  async ensure(atMs: number): Promise<void> {
    if (atMs === Number.POSITIVE_INFINITY) return;
    const standsMs = await this.#storage.getAlarm();
    const stands = standsMs !== null && standsMs <= atMs && isWaiting(standsMs, Date.now() - LATE_MS, LONGEST_MS);
    if (!stands) await this.#storage.setAlarm(Math.min(atMs, this.nextMs()));
  }

  /** The tasks that are due. Each stays due until it has another time, or is done. */
  dueTasks(nowMs: number): Task[] {
    const due = this.#due();
    return (Object.keys(due) as Task[]).filter((task) => (due[task] ?? 0) <= nowMs);
  }

  done(task: Task): void {
    const { [task]: _, ...others } = this.#due();
    this.#storage.kv.put<Due>(DUE, others);
  }

  /** When the first task is due, epoch ms. */
  nextMs = (): number => Math.min(...Object.values(this.#due()), Number.POSITIVE_INFINITY);

  #due = (): Due => this.#storage.kv.get<Due>(DUE) ?? {};
}
