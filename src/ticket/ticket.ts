import { DurableObject } from "cloudflare:workers";
import { objectOf, readConfig } from "../config";
import { errorText, log } from "../lib/log";
import { newMessageId } from "../lib/message-id";
import type { Result } from "../model/result";
import type { DeadLetterGroup, LaneName } from "../model/answers";
import type { PauseState } from "../model/pause";
import type { Erased } from "../model/ticket-report";
import type { DeadFilter, DeliveryStatus, Page, Replayed, Which } from "../model/timeline";
import { textsOf } from "../registrar/texts-of";
import { directoryIn } from "../registrar/directory-in";
import { accept, type Accepted, type NewEvent, type Refusal } from "./accept";
import { AlarmClock } from "./alarm";
import { askDesk } from "./ask-desk";
import { TicketCache } from "./cache";
import { CloseEcho } from "./close-echo";
import { deliver, heldBy, sendReceipt, type DeliverDeps } from "./deliver";
import type { TicketDeps } from "./deps";
import { erase, moveTo } from "./erase";
import { setAlarm, wake } from "./drain";
import { applyPause, retryNow } from "./handles";
import { IndexReporter } from "./index-reporter";
import { knownReply, unchanged, type DeadReply, type KnownReply } from "./known-reply";
import { TicketMapping } from "./mapping";
import { Receipts } from "./receipts";
import { RecentBodies } from "./recent-bodies";
import { RecentKeys } from "./recent-keys";
import { discard, replay } from "./replay";
import { prune } from "./retention";
import { TicketStore } from "./store";
import { Unheard } from "./unheard";
import {
  deadCauses,
  deadLetters,
  deliveryStatus,
  quotable,
  ticketInfo,
  timeline,
  UNKNOWN_TICKET,
  type TicketInfo,
  type UnknownTicket,
} from "./views";
import { Waiters } from "./waiters";

/** An event in clear, as a Worker of release 0.1.0 gives it: without id and digest. */
type ClearEvent = Omit<NewEvent, "id" | "isAgain" | "digest"> & Partial<NewEvent> & { event: string };

const ALARM_FAILED_MS = 60_000;
/** Retention counts in days, so an object that stays awake looks once an hour for what has run out. */
const PRUNE_EVERY_MS = 3600_000;

/**
 * One conversation of one tenant, and the machine that delivers its messages. Only a shell: accept.ts and drain.ts say what is
 * done, lane.ts, retry.ts and conversation.ts decide what to do next, and cache.ts keeps the rows in memory.
 */
