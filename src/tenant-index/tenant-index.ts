import { DurableObject } from "cloudflare:workers";
import { errorText, log } from "../lib/log";
import { pooled } from "../lib/pool";
import type { Overview, TicketSummary } from "../model/answers";
import { isoTime, LANES } from "../model/timeline";
import { attribute, hourOf, minuteOf, oldestHour, shownMinutes, withAddition } from "./minutes";
import type { Report } from "../model/ticket-report";
import { rowOf, saysTheSame, type TicketRow } from "./schema";
import { IndexStore, type Overdue } from "./store";
import { summaryOf, ticketCursor, type Query, type TicketCursor } from "./summary";
import { afterChange, NOTHING, type Totals } from "./totals";
import { isResting, ROWS_PER_WALK, walkOn } from "./scan";
import { Watchers } from "./subscribers";

const DAY_MS = 24 * 3600_000;
/** An attempt this late has lost its alarm, or the index has not heard of it. */
const OVERDUE_MS = 60_000;
/** Of one sweep: the platform counts requests per invocation, and the object has reports to hear meanwhile. */
const MOST_TOUCHED = 500;
const TOUCHED_AT_ONCE = 10;

/**
 * What a tenant's tickets have told of themselves, for whoever asks about more than one. The tickets are the truth, and this
 * is what they said last: nothing is delivered or refused by it.
 */
export class TenantIndex extends DurableObject<Env> {
  readonly #store = new IndexStore(this.ctx.storage);
  readonly #watchers = new Watchers(this.ctx);
  /** Summed up at the first question, and kept from then on: every change to a row goes into it in the same turn. */
  #totals: Totals | undefined;

  /** Hears a ticket. Gives the `atMs` of the newest report there is: a later one than this says that it came too late. */
  async report(report: Report): Promise<number> {
    this.#store.migrate();
    const before = this.#store.readTicket(report.ticketNumber);
    if (before && before.toldAtMs > report.atMs) return before.toldAtMs;
    const after = rowOf(before?.id ?? this.#store.freeId(report.openedAtMs), report);
    if (before && saysTheSame(before, after)) return report.atMs;
    if (before) this.#store.updateTicket(after);
    else this.#store.insertTicket(after);
    this.#count(before, report, Date.now());
    this.#changed(before, after);
    this.#watchers.tell(() => ({ type: "ticket", ticket: summaryOf(after) }));
    return report.atMs;
  }

  /** A ticket is no more. With `toldAtMs` only if nothing was heard of it since. */
  async forget(ticketNumber: string, toldAtMs?: number): Promise<void> {
    const row = this.#store.exists() ? this.#store.readTicket(ticketNumber) : undefined;
    if (!row || (toldAtMs !== undefined && row.toldAtMs !== toldAtMs)) return;
    this.#store.deleteTicket(row.id);
    this.#changed(row, undefined);
    this.#watchers.tell(() => ({ type: "gone", ticketNumber }));
  }

  async overview(owner: string, minutes: number): Promise<Overview> {
    const isEmpty = !this.#store.exists();
    const totals = (this.#totals ??= isEmpty ? NOTHING : this.#store.sumUp());
    const oldestMs = isEmpty ? undefined : this.#store.oldestWaitingMs();
    const fromMinute = minuteOf(Date.now()) - minutes + 1;
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
      minutes: isEmpty ? [] : shownMinutes(this.#store.readHours(hourOf(fromMinute)), fromMinute),
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

  /** Tickets that said they have dead letters, newest opened first. */
  async deadTickets(
    before: Pick<TicketCursor, "id"> | undefined,
    limit: number,
  ): Promise<{ id: number; ticketNumber: string }[]> {
    return this.#store.exists() ? this.#store.readDead(before, limit) : [];
  }

  /**
   * Touches the tickets whose work is overdue, so that a lost alarm costs minutes and not for ever, and a piece of those
   * that nobody has heard of for long. `closedMs` is after how long a closed ticket should be gone.
   */
  async sweep(owner: string, closedMs: number): Promise<{ touched: number; failed: number }> {
    if (!this.#store.exists()) return { touched: 0, failed: 0 };
    const tickets = this.#overdue(Date.now(), closedMs);
    let failed = 0;
    await pooled(tickets, TOUCHED_AT_ONCE, async ({ ticketNumber, toldAtMs }) => {
      try {
        const isThere = await this.env.TICKET.getByName(JSON.stringify([owner, ticketNumber])).sweep();
        if (!isThere) await this.forget(ticketNumber, toldAtMs);
      } catch (error) {
        failed++;
        log("touching_failed", { owner, ticketNumber, error: errorText(error) });
      }
    });
    return { touched: tickets.length, failed };
  }

  /** Whoever watches is told of every change from now on. */
  override async fetch(): Promise<Response> {
    return this.#watchers.admit(Date.now());
  }

  override async alarm(): Promise<void> {
    await this.#watchers.dismiss(Date.now());
  }

  #overdue(nowMs: number, closedMs: number): Overdue[] {
    const waiting = this.#store.readOverdue(nowMs - OVERDUE_MS, MOST_TOUCHED);
    const before = this.#store.readWalk();
    const most = MOST_TOUCHED - waiting.length;
    if (isResting(before, nowMs) || most === 0) return waiting;
    const passed = this.#store.readOnwards(before.afterId, ROWS_PER_WALK);
    const { touch, walk } = walkOn(before, passed, { nowMs, closedMs, most });
    this.#store.saveWalk(walk);
    const ids = new Set(waiting.map(({ id }) => id));
    return [...waiting, ...touch.filter(({ id }) => !ids.has(id))];
  }

  /** Counts what is new into its minutes. */
  #count(before: TicketRow | undefined, report: Report, nowMs: number): void {
    const known = before && (JSON.parse(before.lanes) as Report["lanes"]);
    // All of a ticket that is older than the minutes kept, and that nobody knew, is history.
    const isHistory = !before && report.openedAtMs < nowMs - DAY_MS;
    const restMinute = isHistory ? undefined : minuteOf(nowMs);
    const additions = LANES.flatMap((lane) =>
      attribute(lane, known?.[lane], report.lanes[lane], report.minutes, restMinute),
    );
    const oldest = oldestHour(nowMs);
    for (const [hour, some] of Map.groupBy(additions, ({ minute }) => hourOf(minute))) {
      if (hour < oldest) continue;
      this.#store.saveHour(hour, some.reduce(withAddition, this.#store.readHour(hour) ?? {}), oldest);
    }
  }

  #changed(before: TicketRow | undefined, after: TicketRow | undefined): void {
    if (this.#totals) this.#totals = afterChange(this.#totals, before, after);
  }
}
