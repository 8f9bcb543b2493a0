import { DurableObject } from "cloudflare:workers";
import { objectOf, readConfig } from "../config";
import { errorText, log } from "../lib/log";
import { pooled } from "../lib/pool";
import type { LaneName, Overview, Paused, TicketSummary } from "../model/answers";
import type { PauseState } from "../model/pause";
import { isoTime, LANES } from "../model/timeline";
import { Endings } from "./endings";
import { attribute, hourOf, minuteOf, oldestHour, shownMinutes, sumFrom, withAddition } from "./minutes";
import { ENDED, type Report } from "../model/ticket-report";
import { SOON_MS } from "./jobs";
import { recoveredLanes, rowOf, saysTheSame, type ConversationRow, type TicketRow } from "./schema";
import { percentilesOf } from "./percentiles";
import { IndexStore, type Overdue } from "./store";
import { summaryOf, ticketCursor, type Query, type TicketCursor } from "./summary";
import { afterChange, NOTHING, type Totals } from "./totals";
import { isResting, ROWS_PER_SCAN, scanOn } from "./scan";
import { Subscribers } from "./subscribers";
import { TicketJobs, type ErasedTicket } from "./ticket-jobs";
import { ACTIVE_MS, Watch } from "./watch";
import { IndexWork } from "./work";

const DAY_MS = 24 * 3600_000;
/** The runtime fires alarms within milliseconds, or when the object next starts. */
const LATE_MS = 2_000;
/** Of an attempt this late the alarm was lost, or the report. */
const OVERDUE_MS = 60_000;
/** No ticket plans its next attempt further ahead: it is as long as a retry waits at most. */
const LONGEST_WAIT_MS = 720_000;
/** In one sweep. The platform limits the requests of an invocation, and reports come in meanwhile. */
const MOST_WOKEN = 500;
const WOKEN_AT_ONCE = 10;
const PURGE = { kind: "purge" } as const;

/**
 * What a tenant's tickets have reported of themselves, for whoever asks about more than one. The tickets are the truth, and
 * this is what each reported last: nothing is delivered or refused because of it.
 */
