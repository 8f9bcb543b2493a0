import { DurableObject } from "cloudflare:workers";
import { readConfig } from "../config";
import type { EventKind } from "../model/event";
import { byteLength } from "../crypto/bytes";
import { errorText, log } from "../lib/log";
import { Directory } from "../tenants/directory";
import { AlarmClock } from "./alarm";
import { failureReport } from "./conversation";
import { deliver } from "./deliver";
import { TicketImage } from "./cache";
import { isFull, nextStep, notBeforeMsOf, waitingCount } from "./lane";
import { RecentBodies } from "./recent-bodies";
import { tidy } from "./retention";
import { conclude, type Trial } from "./retry";
import type { MessageRow, TicketRow } from "./schema";
import { TicketStore } from "./store";
import { Telling } from "./index-reporter";
import {
  isoTime,
  LANES,
  pageOf,
  type Attempt,
  type DeadLetters,
  type LaneName,
  type Page,
  type Replayed,
  type TicketView,
} from "../model/timeline";
import { Waiters } from "./waiters";

/** How long a message waits whose attempt could not be recorded. */
const UNRECORDED_MS = 5_000;
/** How long the mapping in KV waits for its next try. */
const MAPPING_RETRY_MS = 60_000;
/** How long after a desk was told to close its word that it did is taken for the echo. */
const ECHO_MS = 30_000;
const ALARM_FAILED_MS = 60_000;
/** A run of attempts ends after so many and goes on from the alarm: the platform counts subrequests per invocation. */
const ATTEMPTS_PER_RUN = 400;
/** Retention counts in days: how often an object that stays awake looks for what has run out. */
const TIDY_MS = 3600_000;
const LOGGED_AS = { delivered: "delivered", waiting: "attempt_failed", dead: "dead_letter" };

export type Accept = {
  owner: string;
  ticketNumber: string;
  deskId: string;
  lane: LaneName;
  kind: EventKind;
  /** The canonical event, as JSON text. */
  event: string;
  channel: string;
  contactId: string;
  customerName: string;
  idempotencyKey: string | undefined;
  /** It is a desk's own webhook, which may be the echo of what the relay itself did there. */
  fromWebhook: boolean;
};

/** `lane` is the one asked for, except of a Close that repeats one from the other side. */
type Taken = { ok: true; id: string; lane: LaneName; sequence: number; repeat: boolean };
type Refused =
  | { ok: false; code: "unknown_ticket" | "ticket_closed" | "idempotency_mismatch" }
  | { ok: false; code: "backlog_full"; retryAfterSeconds: number };
/** `queued` says that others of its lane go before it, or that the lane waits. */
export type Accepted = (Taken & { queued: boolean }) | Refused;

/** What became of a message so far. `last` is its newest attempt. */
export type Outlook = { state: "waiting" } | { state: "delivered" } | { state: "dead"; reason: string; last: Attempt };

const sessionsOf = (ticket: TicketRow) => JSON.parse(ticket.sessions) as Partial<Record<LaneName, unknown>>;

/**
 * One conversation of one tenant, and the machine that delivers its messages. A thin shell: what to do next is decided in
 * lane.ts and retry.ts, what opens and closes a ticket in conversation.ts, and image.ts keeps memory and rows alike.
 */
