import type { Outcome } from "../../../src/egress/outcome";
import type { LaneName } from "../../../src/model/answers";
import type { Which } from "../../../src/model/timeline";
import { newMessageId } from "../../../src/lib/message-id";
import { accept, type NewEvent } from "../../../src/ticket/accept";
import { AlarmClock } from "../../../src/ticket/alarm";
import { TicketCache } from "../../../src/ticket/cache";
import { CloseEcho } from "../../../src/ticket/close-echo";
import type { TicketDeps } from "../../../src/ticket/deps";
import { wake } from "../../../src/ticket/drain";
import { nextStep, type Lane } from "../../../src/ticket/lane";
import { RecentBodies } from "../../../src/ticket/recent-bodies";
import { RecentKeys } from "../../../src/ticket/recent-keys";
import type { PauseState } from "../../../src/model/pause";
import { applyPause, retryNow } from "../../../src/ticket/handles";
import { discard, replay } from "../../../src/ticket/replay";
import type { DeliveryPolicy } from "../../../src/ticket/retry";
import type { TicketStore } from "../../../src/ticket/store";
import type { StoredText } from "../../../src/tenants/texts";
import { Waiters } from "../../../src/ticket/waiters";
import { MemoryRows } from "./lane.rows";

/**
 * A ticket without its runtime. What runs here is the code of the object itself: accept.ts, drain.ts, replay.ts and all below
 * them. The world around it is played: the clock, the alarm, and far ends that answer when the test says so.
 */

type Flight = {
  sequence: number;
  attempt: number;
  keep: (conversation: unknown) => void;
  end: (ended: Awaited<ReturnType<TicketDeps["deliver"]>>) => void;
};

export const OWNER = "owner";
export const TICKET = "ticket";
export const FAR_END = "https://desk.example";

// The runtime of Workers has it, and Node 24 not yet.
Object.assign(Uint8Array.prototype, {
  toBase64(this: Uint8Array) {
    return btoa(String.fromCharCode(...this));
  },
});

/** In place of a seal: bytes that can be read. */
const sealed = (text: string): ArrayBuffer => new Uint8Array(new TextEncoder().encode(text)).buffer;
export const unsealed = (stored: StoredText | undefined): string =>
  typeof stored === "string" ? stored : new TextDecoder().decode(stored);

const texts: TicketDeps["texts"] = {
  seal: async (_ticket, _place, text) => sealed(text),
  sealEvent: async (_ticket, _place, event) => ({
    event: sealed(JSON.stringify(event)),
    digest: JSON.stringify(event),
  }),
  open: async (_ticket, _place, stored) => ({ ok: true, value: unsealed(stored) }),
};

export class World {
  nowMs = Date.UTC(2026, 0, 1);
  policy: DeliveryPolicy = { maxAgeSeconds: 60, whenExhausted: "advance" };
  notifyFailures = false;
  random = 0.5;
  /** Makes the next outcome one that cannot be written. */
  failsToRecord = false;
  readonly store: TicketStore;
  /** The alarm is kept by the platform, so it outlives a crash. */
  alarmAtMs: number | null = null;
  /** What the far ends have been sent, and not answered. */
  flights: Partial<Record<LaneName, Flight>> = {};
  /** What the tenant's index has said of each lane, the newest last. */
  readonly states: Record<LaneName, PauseState[]> = { toDesk: [], toDolphins: [] };
  /** Whether nothing was left to begin in the turn in which an outcome was written. */
  #isSettled: boolean | undefined;
  /** What a crash takes away. */
  deps: TicketDeps;

  constructor(store: TicketStore = new MemoryRows() as Partial<TicketStore> as TicketStore) {
    this.store = store;
    const save = store.saveOutcome.bind(store);
    store.saveOutcome = (...outcome) => {
      if (this.failsToRecord) throw new Error("the disk is full");
      save(...outcome);
      queueMicrotask(() => {
        this.#isSettled = nextStep(this.lane(outcome[0]), this.nowMs).do !== "deliver";
      });
    };
    this.deps = this.#start();
  }

  lane(lane: LaneName): Lane {
    return this.deps.cache.lane(lane);
  }

  accept(said: Pick<NewEvent, "lane" | "kind"> & Partial<NewEvent> & { event: string }): ReturnType<typeof accept> {
    const known = { owner: OWNER, ticketNumber: TICKET, deskId: "desk", channel: "whatsapp", contactId: "c" };
    const request = { id: newMessageId(), isAgain: false, idempotencyKey: undefined, fromWebhook: false };
    const whole = { ...known, ...request, customerName: "n", ...said, event: sealed(said.event), digest: said.event };
    return accept(whole, this.deps);
  }

