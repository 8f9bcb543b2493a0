import { errorText, log } from "../lib/log";
import type { Snapshot } from "../model/ticket-report";
import type { TenantIndex } from "../tenant-index/tenant-index";
import type { TicketImage } from "./cache";
import { notBeforeMsOf } from "./lane";
import {
  differs,
  headsOf,
  isNews,
  isWorthTelling,
  minutesOf,
  snapshotOf,
  WAITING_MS,
  type Told,
} from "./report-policy";
import type { TicketRow } from "./schema";
import type { TicketStore } from "./store";
import { LANES } from "../model/timeline";

/** Between two tellings, however much happens. */
const GAP_MS = 2_000;
/** Whoever looks at a ticket again and again has it told at most so often. */
const SEEN_GAP_MS = 10_000;
const FIRST_RETRY_MS = 10_000;
const LONGEST_RETRY_MS = 300_000;
/** An index that has not answered by now has not heard. */
const ANSWER_MS = 10_000;
/** More untold messages of a lane than this are not looked at one by one: they count in the minute they are told in. */
const MOST_COUNTED = 500;

type Dependencies = {
  image: TicketImage;
  store: TicketStore;
  indexes: DurableObjectNamespace<TenantIndex>;
  waitUntil: (promise: Promise<void>) => void;
  /** Something may be left to do, or to try again. */
  ended: () => void;
};

/** When it is that a ticket looks for something to tell; `seen` is when an operator looks at it. */
type Occasion = "settled" | "awake" | "seen" | "swept";

/**
 * Tells the tenant's index of its ticket: one telling at a time, and beside all else. The ticket never waits for it, and a
 * telling that was lost is made again, since what the index acknowledged stands in the ticket's row.
 */
export class Telling {
  readonly #to: Dependencies;
  #told: { text: string; value: Told } | undefined;
  #underWay: Promise<void> | undefined;
  /** Not before then is anything told. */
  #notBeforeMs = 0;
  #failures = 0;
  /** The index has heard a report of this time, maybe of an instance whose clock was ahead. */
  #heardMs = 0;

  constructor(dependencies: Dependencies) {
    this.#to = dependencies;
  }

  /** Tells what there is to tell on this occasion, if it is time to. */
  look(occasion: Occasion, nowMs: number): void {
    const { image, waitUntil } = this.#to;
    const { ticket } = image;
    if (!ticket || this.#underWay || (nowMs < this.#notBeforeMs && occasion !== "swept")) return;
    const told = this.#lastTold(ticket);
    const isUrgent = isNews(told, ticket, image.lane);
    if (!isUrgent && (occasion === "settled" || (occasion === "seen" && !wasToldBefore(told, nowMs)))) return;
    const now = this.#snapshot(ticket, told, nowMs);
    if (!isUrgent && !(occasion === "awake" ? isWorthTelling : differs)(told, now)) return;
    this.#underWay = this.#tell(ticket.owner, told, now).finally(() => {
      this.#underWay = undefined;
      this.#to.ended();
    });
    waitUntil(this.#underWay);
  }

  /** Tells whatever the index knows otherwise, and ends when it has. */
  async tellAll(): Promise<void> {
    await this.#underWay;
    this.look("swept", Date.now());
    await this.#underWay;
  }

  /** When an alarm must stand for what is to be told, epoch ms: no later look may come by itself. */
  dueMs(nowMs: number): number {
    const { image } = this.#to;
    const { ticket } = image;
    // One that is under way says when it has ended.
    if (!ticket || this.#underWay) return Number.POSITIVE_INFINITY;
    const told = this.#lastTold(ticket);
    const waits = told?.waitingSinceMs === undefined && LANES.some((name) => notBeforeMsOf(image.lane(name)) > nowMs);
    const isOwed = !told || waits || this.#failures > 0 || isNews(told, ticket, image.lane);
    return isOwed ? Math.max(nowMs + WAITING_MS, this.#notBeforeMs) : Number.POSITIVE_INFINITY;
  }

  /** Has the index forget the ticket. Throws when it does not hear: then the ticket must not go yet. */
  async forget({ owner, ticketNumber }: TicketRow): Promise<void> {
    await this.#underWay;
    const forgotten = this.#to.indexes.getByName(owner).forget(ticketNumber);
    // Nothing is told meanwhile that would bring it back.
    this.#underWay = forgotten.then(ignore, ignore).then(() => (this.#underWay = undefined));
    await forgotten;
  }

  async #tell(owner: string, told: Told | undefined, now: Snapshot): Promise<void> {
    const { image, store, indexes } = this.#to;
    try {
      const minutes = LANES.flatMap((lane) => {
        const from = Math.min(told?.heads[lane] ?? 1, (told?.lanes[lane].accepted ?? 0) + 1);
        const untold = now.lanes[lane].accepted + 1 - from;
        return untold === 0 || untold > MOST_COUNTED ? [] : minutesOf(lane, store.readCounted(lane, from), told);
      });
      const heads = headsOf(image.lane);
      this.#heardMs = await inTime(indexes.getByName(owner).report({ ...now, minutes }));
      if (this.#heardMs > now.atMs) throw new Error("a later report was heard");
      image.change({ told: JSON.stringify({ ...now, heads } satisfies Told) });
      this.#failures = 0;
      this.#notBeforeMs = Date.now() + GAP_MS;
    } catch (error) {
      const waitMs = Math.min(FIRST_RETRY_MS * 2 ** this.#failures, LONGEST_RETRY_MS);
      this.#failures++;
      this.#notBeforeMs = Date.now() + waitMs;
      log("telling_failed", { owner, ticketNumber: now.ticketNumber, error: errorText(error) });
    }
  }

  #snapshot(ticket: TicketRow, told: Told | undefined, nowMs: number): Snapshot {
    const { image, store } = this.#to;
    const openedAtMs = told?.openedAtMs ?? store.oldestAcceptedAtMs() ?? nowMs;
    const atMs = Math.max(nowMs, (told?.atMs ?? 0) + 1, this.#heardMs + 1);
    const acceptedAtMs = store.readAcceptedAtMs.bind(store);
    return { ...snapshotOf(ticket, image.lane, { nowMs, openedAtMs }, acceptedAtMs), atMs };
  }

  #lastTold({ told }: TicketRow): Told | undefined {
    if (told === null) return undefined;
    if (this.#told?.text !== told) this.#told = { text: told, value: JSON.parse(told) as Told };
    return this.#told.value;
  }
}

const ignore = () => undefined;

const wasToldBefore = (told: Told | undefined, nowMs: number): boolean =>
  told !== undefined && told.atMs + SEEN_GAP_MS <= nowMs;

async function inTime<T>(answer: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("no answer in time")), ANSWER_MS);
  try {
    return await Promise.race([answer, promise]);
  } finally {
    clearTimeout(timer);
  }
}