export class TenantIndex extends DurableObject<Env> {
  readonly #store = new IndexStore(this.ctx.storage);
  readonly #ensureAlarm = async (atMs: number): Promise<void> => {
    // One that stands in the past was lost.
    const setForMs = (await this.ctx.storage.getAlarm()) ?? 0;
    if (setForMs <= Date.now() - LATE_MS || setForMs > atMs) await this.ctx.storage.setAlarm(atMs);
  };
  readonly #subscribers = new Subscribers(this.ctx, this.#ensureAlarm);
  readonly #newWork = () =>
    new IndexWork({ store: this.#store, tickets: this.env.TICKET, ensureAlarm: this.#ensureAlarm });
  #work = this.#newWork();
  readonly #endings = new Endings(this.ctx.storage.kv);
  readonly #jobs = new TicketJobs({
    kv: this.ctx.storage.kv,
    store: this.#store,
    ticketOf: (owner, ticketNumber) => this.#ticketOf(owner, ticketNumber),
    forget: ({ ticketNumber }) => this.forget(ticketNumber),
    wakeAt: this.#ensureAlarm,
    nowMs: () => Date.now(),
  });
  readonly #watch = new Watch();
  /** Summed up when first asked for and kept from then on. Every change to a row changes it in the same turn. */
  #totals: Totals | undefined;

  /** Takes a report and acknowledges it with the `atMs` of the newest one: a later time than its own says that it came too late. */
  async report(report: Report): Promise<number> {
    if (this.#endings.refuses(report)) return ENDED;
    this.#store.migrate();
    const before = this.#store.readTicket(report.ticketNumber);
    if (before && before.toldAtMs > report.atMs) return before.toldAtMs;
    const after = rowOf(before?.id ?? this.#store.freeId(report.openedAtMs), report);
    if (before && saysTheSame(after, before)) return report.atMs;
    if (before) this.#store.updateTicket(after);
    else this.#store.insertTicket(after);
    this.#count(before, report, Date.now());
    this.#changed(before, after);
    this.#subscribers.publish(() => ({ type: "ticket", ticket: summaryOf(after) }));
    this.ctx.waitUntil(this.#watch.told(after, Date.now()));
    const recovered = recoveredLanes(before, report);
    if (recovered.length > 0) await this.#work.recovered(this.#owner(), recovered, Date.now());
    return report.atMs;
  }

  /** Forgets a ticket that is no more. With `toldAtMs` only if it has not reported since. */
  async forget(ticketNumber: string, toldAtMs?: number): Promise<void> {
    if (!this.#store.exists()) return;
    this.#store.migrate();
    const row = this.#store.readTicket(ticketNumber);
    if (toldAtMs !== undefined && row?.toldAtMs !== toldAtMs) return;
    this.#store.deleteConversations(ticketNumber);
    if (!row) return;
    this.#store.deleteTicket(row.id);
    this.#work.forget(ticketNumber);
    this.#changed(row, undefined);
    this.#subscribers.publish(() => ({ type: "gone", ticketNumber }));
  }

  /** Has a name of a desk's conversation lead to a ticket, until that is forgotten. */
  async nameConversation(conversation: ConversationRow): Promise<void> {
    this.#store.migrate();
    this.#store.saveConversation(conversation);
  }

  /** The ticket that has given its conversation at this far end this name. */
  async ticketNamed(farEnd: string, name: string): Promise<{ ticketNumber: string; channel: string } | undefined> {
    if (!this.#store.exists()) return undefined;
    this.#store.migrate();
    return this.#store.readConversation(farEnd, name);
  }

  /** Somebody begins or goes on to look at the tenant. Returns at once; the tickets answer within seconds. */
  async look(owner: string): Promise<void> {
    if (!this.#store.exists()) return;
    const readActive = (sinceMs: number) => this.#store.readActive(sinceMs);
    const ask = (ticketNumber: string, untilMs: number) => this.#ticketOf(owner, ticketNumber).watch(untilMs);
    this.ctx.waitUntil(this.#watch.look(readActive, ask, Date.now()));
  }

  async overview(owner: string, minutes: number): Promise<Overview> {
    const isEmpty = !this.#store.exists();
    await this.look(owner);
    const totals = (this.#totals ??= isEmpty ? NOTHING : this.#store.sumUp());
    const oldestMs = isEmpty ? undefined : this.#store.oldestWaitingMs();
    const nowMs = Date.now();
    const fromMinute = minuteOf(nowMs) - minutes + 1;
    const hours = isEmpty ? [] : this.#store.readHours(hourOf(fromMinute));
    const oldestToldMs = isEmpty ? undefined : this.#store.oldestToldMs(nowMs - ACTIVE_MS);
    const { open, closing, closed } = totals;
    return {
      owner,
      tickets: { open, closing, closed },
      waiting: {
        tickets: totals.waitingTickets,
        messages: totals.waitingMessages,
        ...(oldestMs === undefined ? {} : { oldestSince: isoTime(oldestMs) }),
      },
      dead: { tickets: totals.deadTickets, messages: totals.deadMessages },
      countedUntil: isoTime(this.#watch.countedUntilMs(oldestToldMs, nowMs)),
      lag: {
        toDesk: percentilesOf(sumFrom(hours, fromMinute, "toDesk")),
        toDolphins: percentilesOf(sumFrom(hours, fromMinute, "toDolphins")),
      },
      minutes: shownMinutes(hours, fromMinute),
    };
  }

  async tickets(query: Query): Promise<{ tickets: TicketSummary[]; next?: string }> {
    if (!this.#store.exists()) return { tickets: [] };
    // One more than the page, to tell whether there are more.
    const rows = this.#store.readTickets({ ...query, limit: query.limit + 1 });
    const page = rows.slice(0, query.limit);
    const last = page.at(-1);
    const next =
      last && rows.length > page.length
        ? { next: ticketCursor.write({ id: last.id, waitingSinceMs: last.waitingSinceMs ?? 0 }) }
        : {};
    return { tickets: page.map(summaryOf), ...next };
  }

  /** Tickets that reported dead letters, newest opened first. */
  async deadTickets(
    before: Pick<TicketCursor, "id"> | undefined,
    limit: number,
  ): Promise<{ id: number; ticketNumber: string }[]> {
    return this.#store.exists() ? this.#store.readDead(before, limit) : [];
  }

  /** Has all that waits tried at once, and says how many tickets that are. `againAtMs` is when it does that once more. */
  async retry(lanes: LaneName[], againAtMs?: number): Promise<number> {
    return this.#work.retry(this.#owner(), lanes, Date.now(), againAtMs);
  }

  /** From now on nothing is attempted in these lanes. */
  async pause(lanes: LaneName[], by: string, reason: string): Promise<void> {
    await this.#work.pause(this.#owner(), lanes, by, reason, Date.now());
  }

  async resume(lanes: LaneName[]): Promise<void> {
    await this.#work.resume(this.#owner(), lanes, Date.now());
  }

  /** What is paused, as the record is to show it. */
  async paused(): Promise<Paused> {
    return this.#work.paused();
  }

  async pauseFor(ticketNumber: string, lane: LaneName): Promise<PauseState> {
    return this.#work.pauseFor(ticketNumber, lane);
  }

  /**
   * Wakes the tickets whose work is overdue, so that a lost alarm costs minutes and no message, and those that the next part
   * of the scan finds. `closedMs` is how long after its last report a closed ticket should be gone.
   */
  async sweep(owner: string, closedMs: number, deskId?: string): Promise<{ woken: number; failed: number }> {
    // Its alarm may have been lost as well.
    const nextMs = Math.min(this.#work.dueMs(), this.#jobs.nextMs());
    if (nextMs < Number.POSITIVE_INFINITY) await this.#ensureAlarm(nextMs);
    if (!this.#store.exists()) return { woken: 0, failed: 0 };
    const tickets = this.#ticketsToWake(Date.now(), closedMs);
    let failed = 0;
    await pooled(tickets, WOKEN_AT_ONCE, async ({ ticketNumber, toldAtMs }) => {
      try {
        const isThere = await this.#ticketOf(owner, ticketNumber).sweep(deskId);
        if (!isThere) await this.forget(ticketNumber, toldAtMs);
      } catch (error) {
        failed++;
        log("wake_failed", { owner, ticketNumber, error: errorText(error) });
      }
    });
    return { woken: tickets.length, failed };
  }

  /** Subscribes to every change from now on. `console-session` is the id of the session that asks, if one does. */
  override async fetch(request: Request): Promise<Response> {
    return this.#subscribers.subscribe(Date.now(), request.headers.get("console-session") ?? undefined);
  }

  /** Ends what a console session has subscribed to. */
  async unsubscribe(session: string): Promise<void> {
    this.#subscribers.end(session);
  }

  /** Begins to delete all that there is of the tenant, or says how far that is. */
  async purge(owner: string): Promise<{ deleted: number; left: number; isDone: boolean }> {
    if (!this.#endings.isPurged()) {
      this.#endings.purge(Date.now());
      this.#subscribers.closeAll();
      if (this.#store.exists()) await this.#jobs.begin(owner, PURGE);
    }
    const isRunning = this.#jobs.has(PURGE);
    return {
      deleted: isRunning ? this.#jobs.deleted(PURGE) : this.#endings.purgedTickets(),
      left: this.#jobs.left(PURGE),
      isDone: !isRunning && !this.#endings.isSettling(Date.now()),
    };
  }

  /** A tenant begins where one was purged. */
  async reopen(): Promise<void> {
    this.#endings.reopen(Date.now());
  }

  /** Deletes a contact's tickets: a portion now, and what is left from the alarm. */
  async erase(owner: string, contactId: string): Promise<{ tickets: ErasedTicket[]; left: number }> {
    const job = { kind: "erase", contactId } as const;
    this.#endings.erase(contactId, Date.now());
    if (!this.#store.exists()) return { tickets: [], left: 0 };
    await this.#jobs.begin(owner, job);
    const tickets = await this.#jobs.portion(job);
    return { tickets, left: this.#jobs.left(job) };
  }

  /** The next tickets that are, or were, of a contact; `isSure` where nobody need ask the ticket. */
  async ticketsOf(
    contactId: string,
    afterId: number,
    limit: number,
  ): Promise<{ id: number; ticketNumber: string; isSure: boolean }[]> {
    if (!this.#store.exists()) return [];
    return this.#store
      .readChosen({ contactId }, afterId, limit)
      .map((row) => ({ id: row.id, ticketNumber: row.ticketNumber, isSure: row.contactId === contactId }));
  }

  /** The tenant is of another desk now, and its tickets are to follow. */
  async moveTo(owner: string, deskId: string): Promise<void> {
    if (this.#store.exists()) await this.#jobs.begin(owner, { kind: "move", deskId });
  }

  override async alarm(): Promise<void> {
    await this.#work.run(Date.now());
    await this.#jobs.run(async ({ kind, deleted }) => {
      if (kind === "purge") await this.#deleteAll(deleted);
    });
    const dueMs = Math.min(this.#work.dueMs(), this.#jobs.nextMs(), this.#subscribers.closeExpired(Date.now()));
    if (dueMs < Number.POSITIVE_INFINITY) await this.#ensureAlarm(Math.max(dueMs, Date.now() + SOON_MS));
  }

  /** Its name. It is the tenant's. */
  #owner(): string {
    if (this.ctx.id.name === undefined) throw new Error("this object was not called by its name");
    return this.ctx.id.name;
  }

  #ticketOf(owner: string, ticketNumber: string) {
    return objectOf(this.env.TICKET, JSON.stringify([owner, ticketNumber]), readConfig(this.env));
  }

  /** All tickets of the tenant are gone, and so is everything here but how many they were. */
  async #deleteAll(deleted: number): Promise<void> {
    await this.#endings.purged(deleted, () => this.ctx.storage.deleteAll());
    this.#totals = undefined;
    this.#work = this.#newWork();
  }

  #ticketsToWake(nowMs: number, closedMs: number): Overdue[] {
    const times = { untilMs: nowMs - OVERDUE_MS, latestMs: nowMs + LONGEST_WAIT_MS };
    const waiting = this.#store.readOverdue(times, this.#work.openLanes(), MOST_WOKEN);
    const scan = this.#store.readScan();
    const most = MOST_WOKEN - waiting.length;
    if (isResting(scan, nowMs) || most === 0) return waiting;
    const scanned = this.#store.readNext(scan.afterId, ROWS_PER_SCAN);
    const next = scanOn(scan, scanned, { nowMs, closedMs, most });
    this.#store.saveScan(next.scan);
    const ids = new Set(waiting.map(({ id }) => id));
    return [...waiting, ...next.wake.filter(({ id }) => !ids.has(id))];
  }

  /** Counts what is new into its minutes. */
  #count(before: TicketRow | undefined, report: Report, nowMs: number): void {
    const known = before && (JSON.parse(before.lanes) as Report["lanes"]);
    // A ticket that is new here but older than the minutes kept has only history.
    const isHistory = !before && report.openedAtMs < nowMs - DAY_MS;
    const restMinute = isHistory ? undefined : minuteOf(nowMs);
    const additions = LANES.flatMap((lane) =>
      attribute(lane, known?.[lane], report.lanes[lane], report.minutes, restMinute),
    );
    const oldest = oldestHour(nowMs);
    for (const [hour, some] of Map.groupBy(additions, ({ minute }) => hourOf(minute))) {
      if (hour < oldest) continue;
      const minutes = this.#store.readHour(hour);
      this.#store.saveHour(hour, some.reduce(withAddition, minutes ?? {}));
      if (!minutes) this.#store.deleteHours(oldest);
    }
  }

  #changed(before: TicketRow | undefined, after: TicketRow | undefined): void {
    if (this.#totals) this.#totals = afterChange(this.#totals, before, after);
  }
}