  /** The far end of a lane answers. Says whether in that very turn the next attempt began, if one was due. */
  async end(lane: LaneName, outcome: Outcome, conversation?: unknown): Promise<boolean> {
    const flight = this.flights[lane];
    if (!flight) throw new Error("nothing is under way");
    delete this.flights[lane];
    if (conversation !== undefined) flight.keep(conversation);
    flight.end({
      outcome,
      policy: this.policy,
      notifyFailures: lane === "toDolphins" && this.notifyFailures,
      hasReceipts: false,
    });
    this.#isSettled = undefined;
    // What is recorded of an attempt is sealed first, which takes some turns.
    const isUnderWay = () => this.lane(lane).inFlight === flight.sequence;
    for (let turns = 0; turns < 40 && isUnderWay(); turns++) await Promise.resolve();
    await Promise.resolve();
    this.failsToRecord = false;
    return this.#isSettled ?? nextStep(this.lane(lane), this.nowMs).do !== "deliver";
  }

  replay(which: Which): ReturnType<typeof replay> {
    const replayed = replay(which, false, this.deps);
    wake(this.deps, this.nowMs);
    return replayed;
  }

  discard(which: Which): ReturnType<typeof discard> {
    return discard(which, false, this.deps);
  }

  retry(lanes: readonly LaneName[], evenBeforeRetryAfter: boolean): number {
    return retryNow(lanes, evenBeforeRetryAfter, this.deps);
  }

  /** The tenant's index has a lane paused, or not any more. No ticket knows of it yet. */
  turn(lane: LaneName, isPaused: boolean): void {
    const { states } = this;
    const pause = isPaused ? { pause: { sinceMs: this.nowMs, reason: "maintenance" } } : {};
    states[lane].push({ atMs: 1 + (states[lane].at(-1)?.atMs ?? 0), ...pause });
  }

  applyPause(lane: LaneName, state: PauseState): void {
    applyPause(lane, state, this.deps);
    wake(this.deps, this.nowMs);
  }

  /** The attempt under way finds its lane paused, before anything is sent. */
  async hold(lane: LaneName, held: PauseState): Promise<void> {
    const flight = this.flights[lane];
    if (!flight) throw new Error("nothing is under way");
    delete this.flights[lane];
    flight.end({ held });
    await Promise.resolve();
  }

  /** Time passes. The alarm rings if its time has come; says whether it did. */
  pass(untilMs: number): boolean {
    this.nowMs = untilMs;
    if (this.alarmAtMs === null || this.alarmAtMs > untilMs) return false;
    this.alarmAtMs = null;
    this.deps.alarm.rang(untilMs);
    wake(this.deps, untilMs);
    return true;
  }

  /** Somebody looks at the ticket, which makes sure of its alarm and starts what is due. */
  async rearm(): Promise<void> {
    await this.deps.alarm.verify();
    wake(this.deps, this.nowMs);
  }

  /** Settled messages that are old enough go. */
  prune(olderThanMs: number): void {
    this.deps.cache.expire(this.nowMs - olderThanMs, 100);
  }

  /** All memory goes; what was written stays. */
  async crash(): Promise<void> {
    this.flights = {};
    this.deps = this.#start();
    this.deps.cache.load();
    await this.deps.alarm.verify();
  }

  #start(): TicketDeps {
    const alarmStorage = {
      getAlarm: async () => this.alarmAtMs,
      setAlarm: async (atMs: number | Date) => {
        this.alarmAtMs = Number(atMs);
      },
    };
    return {
      store: this.store,
      cache: new TicketCache(this.store),
      alarm: new AlarmClock(alarmStorage, this.nowMs),
      waiters: new Waiters(),
      recentBodies: new RecentBodies(),
      recentKeys: new RecentKeys(),
      closeEcho: new CloseEcho(),
      mapping: { writeIfDue: () => undefined, dueMs: () => Number.POSITIVE_INFINITY },
      reporter: {
        settled: () => undefined,
        reportIfDue: () => undefined,
        dueMs: () => Number.POSITIVE_INFINITY,
        forget: async () => undefined,
        end: async () => undefined,
      },
      texts,
      directory: { policy: async () => undefined, unmapTicket: async () => undefined, forgetTenant: () => undefined },
      deliver: (_ticket, lane, { sequence, attempt }, _read, kept) => {
        if (this.flights[lane]) throw new Error(`two attempts at once ${lane}`);
        const { promise, resolve } = Promise.withResolvers<Parameters<Flight["end"]>[0]>();
        const keep = (conversation: unknown) => kept.keep(FAR_END, conversation);
        this.flights[lane] = { sequence, attempt, keep, end: resolve };
        return promise;
      },
      sendReceipt: async () => undefined,
      receipts: {
        settled: () => false,
        startIfDue: () => undefined,
        dueMs: () => Number.POSITIVE_INFINITY,
        isShown: () => false,
        settling: async () => undefined,
      },
      askDesk: async () => undefined,
      unheard: { startIfDue: () => undefined, dueMs: () => Number.POSITIVE_INFINITY, heldUntilMs: () => 0 },
      nowMs: () => this.nowMs,
      random: () => this.random,
      waitUntil: () => undefined,
    };
  }
}