export class Ticket extends DurableObject<Env> {
  readonly #store = new TicketStore(this.ctx.storage);
  readonly #cache = new TicketCache(this.#store);
  readonly #alarm = new AlarmClock(this.ctx.storage, Date.now());
  readonly #waitUntil = (promise: Promise<void>) => this.ctx.waitUntil(promise);
  readonly #directory = directoryIn(this.env);
  readonly #texts = textsOf(this.env);
  readonly #reporter = new IndexReporter({
    cache: this.#cache,
    store: this.#store,
    indexOf: (owner) => objectOf(this.env.TENANT_INDEX, owner, readConfig(this.env)),
    waitUntil: this.#waitUntil,
    ended: () => setAlarm(this.#deps, Date.now()),
    refused: () => this.#waitUntil(this.#erase()),
  });
  readonly #deps: TicketDeps = {
    store: this.#store,
    cache: this.#cache,
    alarm: this.#alarm,
    waiters: new Waiters(),
    recentBodies: new RecentBodies(),
    recentKeys: new RecentKeys(),
    closeEcho: new CloseEcho(),
    mapping: new TicketMapping({
      cache: this.#cache,
      directory: this.#directory,
      waitUntil: this.#waitUntil,
      failed: () => setAlarm(this.#deps, Date.now()),
    }),
    reporter: this.#reporter,
    directory: this.#directory,
    texts: this.#texts,
    deliver: async (ticket, lane, ...delivery) => {
      const deps = this.#deliverDeps();
      return (await heldBy(deps, ticket, lane)) ?? deliver(deps, ticket, lane, ...delivery);
    },
    sendReceipt: (...receipt) => sendReceipt(this.#deliverDeps(), ...receipt),
    receipts: new Receipts({
      cache: this.#cache,
      store: this.#store,
      texts: this.#texts,
      nowMs: () => Date.now(),
      waitUntil: this.#waitUntil,
      sendReceipt: (...receipt) => this.#deps.sendReceipt(...receipt),
      ended: () => setAlarm(this.#deps, Date.now()),
    }),
    askDesk: (...question) => askDesk(this.#deliverDeps(), ...question),
    unheard: new Unheard({
      cache: this.#cache,
      store: this.#store,
      texts: this.#texts,
      nowMs: () => Date.now(),
      waitUntil: this.#waitUntil,
      askDesk: (...question) => this.#deps.askDesk(...question),
      sendReceipt: (...receipt) => this.#deps.sendReceipt(...receipt),
      take: (event) => accept(event, this.#deps),
      ended: () => wake(this.#deps, Date.now()),
    }),
    nowMs: () => Date.now(),
    random: () => Math.random(),
    waitUntil: this.#waitUntil,
  };
  #pruneAtMs = 0;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    // An object that is asked about an unknown ticket writes nothing, not even its tables.
    if (!this.#store.exists()) return;
    void ctx.blockConcurrencyWhile(async () => {
      this.#cache.load();
      await this.#alarm.verify();
    });
  }

  /** It has a name of its own, since an object of release 0.1.0 would hand the sealed bytes on as a message. */
  acceptSealed(event: NewEvent): Result<Accepted, Refusal> {
    return accept(event, this.#deps);
  }

  /** For a Worker of release 0.1.0, which may run beside this object while a deploy is under way. */
  accept({ id = newMessageId(), isAgain = false, ...event }: ClearEvent): Result<Accepted, Refusal> {
    return accept({ ...event, id, isAgain, digest: event.event }, this.#deps);
  }

  deliveryStatus(lane: LaneName, sequence: number, waitMs: number): Promise<DeliveryStatus> {
    return deliveryStatus(lane, sequence, waitMs, this.#deps);
  }

  /** What an operator has seen here, the lists of the index shall show as well. */
  async timeline({
    byOperator = false,
    ...page
  }: Page & { byOperator?: boolean }): Promise<Result<string, UnknownTicket>> {
    await this.#rearm();
    if (byOperator) this.#reporter.reportIfDue("seen", Date.now());
    return timeline(page, this.#deps);
  }

  async ticketInfo(): Promise<Result<TicketInfo, UnknownTicket>> {
    await this.#rearm();
    return ticketInfo(this.#deps);
  }

  quotable(id: string): Promise<string | undefined> {
    return quotable(id, this.#deps);
  }

  async deadLetters(
    after: { lane: LaneName; sequence: number },
    limit: number,
    filter: DeadFilter = {},
  ): Promise<Result<string, UnknownTicket>> {
    await this.#rearm();
    return deadLetters(after, limit, filter, this.#deps);
  }

  deadCauses(filter: DeadFilter): Promise<DeadLetterGroup[]> {
    return deadCauses(filter, this.#deps);
  }

  /** Reports to the index before it answers, so that a list which is read next no longer has them. */
  async discard(which: Which, dryRun: boolean): Promise<Result<string[], UnknownTicket>> {
    const discarded = discard(which, dryRun, this.#deps);
    if (discarded.ok && discarded.value.length > 0 && !dryRun) await this.#reporter.reportAnyDifference();
    return discarded;
  }

  /** Has what waits tried at once, and says in how many lanes. */
  async retry(lanes: LaneName[], evenBeforeRetryAfter = true): Promise<Result<number, UnknownTicket>> {
    await this.#rearm();
    if (!this.#cache.ticket) return UNKNOWN_TICKET;
    return { ok: true, value: retryNow(lanes, evenBeforeRetryAfter, this.#deps) };
  }

  /** Pauses a lane, or lets it go on at once. False when there is no such ticket. */
  async applyPause(lane: LaneName, state: PauseState): Promise<boolean> {
    applyPause(lane, state, this.#deps);
    await this.#rearm();
    return this.#cache.ticket !== undefined;
  }

  async replay(which: Which, dryRun = false): Promise<Result<Replayed, UnknownTicket>> {
    const replayed = replay(which, dryRun, this.#deps);
    if (!dryRun) await this.#rearm();
    return replayed;
  }

  /** What is known of a desk's message whose agent may ask for another try. */
  async knownReply(deskMessage: string, farEnd: string): Promise<KnownReply> {
    const known = knownReply(deskMessage, farEnd, this.#deps);
    if (!known.isDeathOwed) return known;
    // What the agent sees and has asked about may be ahead of what is recorded here.
    await this.#rearm();
    await this.#deps.receipts.settling();
    return knownReply(deskMessage, farEnd, this.#deps);
  }

  /** Another try of what is still as dead as it was. */
  async replayUnchanged(dead: DeadReply[]): Promise<number> {
    const replayed = await this.replay({ ids: unchanged(dead, this.#deps) });
    return replayed.ok ? replayed.value.replayed.length : 0;
  }

  /**
   * For a ticket that nothing else may touch. Restores a lost alarm, deletes what is old enough, and reports any difference to
   * the index. False when there is no such ticket. `deskId` is that of its tenant.
   */
  async sweep(deskId?: string): Promise<boolean> {
    await this.#rearm();
    if (deskId !== undefined) await moveTo(deskId, this.#deps);
    await this.#prune();
    await this.#reporter.reportAnyDifference();
    return this.#cache.ticket !== undefined;
  }

  /** Deletes the ticket whole; with a contact only if it is, or was, that one's. */
  erase(contactId?: string): Promise<Erased> {
    return erase(contactId, this.#deps);
  }

  /** Whether it is, or was, a ticket of this contact. */
  isOf(contactId: string): boolean {
    return this.#cache.isOf(contactId);
  }

  /** Its tenant is of another desk now. */
  async moveTo(deskId: string): Promise<void> {
    await moveTo(deskId, this.#deps);
    await this.#rearm();
  }

  /** Somebody looks at the tenant: reports what there is, and until then whatever happens within seconds. */
  async watch(untilMs: number): Promise<void> {
    await this.#rearm();
    await this.#reporter.watch(untilMs);
  }

  /** The safety net and the retry clock. Never throws, because the runtime drops an alarm that has failed six times. */
  override async alarm(): Promise<void> {
    const nowMs = Date.now();
    this.#alarm.rang(nowMs);
    try {
      this.#reporter.reportIfDue("awake", nowMs);
      wake(this.#deps, nowMs);
      if (this.#cache.isOver() || nowMs >= this.#pruneAtMs) await this.#prune();
    } catch (error) {
      log("alarm_failed", { error: errorText(error) });
      this.#alarm.ensure(Date.now() + ALARM_FAILED_MS, Date.now());
    }
  }

  /** For a ticket that should be no more. What fails is done at the next report. */
  async #erase(): Promise<void> {
    try {
      await erase(undefined, this.#deps);
    } catch (error) {
      log("erasing_failed", { error: errorText(error) });
    }
  }

  #deliverDeps(): DeliverDeps {
    const { ENGINE_SESSION: engineSessions, TENANT_INDEX: indexes } = this.env;
    return { config: readConfig(this.env), directory: this.#directory, engineSessions, indexes };
  }

  /** Starts what is due, and makes sure that an alarm stands for the rest, since an alarm may get lost. */
  async #rearm(): Promise<void> {
    if (!this.#cache.ticket) return;
    await this.#alarm.verify();
    wake(this.#deps, Date.now());
  }

  async #prune(): Promise<void> {
    const isDone = await prune(this.#deps);
    this.#pruneAtMs = isDone ? Date.now() + PRUNE_EVERY_MS : 0;
  }
}
