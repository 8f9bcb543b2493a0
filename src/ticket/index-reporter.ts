import { isRecent, isWaiting } from "../lib/clock";
import { errorText, log } from "../lib/log";
import { ENDED, type Snapshot } from "../model/ticket-report";
import type { LaneName } from "../model/answers";
import { LANES } from "../model/timeline";
import type { TenantIndex } from "../tenant-index/tenant-index";
import type { TicketCache } from "./cache";
import { headOf, notBeforeMsOf, type Lane } from "./lane";
import {
  differs,
  headsOf,
  isBehind,
  isUrgent,
  isWorthReporting,
  minutesOf,
  snapshotOf,
  WAITING_MS,
  type Counted,
  type LastReport,
} from "./report-policy";
import type { TicketRow } from "./schema";
import type { TicketStore } from "./store";

/** Between two reports, however much happens. */
const GAP_MS = 2_000;
/** Between two reports that are made because an operator looks at the ticket. */
const SEEN_GAP_MS = 10_000;
const FIRST_RETRY_MS = 10_000;
const LONGEST_RETRY_MS = 300_000;
/** An index that has not answered by now counts as one that did not get the report. */
const ANSWER_MS = 10_000;
const LONGEST_WATCH_MS = 600_000;
/** With more new messages than this in a lane, their rows are not read. The index counts them all in the minute of the report. */
const MOST_COUNTED = 500;

type Settled = Record<LaneName, { from: number; to: number }>;
const NONE = { from: Number.POSITIVE_INFINITY, to: 0 };
const NOTHING_SETTLED: Settled = { toDesk: NONE, toDolphins: NONE };

type ReporterDeps = {
  cache: TicketCache;
  store: TicketStore;
  indexOf: (owner: string) => DurableObjectStub<TenantIndex>;
  waitUntil: (promise: Promise<void>) => void;
  /** Called when a report has ended: another may be due, or this one has to be made again. */
  ended: () => void;
  /** Called when the index does not take the ticket, because it should be no more. */
  refused: () => void;
};

/** What makes a ticket ask whether a report is due. `seen`: an operator looks at the ticket. */
type Trigger = "settled" | "awake" | "seen" | "swept";

/**
 * Reports the ticket's condition to its tenant's index, one report at a time. The ticket never waits for it. A report that
 * was lost is made again, because what the index acknowledged stands in the ticket's row.
 */
export class IndexReporter {
  readonly #deps: ReporterDeps;
  #parsed: { text: string; value: LastReport } | undefined;
  #underWay: Promise<void> | undefined;
  /** No report is made before this time, unless a sweep asks for it. */
  #notBeforeMs = 0;
  #failures = 0;
  /** The time of the newest report that the index has. An earlier instance may have made it, by a clock that was ahead. */
  #acknowledgedMs = 0;
  #isRefused = false;
  /** What was settled since the last report was made; undefined while only the rows say that. */
  #settled: Settled | undefined;

  constructor(deps: ReporterDeps) {
    this.#deps = deps;
  }

