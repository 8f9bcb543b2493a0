import { errorText, log } from "../lib/log";
import { pooled } from "../lib/pool";
import type { LaneName, Paused } from "../model/answers";
import type { PauseState } from "../model/pause";
import { isoTime, LANES } from "../model/timeline";
import {
  afterPortion,
  afterStep,
  nextOfWave,
  retryOf,
  SOON_MS,
  waiting,
  waveOf,
  withJob,
  type Job,
  type LaneState,
  type Work,
} from "./jobs";
import type { IndexStore } from "./store";

/** Tickets of one alarm. The platform limits its requests, and reports come in meanwhile. */
const PORTION = 200;
const AT_ONCE = 20;
/** A ticket that could not be reached is asked again after this. */
const AGAIN_MS = 5_000;
/** A ticket that has reported within this may have something to send the next moment. */
const ACTIVE_MS = 3600_000;

const NEWEST = Number.MAX_SAFE_INTEGER;

type WorkDeps = {
  store: IndexStore;
  tickets: Env["TICKET"];
  /** Has the alarm ring at this time, or before. */
  ensureAlarm: (atMs: number) => Promise<void>;
};

/**
 * The pauses of a tenant, and what is under way with many of its tickets. It stands in one entry of the object's storage, read
 * once and written when it changes, so that an index with nothing to do pays nothing.
 */
export class IndexWork {
  readonly #deps: WorkDeps;
  #read: Work | undefined;
  /** Tickets that have recovered since the last step of a lane's wave. After a start nobody knows. */
  readonly #recovered: Partial<Record<LaneName, number>> = {};

  constructor(deps: WorkDeps) {
    this.#deps = deps;
  }

  /** As the record shows them. */
  paused(): Paused {
    const shown = LANES.flatMap((lane) => {
      const { pause, by = "" } = this.#work().pauses[lane] ?? {};
      return pause ? [[lane, { since: isoTime(pause.sinceMs), by, reason: pause.reason }]] : [];
    });
    return Object.fromEntries(shown) as Paused;
  }

  openLanes = (): LaneName[] => LANES.filter((lane) => !this.#work().pauses[lane]?.pause);

  /** A lane that is paused already keeps its time. */
  async pause(owner: string, lanes: readonly LaneName[], by: string, reason: string, nowMs: number): Promise<void> {
    for (const lane of lanes) {
      const before = this.#work().pauses[lane];
      const pause = { sinceMs: before?.pause?.sinceMs ?? nowMs, reason };
      const job: Job = { kind: "pause", lane, dueMs: nowMs + SOON_MS, beforeId: NEWEST };
      this.#turn(owner, { pause, by, atMs: laterThan(before, nowMs) }, job);
    }
    await this.#ensureAlarm();
  }

  async resume(owner: string, lanes: readonly LaneName[], nowMs: number): Promise<void> {
    for (const lane of lanes) {
      const before = this.#work().pauses[lane];
      if (!before?.pause) continue;
      this.#turn(owner, { atMs: laterThan(before, nowMs) }, { kind: "resume", lane, dueMs: nowMs + SOON_MS });
    }
    await this.#ensureAlarm();
  }

  /** For a ticket that is about to deliver and has seen a pause in the record. From now on it is told when that ends. */
  pauseFor(ticketNumber: string, lane: LaneName): PauseState {
    const { atMs, pause } = this.#work().pauses[lane] ?? { atMs: 0 };
    if (pause) this.#deps.store.keepHeld(lane, ticketNumber);
    return pause ? { atMs, pause } : { atMs };
  }

  /** Has all that waits tried, and says how many tickets that are. */
  async retry(owner: string, lanes: readonly LaneName[], nowMs: number, againAtMs?: number): Promise<number> {
    if (!this.#deps.store.exists()) return 0;
    const open = lanes.filter((lane) => this.openLanes().includes(lane));
    const count = this.#deps.store.countWaiting(open);
    // Even with none: whoever has just begun to wait is not in the list yet.
    for (const lane of open) this.#add(owner, retryOf(lane, nowMs, againAtMs));
    await this.#ensureAlarm();
    return count;
  }

  /** A ticket that waited has delivered again. So may the others, and there is one wave for all of them. */
  async recovered(owner: string, lanes: readonly LaneName[], nowMs: number): Promise<void> {
    for (const lane of lanes) {
      this.#recovered[lane] = (this.#recovered[lane] ?? 0) + 1;
      const isUnderWay = this.#work().jobs.some((job) => job.kind === "wave" && job.lane === lane);
      if (isUnderWay || !this.openLanes().includes(lane)) continue;
      if (this.#deps.store.countWaiting([lane]) === 0) continue;
      this.#add(owner, waveOf(lane, nowMs));
    }
    await this.#ensureAlarm();
  }

  forget(ticketNumber: string): void {
    for (const lane of LANES) if (this.#work().pauses[lane]) this.#deps.store.releaseHeld(lane, ticketNumber);
  }

  /** When the alarm has to ring for the next of the jobs, epoch ms. */
  dueMs = (): number => Math.min(...this.#work().jobs.map(({ dueMs }) => dueMs), Number.POSITIVE_INFINITY);

  /** Does a portion of the job that is due first: one job an alarm, for the limit on requests is on all of them. */
  async run(nowMs: number): Promise<void> {
    const [job] = this.#work().jobs.toSorted((a, b) => a.dueMs - b.dueMs);
    if (!job || job.dueMs > nowMs) return;
    const after = await this.#step(job, nowMs);
    const { jobs } = this.#work();
    // Somebody may have ended it meanwhile, or begun it anew.
    if (!jobs.includes(job)) return;
    const others = jobs.filter((one) => one !== job);
    this.#save({ ...this.#work(), jobs: after ? [...others, after] : others });
  }

  async #step(job: Job, nowMs: number): Promise<Job | undefined> {
    const { store } = this.#deps;
    const { lane } = job;
    switch (job.kind) {
      case "pause": {
        const tickets = store.readReachable(job.beforeId, nowMs - ACTIVE_MS, PORTION);
        // Of a pause before, which may be ending at them just now.
        const held = job.beforeId === NEWEST ? store.readHeld(lane, PORTION) : [];
        // Whom it cannot reach sees the record before it delivers.
        await this.#hold(lane, [...held, ...tickets]);
        const last = tickets.at(-1);
        return last && { ...job, beforeId: last.id, dueMs: nowMs + SOON_MS };
      }
      case "resume": {
        const tickets = store.readHeld(lane, PORTION);
        const failed = await this.#release(lane, tickets);
        return tickets.length === 0 ? undefined : { ...job, dueMs: nowMs + (failed > 0 ? AGAIN_MS : SOON_MS) };
      }
      case "retry": {
        const tickets = store.readWaiting(lane, job.after, job.startedAtMs, PORTION);
        await this.#try(job, tickets);
        return afterPortion(job, tickets.at(-1), tickets.length === PORTION, nowMs);
      }
      case "wave": {
        const next = nextOfWave(job, this.#recovered[lane] ?? 1, nowMs);
        if (next === "wait") return waiting(job, nowMs);
        const tickets = next === "end" ? [] : store.readWaiting(lane, job.after, job.startedAtMs, job.size);
        const last = tickets.at(-1);
        this.#recovered[lane] = 0;
        return last && afterStep(job, last, await this.#try(job, tickets), nowMs);
      }
    }
  }

  /** How many of them have tried. Only an operator's word goes before a `Retry-After`. */
  async #try({ kind, lane }: Job, tickets: readonly { ticketNumber: string }[]): Promise<number> {
    let tried = 0;
    await this.#each(tickets, async (ticket) => {
      const answer = await ticket.retry([lane], kind === "retry");
      tried += answer.ok ? answer.value : 0;
    });
    if (tickets.length > 0) log("tried_again", { owner: this.#work().owner, lane, by: kind, tickets: tried });
    return tried;
  }

  async #hold(lane: LaneName, tickets: readonly { ticketNumber: string }[]): Promise<void> {
    const state = this.#stateOf(lane);
    for (const { ticketNumber } of tickets) this.#deps.store.keepHeld(lane, ticketNumber);
    await this.#each(tickets, async (ticket, ticketNumber) => {
      const isThere = await ticket.applyPause(lane, state);
      if (!isThere) this.#deps.store.releaseHeld(lane, ticketNumber);
    });
  }

  #release(lane: LaneName, tickets: readonly { ticketNumber: string }[]): Promise<number> {
    const state = this.#stateOf(lane);
    return this.#each(tickets, async (ticket, ticketNumber) => {
      await ticket.applyPause(lane, state);
      // It may have been paused again meanwhile.
      if (this.#stateOf(lane).atMs === state.atMs) this.#deps.store.releaseHeld(lane, ticketNumber);
    });
  }