export class Ticket extends DurableObject<Env> {
  readonly #store = new TicketStore(this.ctx.storage);
  readonly #image = new TicketImage(this.#store);
  readonly #alarm = new AlarmClock(this.ctx.storage);
  readonly #directory = new Directory(this.env.DIRECTORY);
  readonly #waiters = new Waiters();
  readonly #recent = new RecentBodies();
  readonly #telling = new Telling({
    image: this.#image,
    store: this.#store,
    indexes: this.env.TENANT_INDEX,
    waitUntil: (promise) => this.ctx.waitUntil(promise),
    ended: () => this.#arm(Date.now()),
  });
  #mapping = false;
  #tidyAtMs = 0;
  /** The Close that the desk was told of, as long as the desk may yet echo it as an agent's. */
  #closeAtDesk: { message: MessageRow; untilMs: number } | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    // An object that is asked about an unknown ticket writes nothing, tables included.
    if (!this.#store.exists()) return;
    void ctx.blockConcurrencyWhile(async () => {
      this.#image.load();
      await this.#alarm.verify();
    });
  }

  /**
   * Stores one event: one row, written before this returns and durable before the caller hears of it. Waits for nothing.
   */
  accept(input: Accept): Accepted {
    const nowMs = Date.now();
    const taken = this.#take(input, nowMs);
    this.#wake(nowMs);
    if (!taken.ok) return taken;
    return { ...taken, queued: !taken.repeat && this.#image.lane(taken.lane).inFlight !== taken.sequence };
  }

  #take(input: Accept, nowMs: number): Taken | Refused {
    const { owner, ticketNumber, lane, kind, event, idempotencyKey } = input;
    const known = this.#image.ticket;
    if (!known && kind !== "incoming") return { ok: false, code: "unknown_ticket" };
    const ticket = known ?? this.#image.open(owner, ticketNumber, input);
    if (ticket.owner !== owner || ticket.ticketNumber !== ticketNumber) {
      throw new Error("this object belongs to another ticket");
    }
    const before = this.#acceptedBefore(ticket, input, nowMs);
    if (before) return before;
    if (kind === "outgoing" && ticket.state !== "open") return { ok: false, code: "ticket_closed" };
    const bytes = byteLength(event);
    if (isFull(this.#image.lane(lane), bytes)) {
      const waitMs = notBeforeMsOf(this.#image.lane(lane)) - nowMs;
      return { ok: false, code: "backlog_full", retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) };
    }
    const suspectedDuplicate = idempotencyKey === undefined && this.#recent.see(lane, event, nowMs);
    const { id, sequence } = this.#image.accept(
      { lane, kind, event, bytes, suspectedDuplicate, idempotencyKey },
      input,
      nowMs,
    );
    return { ok: true, id, lane, sequence, repeat: false };
  }

  /** What became of an accepted message, waiting up to `waitMs` for its end. */
  async outlook(lane: LaneName, sequence: number, waitMs: number): Promise<Outlook> {
    const now = this.#outlookNow(lane, sequence);
    if (now.state !== "waiting") return now;
    await this.#waiters.until(`${lane}:${sequence}`, waitMs);
    return this.#outlookNow(lane, sequence);
  }

  /**
   * State and one page of the timeline as JSON (a TicketView); undefined when no Incoming Event has opened this ticket. What
   * an operator has seen the index hears as well.
   */
  async timeline({ byOperator = false, ...page }: Page & { byOperator?: boolean }): Promise<string | undefined> {
    await this.#mend();
    if (byOperator) this.#telling.look("seen", Date.now());
    if (!this.#image.ticket) return undefined;
    const { ticketNumber, owner, channel, contactId, customerName, state } = this.#image.ticket;
    const rows = (lane: LaneName) => {
      const wanted = page[lane];
      return wanted ? this.#store.readTimeline(lane, wanted.before) : [];
    };
    const view: TicketView = {
      status: "success",
      ticket: {
        ticketNumber,
        owner,
        channel,
        contactId,
        customerName,
        state,
        lanes: { toDesk: this.#image.laneView("toDesk"), toDolphins: this.#image.laneView("toDolphins") },
        ...pageOf(page, { toDesk: rows("toDesk"), toDolphins: rows("toDolphins") }),
      },
    };
    return JSON.stringify(view);
  }

  /** Whom the ticket is with, and since when: undefined there when retention has deleted its first message. */
  async facts(): Promise<{ contactId: string; openedAtMs: number | undefined } | undefined> {
    await this.#mend();
    if (!this.#image.ticket) return undefined;
    const { contactId } = this.#image.ticket;
    return { contactId, openedAtMs: this.#store.readMessage("toDesk", 1)?.acceptedAtMs };
  }

  /** Up to `limit` dead letters as JSON (a DeadLetters), from behind the one given; undefined for an unknown ticket. */
  async deadLetters(after: { lane: LaneName; sequence: number }, limit: number): Promise<string | undefined> {
    await this.#mend();
    if (!this.#image.ticket) return undefined;
    const { channel, customerName } = this.#image.ticket;
    const toDesk = after.lane === "toDesk" ? this.#store.readDead("toDesk", after.sequence, limit) : [];
    const from = after.lane === "toDolphins" ? after.sequence : 0;
    const toDolphins = this.#store.readDead("toDolphins", from, limit - toDesk.length);
    return JSON.stringify({ channel, customerName, deadLetters: [...toDesk, ...toDolphins] } satisfies DeadLetters);
  }

  /**
   * Puts dead letters back: those with these ids, or all. With `dryRun` says only which it would. Undefined for an unknown
   * ticket.
   */
  async replay(which: { ids: string[] } | { all: true }, dryRun = false): Promise<Replayed | undefined> {
    if (!this.#image.ticket) return undefined;
    const nowMs = Date.now();
    const wanted = (id: string) => "all" in which || which.ids.includes(id);
    const letters = LANES.flatMap((lane) => {
      const newest = this.#store.newestDelivered(lane);
      const dead = this.#store.readDeadLetters(lane).filter(({ id }) => wanted(id));
      return dead.map(({ id, sequence }) => ({ id, isLate: sequence < newest }));
    });
    if (!dryRun) {
      for (const lane of LANES) this.#image.replay(lane, wanted, nowMs);
      await this.#mend();
    }
    const idsOf = (some: typeof letters) => some.map(({ id }) => id);
    return { replayed: idsOf(letters), late: idsOf(letters.filter(({ isLate }) => isLate)) };
  }

  /**
   * For a sweep over tickets that nothing else touches: mends a lost alarm, deletes what is old enough, and tells the index
   * whatever it knows otherwise. False when there is no such ticket.
   */
  async sweep(): Promise<boolean> {
    await this.#mend();
    await this.#tidy();
    await this.#telling.tellAll();
    return this.#image.ticket !== undefined;
  }

  /** The safety net and the retry clock. Never throws: the runtime drops an alarm that fails six times. */
  override async alarm(): Promise<void> {
    this.#alarm.fired();
    try {
      this.#telling.look("awake", Date.now());
      const nowMs = Date.now();
      this.#wake(nowMs);
      if (this.#image.isOver() || nowMs >= this.#tidyAtMs) await this.#tidy();
    } catch (error) {
      log("alarm_failed", { error: errorText(error) });
      const nowMs = Date.now();
      this.#alarm.ensure(nowMs + ALARM_FAILED_MS, nowMs);
    }
  }

  /** The answer to an event that was accepted before: one with the same key, or a Close while one closes the ticket. */
  #acceptedBefore(
    ticket: TicketRow,
    { lane, kind, event, idempotencyKey, fromWebhook }: Accept,
    nowMs: number,
  ): Taken | Refused | undefined {
    const first = idempotencyKey === undefined ? undefined : this.#store.readKey(lane, idempotencyKey, nowMs);
    const message = first === undefined ? undefined : this.#store.readMessage(lane, first);
    if (message && message.event !== event) return { ok: false, code: "idempotency_mismatch" };
    const { closeLane, closeSequence } = ticket;
    const isClosing = kind === "command" && closeLane !== null && closeSequence !== null;
    const close = isClosing ? this.#store.readMessage(closeLane, closeSequence) : undefined;
    const echoed = kind === "command" && fromWebhook ? this.#takeEcho(nowMs) : undefined;
    const earlier = message ?? close ?? echoed;
    return earlier && { ok: true, id: earlier.id, lane: earlier.lane, sequence: earlier.sequence, repeat: true };
  }

  /**
   * A desk that was told to close says so in a webhook of its own. As a rule the ticket is closed then, and that is a repeat;
   * but the customer may have opened it again while the Close waited, and must not be closed out by the echo.
   */
  #takeEcho(nowMs: number): MessageRow | undefined {
    const close = this.#closeAtDesk;
    this.#closeAtDesk = undefined;
    return close && close.untilMs > nowMs ? close.message : undefined;
  }

  /** Sees to it that work which is due goes on, and that an alarm stands for the rest: alarms get lost. */
  async #mend(): Promise<void> {
    if (!this.#image.ticket) return;
    await this.#alarm.verify();
    this.#wake(Date.now());
  }

  /** Deletes what retention has run out for: all of it, or a piece, with the next at the next alarm. */
  async #tidy(): Promise<void> {
    const isDone = await tidy(this.#image, this.#store, this.#directory, this.#alarm, this.#telling);
    this.#tidyAtMs = isDone ? Date.now() + TIDY_MS : 0;
  }

  /** Starts what is due, and sets the alarm for the rest. */
  #wake(nowMs: number): void {
    for (const lane of LANES) {
      if (nextStep(this.#image.lane(lane), nowMs).do === "deliver") this.ctx.waitUntil(this.#drain(lane));
    }
    const { ticket } = this.#image;
    if (ticket?.mapped === 0 && !this.#mapping) this.ctx.waitUntil(this.#map(ticket));
    this.#arm(nowMs);
  }

  /** Has the alarm stand for the earliest work of the object. */
  #arm(nowMs: number, atMostMs = Number.POSITIVE_INFINITY): void {
    const mappingMs = this.#image.ticket?.mapped === 0 ? nowMs + MAPPING_RETRY_MS : Number.POSITIVE_INFINITY;
    let dueMs = Math.min(atMostMs, mappingMs, this.#telling.dueMs(nowMs));
    let underWay = 0;
    for (const name of LANES) {
      const lane = this.#image.lane(name);
      const step = nextStep(lane, nowMs);
      if (step.do === "wait") dueMs = Math.min(dueMs, step.untilMs);
      else underWay += waitingCount(lane);
    }
    this.#alarm.ensure(dueMs, nowMs);
    // One message is the one that was just accepted. Where more wait, the alarm rings, and tells the index of them.
    if (underWay > 0) this.#alarm.guard(nowMs, underWay === 1);
  }

  /** Delivers a lane's messages one after another until none is due. The lane's `inFlight` lets in one run at a time. */
  async #drain(lane: LaneName): Promise<void> {
    for (let attempts = 0; ; attempts++) {
      const nowMs = Date.now();
      const step = nextStep(this.#image.lane(lane), nowMs);
      if (step.do !== "deliver") return this.#arm(nowMs);
      if (attempts === ATTEMPTS_PER_RUN) return this.#arm(nowMs, nowMs + 10);
      this.#image.begin(lane, step.sequence);
      try {
        await this.#attempt(lane, step.sequence);
      } catch (error) {
        log("settling_failed", { lane, sequence: step.sequence, error: errorText(error) });
        // Unless its end was recorded, and what failed came after that.
        const isUnsettled = this.#image.lane(lane).inFlight === step.sequence;
        if (isUnsettled) this.#image.giveUp(lane, step.sequence, Date.now() + UNRECORDED_MS);
      }
    }
  }

  async #attempt(lane: LaneName, sequence: number): Promise<void> {
    const message = this.#image.message(lane, sequence);
    const { ticket } = this.#image;
    if (!message || !ticket) throw new Error("a waiting message has no row");
    // Only what was tried before has a row of outcomes to read.
    const known = sequence <= this.#image.lane(lane).frontier ? this.#store.readTrial(lane, sequence) : undefined;
    const before: Trial = known ?? {
      attempts: [],
      attemptCount: 0,
      roundStartedAtMs: message.acceptedAtMs,
      roundTries: 0,
    };
    const startedAtMs = Date.now();
    // The echo may be here before the answer is.
    const closesDesk = lane === "toDesk" && message.kind === "command";
    if (closesDesk) this.#closeAtDesk = { message, untilMs: startedAtMs + ECHO_MS };
    const { outcome, policy, notifyFailures } = await deliver(
      { config: readConfig(this.env), directory: this.#directory, engineSessions: this.env.ENGINE_SESSION },
      ticket,
      lane,
      { id: message.id, sequence, attempt: before.attemptCount + 1, kind: message.kind, event: message.event },
      { conversation: sessionsOf(ticket)[lane], keep: (kept) => this.#keepSession(lane, kept) },
    );

    // From here on one synchronous turn: the outcome, and in #drain the start of the next, are one commit.
    const nowMs = Date.now();
    const { trial, verdict } = conclude(before, outcome, policy, { startedAtMs, nowMs }, Math.random());
    this.#image.settle(message, trial, verdict);
    if (verdict.state === "dead" && notifyFailures) {
      const event = failureReport(ticket, message, verdict.reason, trial.attempts.at(-1)?.status);
      const about = { bytes: byteLength(event), suspectedDuplicate: false, idempotencyKey: undefined };
      this.#image.append({ lane: "toDesk", kind: "failure", event, ...about }, nowMs);
      this.#wake(nowMs);
    }
    if (verdict.state !== "waiting") this.#waiters.wake(`${lane}:${sequence}`);
    this.#telling.look("settled", nowMs);
    log(LOGGED_AS[verdict.state], {
      owner: ticket.owner,
      ticketNumber: ticket.ticketNumber,
      lane,
      sequence,
      messageId: message.id,
      attempt: trial.attemptCount,
      ms: nowMs - startedAtMs,
      status: "status" in outcome ? outcome.status : undefined,
      error: "error" in outcome ? outcome.error : undefined,
      nextAttemptAt: verdict.state === "waiting" ? isoTime(verdict.nextAttemptAtMs) : undefined,
      reason: verdict.state === "dead" ? verdict.reason : undefined,
    });
  }

  #keepSession(lane: LaneName, session: unknown): void {
    const { ticket } = this.#image;
    if (ticket) this.#image.change({ sessions: JSON.stringify({ ...sessionsOf(ticket), [lane]: session }) });
  }

  /** Lets KV know whose ticket this is. The row remembers that it does, so a crash or KV's absence only delays it. */
  async #map({ deskId, ticketNumber, owner }: TicketRow): Promise<void> {
    this.#mapping = true;
    try {
      await this.#directory.mapTicket(deskId, ticketNumber, owner);
      if (this.#image.ticket?.deskId === deskId) this.#image.change({ mapped: 1 });
    } catch (error) {
      log("mapping_failed", { owner, ticketNumber, error: errorText(error) });
    } finally {
      this.#mapping = false;
    }
  }

  #outlookNow(lane: LaneName, sequence: number): Outlook {
    if (sequence > this.#image.lane(lane).frontier) return { state: "waiting" };
    const trial = this.#store.readTrial(lane, sequence);
    const last = trial?.attempts.at(-1);
    if (!trial || !last || trial.state === "waiting") return { state: "waiting" };
    return trial.state === "dead" ? { state: "dead", reason: trial.reason ?? "", last } : { state: "delivered" };
  }
}