  /** A message has been delivered, or is dead. */
  settled(lane: LaneName, sequence: number): void {
    if (!this.#settled) return;
    const { from, to } = this.#settled[lane];
    this.#settled = { ...this.#settled, [lane]: { from: Math.min(from, sequence), to: Math.max(to, sequence) } };
  }

  /** Starts a report, if one is due for this trigger. */
  reportIfDue(trigger: Trigger, nowMs: number): void {
    const { cache, waitUntil } = this.#deps;
    const { ticket } = cache;
    if (!ticket || this.#underWay || (this.#isHeld(nowMs) && trigger !== "swept")) return;
    const last = this.#lastReport(ticket);
    const isFollowed = trigger === "awake" && isWatched(last, nowMs) && isBehind(last, cache.lane);
    const isDueNow = isFollowed || isUrgent(last, ticket, cache.lane);
    if (!isDueNow && (trigger === "settled" || (trigger === "seen" && !isOlder(last, nowMs)))) return;
    const now = this.#snapshot(ticket, last, nowMs);
    // When the clock was set back, nothing says how long ago the last report was.
    const isWorthIt = trigger === "awake" && (last?.atMs ?? 0) <= nowMs ? isWorthReporting : differs;
    if (!isDueNow && !isWorthIt(last, now)) return;
    this.#isRefused = false;
    this.#underWay = this.#report(ticket.owner, last, now).finally(() => {
      this.#underWay = undefined;
      if (this.#isRefused) this.#deps.refused();
      this.#deps.ended();
    });
    waitUntil(this.#underWay);
  }

  /** Reports any difference there is, and returns when the index has answered. */
  async reportAnyDifference(): Promise<void> {
    await this.#underWay;
    this.reportIfDue("swept", Date.now());
    await this.#underWay;
  }

  /** Reports any difference there is, and within seconds whatever happens until then. */
  async watch(untilMs: number): Promise<void> {
    await this.reportAnyDifference();
    const { cache } = this.#deps;
    const last = cache.ticket && this.#lastReport(cache.ticket);
    if (last) cache.change({ lastReport: JSON.stringify({ ...last, watchedUntilMs: untilMs } satisfies LastReport) });
  }

  /** When an alarm has to ring for a report, epoch ms. Without it, nothing else may ask again. */
  dueMs(nowMs: number): number {
    const { cache } = this.#deps;
    const { ticket } = cache;
    // The report under way calls `ended`, and that asks again.
    if (!ticket || this.#underWay) return Number.POSITIVE_INFINITY;
    const last = this.#lastReport(ticket);
    const waits = last?.waitingSinceMs === undefined && LANES.some((name) => isHeldUp(cache.lane(name), nowMs));
    const isOwed =
      !last ||
      (isWatched(last, nowMs) && isBehind(last, cache.lane)) ||
      waits ||
      this.#failures > 0 ||
      isUrgent(last, ticket, cache.lane);
    if (!isOwed) return Number.POSITIVE_INFINITY;
    return this.#isHeld(nowMs) ? Math.max(nowMs + WAITING_MS, this.#notBeforeMs) : nowMs + WAITING_MS;
  }

  /** Resolves when no report of the ticket is under way, because it is to be deleted. */
  async end(): Promise<void> {
    await this.#underWay;
    this.#settled = undefined;
  }

  #isHeld(nowMs: number): boolean {
    return isWaiting(this.#notBeforeMs, nowMs, LONGEST_RETRY_MS);
  }

  /** Has the index forget the ticket. Throws when the index does not answer: the ticket must stay until it has. */
  async forget({ owner, ticketNumber }: TicketRow): Promise<void> {
    await this.#underWay;
    const forgotten = this.#deps.indexOf(owner).forget(ticketNumber);
    // No report may start meanwhile: it would bring the ticket back.
    this.#underWay = forgotten.then(ignore, ignore).then(() => (this.#underWay = undefined));
    await forgotten;
    this.#settled = undefined;
  }

  async #report(owner: string, last: LastReport | undefined, now: Snapshot): Promise<void> {
    const { cache, indexOf } = this.#deps;
    try {
      const minutes = LANES.flatMap((lane) => minutesOf(lane, this.#changedSince(last, now, lane), last));
      this.#settled = NOTHING_SETTLED;
      const heads = headsOf(cache.lane);
      const acknowledgedMs = await inTime(indexOf(owner).report({ ...now, minutes }));
      this.#isRefused = acknowledgedMs === ENDED;
      if (this.#isRefused) throw new Error("the index does not take the ticket");
      this.#acknowledgedMs = acknowledgedMs;
      if (this.#acknowledgedMs > now.atMs) throw new Error("the index has a later report");
      // As it is now: somebody may have begun to look meanwhile.
      const watchedUntilMs = cache.ticket && this.#lastReport(cache.ticket)?.watchedUntilMs;
      const watched = watchedUntilMs === undefined ? {} : { watchedUntilMs };
      cache.change({ lastReport: JSON.stringify({ ...now, heads, ...watched } satisfies LastReport) });
      this.#failures = 0;
      this.#notBeforeMs = Date.now() + GAP_MS;
    } catch (error) {
      const waitMs = Math.min(FIRST_RETRY_MS * 2 ** this.#failures, LONGEST_RETRY_MS);
      this.#failures++;
      this.#settled = undefined;
      this.#notBeforeMs = Date.now() + waitMs;
      log("index_report_failed", { owner, ticketNumber: now.ticketNumber, error: errorText(error) });
    }
  }

  /**
   * The messages that the last report does not have as they are: those settled since, and those accepted since. What lies
   * between the two is not read: of a thousand letters that are put back it would be read for each of them.
   */
  #changedSince(last: LastReport | undefined, now: Snapshot, lane: LaneName): Counted[] {
    const reported = last?.lanes[lane].accepted ?? 0;
    const { accepted } = now.lanes[lane];
    const { from, to } = this.#settled?.[lane] ?? { from: last?.heads[lane] ?? 1, to: reported };
    const ranges = [
      { from, to: Math.min(to, reported) },
      { from: reported + 1, to: accepted },
    ].filter((range) => range.from <= range.to);
    if (ranges.reduce((sum, range) => sum + range.to - range.from + 1, 0) > MOST_COUNTED) return [];
    return ranges.flatMap((range) => this.#deps.store.readCounted(lane, range.from, range.to));
  }

  #snapshot(ticket: TicketRow, last: LastReport | undefined, nowMs: number): Snapshot {
    const { cache, store } = this.#deps;
    const openedAtMs = last?.openedAtMs ?? cache.openedAtMs ?? store.oldestAcceptedAtMs() ?? nowMs;
    // The index takes no report that is older than the one it has.
    const atMs = Math.max(nowMs, (last?.atMs ?? 0) + 1, this.#acknowledgedMs + 1);
    const acceptedAtMs = store.readAcceptedAtMs.bind(store);
    return { ...snapshotOf(ticket, cache.lane, { nowMs, openedAtMs }, acceptedAtMs), atMs };
  }

  #lastReport({ lastReport }: TicketRow): LastReport | undefined {
    if (lastReport === null) return undefined;
    if (this.#parsed?.text !== lastReport) {
      this.#parsed = { text: lastReport, value: JSON.parse(lastReport) as LastReport };
    }
    return this.#parsed.value;
  }
}

/** Something waits in the lane, and nothing is under way for it. */
const isHeldUp = (lane: Lane, nowMs: number): boolean =>
  notBeforeMsOf(lane, nowMs) > nowMs || (lane.paused !== undefined && headOf(lane) !== undefined);

const ignore = () => undefined;

/** The round of asking that says so is made anew before ten minutes are over. */
const isWatched = (last: LastReport | undefined, nowMs: number): last is LastReport =>
  isWaiting(last?.watchedUntilMs ?? 0, nowMs, LONGEST_WATCH_MS);

const isOlder = (last: LastReport | undefined, nowMs: number): boolean =>
  last !== undefined && !isRecent(last.atMs, nowMs, SEEN_GAP_MS);

async function inTime<T>(answer: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("no answer in time")), ANSWER_MS);
  try {
    return await Promise.race([answer, promise]);
  } finally {
    clearTimeout(timer);
  }
}