  /** Asks them all, and says how many could not be reached. */
  async #each(
    tickets: readonly { ticketNumber: string }[],
    ask: (ticket: ReturnType<WorkDeps["tickets"]["getByName"]>, ticketNumber: string) => Promise<void>,
  ): Promise<number> {
    const { owner } = this.#work();
    let failed = 0;
    await pooled(tickets, AT_ONCE, async ({ ticketNumber }) => {
      try {
        await ask(this.#deps.tickets.getByName(JSON.stringify([owner, ticketNumber])), ticketNumber);
      } catch (error) {
        failed++;
        log("wake_failed", { owner, ticketNumber, error: errorText(error) });
      }
    });
    return failed;
  }

  #stateOf(lane: LaneName): PauseState {
    const { atMs, pause } = this.#work().pauses[lane] ?? { atMs: 0 };
    return pause ? { atMs, pause } : { atMs };
  }

  /** A lane's pause begins or ends, and with it all else that is under way in the lane. */
  #turn(owner: string, state: LaneState, job: Job): void {
    const { pauses, jobs } = this.#work();
    const others = jobs.filter(({ lane }) => lane !== job.lane);
    this.#save({ owner, pauses: { ...pauses, [job.lane]: state }, jobs: [...others, job] });
  }

  #add(owner: string, job: Job): void {
    const { pauses, jobs } = this.#work();
    this.#save({ owner, pauses, jobs: withJob(jobs, job) });
  }

  #work(): Work {
    return (this.#read ??= this.#deps.store.readWork() ?? { owner: "", pauses: {}, jobs: [] });
  }

  #save(work: Work): void {
    this.#deps.store.saveWork(work);
    this.#read = work;
  }

  async #ensureAlarm(): Promise<void> {
    const dueMs = this.dueMs();
    if (dueMs < Number.POSITIVE_INFINITY) await this.#deps.ensureAlarm(dueMs);
  }
}

/** The clock may be set back, and the later of two states counts. */
const laterThan = (before: LaneState | undefined, nowMs: number): number => Math.max(nowMs, (before?.atMs ?? 0) + 1);
