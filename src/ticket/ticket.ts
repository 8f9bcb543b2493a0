import { DurableObject } from "cloudflare:workers";
import { v7 as uuid } from "uuid";
import { readConfig } from "../config";
import type { EventKind } from "../events/event";
import { utf8 } from "../lib/bytes";
import { errorText, log } from "../lib/log";
import { Directory } from "../tenants/directory";
import { AlarmClock } from "./alarm";
import { afterAccepting, afterReplaying, afterSettling, opened } from "./conversation";
import { deliver } from "./deliver";
import * as lanes from "./lane";
import { RecentBodies } from "./recent";
import { conclude, type Trial } from "./retry";
import { TicketStore, type MessageRow, type TicketRow } from "./store";
import {
  isoTime,
  LANES,
  pageOf,
  type Attempt,
  type LaneName,
  type LaneView,
  type Page,
  type TicketView,
} from "./timeline";
import { Waiters } from "./waiters";

/** How long an interrupted delivery waits after a crash, and how often a steady stream pays for an alarm. */
const SAFETY_MS = 5_000;
/** A run of attempts ends after so many and goes on from the alarm: the platform counts subrequests per invocation. */
const ATTEMPTS_PER_RUN = 400;
const IDEMPOTENCY_MS = 24 * 3600_000;
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
};

export type Accepted =
  | { ok: true; id: string; sequence: number; repeat: boolean }
  | { ok: false; code: "unknown_ticket" | "ticket_closed" | "idempotency_mismatch" }
  | { ok: false; code: "backlog_full"; retryAfterSeconds: number };

/** What became of a message so far. `last` is its newest attempt. */
export type Outlook = { state: "waiting" } | { state: "delivered" } | { state: "dead"; reason: string; last: Attempt };

/**
 * One conversation of one tenant: its messages, in two lanes, and the machine that delivers them. A thin shell: what to do
 * next is decided in lane.ts and retry.ts, all SQL is in store.ts. In memory it keeps no more than its rows say.
 */
export class Ticket extends DurableObject<Env> {
  readonly #store = new TicketStore(this.ctx.storage);
  readonly #directory = new Directory(this.env.DIRECTORY);
  readonly #alarm = new AlarmClock(this.ctx.storage);
  readonly #waiters = new Waiters();
  readonly #recent = new RecentBodies();
  #ticket: TicketRow | undefined;
  #lanes: Record<LaneName, lanes.Lane> = { toDesk: lanes.EMPTY_LANE, toDolphins: lanes.EMPTY_LANE };
  #mapping = false;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    if (!this.#store.exists()) return;
    void ctx.blockConcurrencyWhile(async () => {
      this.#store.migrate();
      this.#ticket = this.#store.readTicket();
      for (const lane of LANES) this.#lanes[lane] = this.#store.readLane(lane);
      await this.#alarm.verify();
    });
  }

  /**
   * Stores one event: one row, written before this returns and durable before the caller hears of it. Waits for nothing.
   */
  accept(input: Accept): Accepted {
    const nowMs = Date.now();
    const { lane, kind, event, idempotencyKey: key } = input;
    const ticket = this.#ticket ?? (kind === "incoming" ? this.#open(input) : undefined);
    if (!ticket) return { ok: false, code: "unknown_ticket" };
    if (ticket.owner !== input.owner || ticket.ticketNumber !== input.ticketNumber) {
      throw new Error("this object belongs to another ticket");
    }
    this.#wake(nowMs);
    const first = key === undefined ? undefined : this.#store.readKey(lane, key, nowMs);
    if (first !== undefined) {
      const message = this.#store.readMessage(lane, first);
      if (message && message.event !== event) return { ok: false, code: "idempotency_mismatch" };
      if (message) return { ok: true, id: message.id, sequence: first, repeat: true };
    }
    if (kind === "command" && ticket.closeLane && ticket.closeSequence) {
      const close = this.#store.readMessage(ticket.closeLane, ticket.closeSequence);
      if (close) return { ok: true, id: close.id, sequence: close.sequence, repeat: true };
    }
    if (kind === "outgoing" && ticket.state !== "open") return { ok: false, code: "ticket_closed" };
    const bytes = utf8(event).byteLength;
    if (lanes.isFull(this.#lanes[lane], bytes)) {
      return { ok: false, code: "backlog_full", retryAfterSeconds: this.#retryAfterSeconds(lane, nowMs) };
    }

    const accepted = lanes.accept(this.#lanes[lane], bytes);
    const message: MessageRow = {
      lane,
      sequence: accepted.accepted,
      id: `msg_${uuid().replaceAll("-", "")}`,
      kind,
      event,
      acceptedAtMs: nowMs,
      suspectedDuplicate: key === undefined && this.#recent.see(`${lane}:${event}`, nowMs) ? 1 : 0,
    };
    this.#store.insertMessage(message);
    if (key !== undefined) this.#store.saveKey(lane, key, message.sequence, nowMs + IDEMPOTENCY_MS);
    this.#lanes[lane] = accepted;
    this.#changeTicket(ticket, afterAccepting(ticket, kind, message, input));
    this.#wake(nowMs);
    return { ok: true, id: message.id, sequence: message.sequence, repeat: false };
  }

  /** What became of an accepted message, waiting up to `waitMs` for its end. */
  async outlook(lane: LaneName, sequence: number, waitMs: number): Promise<Outlook> {
    const now = this.#outlookNow(lane, sequence);
    if (now.state !== "waiting") return now;
    await this.#waiters.until(`${lane}:${sequence}`, waitMs);
    return this.#outlookNow(lane, sequence);
  }

  /** State and one page of the timeline as JSON (a TicketView); undefined when no Incoming Event has opened this ticket. */
  async timeline(page: Page): Promise<string | undefined> {
    await this.touch();
    if (!this.#ticket) return undefined;
    const { ticketNumber, owner, channel, contactId, customerName, state } = this.#ticket;
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
        lanes: { toDesk: this.#laneView("toDesk"), toDolphins: this.#laneView("toDolphins") },
        ...pageOf(page, { toDesk: rows("toDesk"), toDolphins: rows("toDolphins") }),
      },
    };
    return JSON.stringify(view);
  }

  /** Puts dead letters back: those with these ids, or all. Gives the ids that were; undefined for an unknown ticket. */
  async replay(which: { ids: string[] } | { all: true }): Promise<string[] | undefined> {
    if (!this.#ticket) return undefined;
    const nowMs = Date.now();
    const replayed: string[] = [];
    for (const lane of LANES) {
      const letters = this.#store
        .readDeadLetters(lane)
        .filter((letter) => "all" in which || which.ids.includes(letter.id));
      if (letters.length === 0) continue;
      for (const letter of letters) {
        this.#store.requeue(lane, letter.sequence, nowMs);
        replayed.push(letter.id);
        const message = { lane, sequence: letter.sequence };
        this.#changeTicket(this.#ticket, afterReplaying(this.#ticket, letter.kind, message));
      }
      const bytes = letters.reduce((sum, letter) => sum + letter.bytes, 0);
      this.#lanes[lane] = lanes.replay(
        this.#lanes[lane],
        letters.map((letter) => letter.sequence),
        bytes,
      );
    }
    await this.touch();
    return replayed;
  }

  /** Sees to it that work which is due goes on, and that an alarm stands for the rest, whatever became of the one before. */
  async touch(): Promise<void> {
    if (!this.#ticket) return;
    await this.#alarm.verify();
    this.#wake(Date.now());
  }

  /** The safety net and the retry clock. Never throws: the runtime drops an alarm that fails six times. */
  override async alarm(): Promise<void> {
    this.#alarm.fired();
    try {
      this.#wake(Date.now());
    } catch (error) {
      log("alarm_failed", { error: errorText(error) });
      await this.ctx.storage.setAlarm(Date.now() + SAFETY_MS);
    }
  }

  #open(input: Accept): TicketRow {
    this.#store.migrate();
    const ticket = opened(input.owner, input.ticketNumber, input);
    this.#store.saveTicket(ticket);
    this.#ticket = ticket;
    return ticket;
  }

  /** Writes the ticket's row when something in it really changes. */
  #changeTicket(ticket: TicketRow, change: Partial<TicketRow>): void {
    const changed: TicketRow = { ...ticket, ...change };
    const keys = Object.keys(change) as (keyof TicketRow)[];
    if (keys.every((key) => ticket[key] === changed[key])) return;
    this.#store.saveTicket(changed);
    this.#ticket = changed;
  }

  #retryAfterSeconds(lane: LaneName, nowMs: number): number {
    return Math.max(1, Math.ceil((this.#lanes[lane].notBeforeMs - nowMs) / 1000));
  }

  /** Starts what is due, and sets the alarm for the rest. */
  #wake(nowMs: number): void {
    for (const lane of LANES) {
      if (lanes.nextStep(this.#lanes[lane], nowMs).do === "deliver") this.ctx.waitUntil(this.#drain(lane));
    }
    if (this.#ticket?.mapped === 0 && !this.#mapping) this.ctx.waitUntil(this.#map(this.#ticket));
    this.#arm(nowMs);
  }

  /** Has the alarm stand for the earliest work of the object. */
  #arm(nowMs: number, atMostMs = Number.POSITIVE_INFINITY): void {
    const due = LANES.map((lane) => {
      const step = lanes.nextStep(this.#lanes[lane], nowMs);
      if (step.do === "wait") return step.untilMs;
      return lanes.waitingCount(this.#lanes[lane]) > 0 ? nowMs + SAFETY_MS : Number.POSITIVE_INFINITY;
    });
    const mapping = this.#ticket?.mapped === 0 ? nowMs + SAFETY_MS : Number.POSITIVE_INFINITY;
    this.#alarm.ensure(Math.min(...due, mapping, atMostMs), nowMs);
  }

  /** Delivers a lane's messages one after another until none is due. The lane's `inFlight` lets in one run at a time. */
  async #drain(lane: LaneName): Promise<void> {
    for (let attempts = 0; ; attempts++) {
      const nowMs = Date.now();
      const step = lanes.nextStep(this.#lanes[lane], nowMs);
      if (step.do !== "deliver") return this.#arm(nowMs);
      if (attempts === ATTEMPTS_PER_RUN) return this.#arm(nowMs, nowMs + 10);
      this.#lanes[lane] = lanes.begin(this.#lanes[lane], step.sequence);
      try {
        await this.#attempt(lane, step.sequence);
      } catch (error) {
        log("settling_failed", { lane, sequence: step.sequence, error: errorText(error) });
        this.#lanes[lane] = { ...this.#lanes[lane], inFlight: undefined, notBeforeMs: Date.now() + SAFETY_MS };
      }
    }
  }

  async #attempt(lane: LaneName, sequence: number): Promise<void> {
    const message = this.#store.readMessage(lane, sequence);
    const ticket = this.#ticket;
    if (!message || !ticket) throw new Error("a waiting message has no row");
    // Only what was tried before has a row of outcomes to read.
    const known = sequence <= this.#lanes[lane].frontier ? this.#store.readTrial(lane, sequence) : undefined;
    const trial: Trial = known ?? {
      attempts: [],
      attemptCount: 0,
      roundStartedAtMs: message.acceptedAtMs,
      roundTries: 0,
    };
    const sessions = JSON.parse(ticket.sessions) as Partial<Record<LaneName, unknown>>;
    const startedAtMs = Date.now();
    const { outcome, session, policy } = await deliver(
      { config: readConfig(this.env), directory: this.#directory },
      ticket.owner,
      lane,
      { id: message.id, sequence, attempt: trial.attemptCount + 1, kind: message.kind, event: message.event },
      sessions[lane],
    );

    // From here on one synchronous turn: the outcome, and in #drain the start of the next, are one commit.
    const nowMs = Date.now();
    const time = { startedAtMs, nowMs };
    const { trial: tried, verdict } = conclude(trial, outcome, policy, time, Math.random());
    this.#store.saveOutcome(lane, sequence, tried, verdict);
    const bytes = verdict.state === "waiting" ? 0 : utf8(message.event).byteLength;
    this.#lanes[lane] = lanes.settle(this.#lanes[lane], sequence, verdict, bytes);
    const current = this.#ticket ?? ticket;
    this.#changeTicket(current, {
      ...afterSettling(current, message, verdict.state),
      ...(session === undefined ? {} : { sessions: JSON.stringify({ ...sessions, [lane]: session }) }),
    });
    if (verdict.state !== "waiting") this.#waiters.wake(`${lane}:${sequence}`);
    log(LOGGED_AS[verdict.state], {
      owner: ticket.owner,
      ticketNumber: ticket.ticketNumber,
      lane,
      sequence,
      messageId: message.id,
      attempt: tried.attemptCount,
      ms: nowMs - startedAtMs,
      status: "status" in outcome ? outcome.status : undefined,
      error: "error" in outcome ? outcome.error : undefined,
      nextAttemptAt: verdict.state === "waiting" ? isoTime(verdict.nextAttemptAtMs) : undefined,
      reason: verdict.state === "dead" ? verdict.reason : undefined,
    });
  }

  /** Lets KV know whose ticket this is. The row remembers that it does, so a crash or KV's absence only delays it. */
  async #map({ deskId, ticketNumber, owner }: TicketRow): Promise<void> {
    this.#mapping = true;
    try {
      await this.#directory.mapTicket(deskId, ticketNumber, owner);
      if (this.#ticket?.deskId === deskId) this.#changeTicket(this.#ticket, { mapped: 1 });
    } catch (error) {
      log("mapping_failed", { owner, ticketNumber, error: errorText(error) });
    } finally {
      this.#mapping = false;
    }
  }

  #outlookNow(lane: LaneName, sequence: number): Outlook {
    if (sequence > this.#lanes[lane].frontier) return { state: "waiting" };
    const trial = this.#store.readTrial(lane, sequence);
    const last = trial?.attempts.at(-1);
    if (!trial || !last || trial.state === "waiting") return { state: "waiting" };
    return trial.state === "dead" ? { state: "dead", reason: trial.reason ?? "", last } : { state: "delivered" };
  }

  #laneView(name: LaneName): LaneView {
    const lane = this.#lanes[name];
    const waiting = lanes.waitingCount(lane);
    const counts = {
      accepted: lane.accepted,
      delivered: lane.accepted - waiting - lane.dead,
      waiting,
      dead: lane.dead,
    };
    const head = lanes.headOf(lane);
    const message = head === undefined ? undefined : this.#store.readMessage(name, head);
    if (!message) return counts;
    const isRetried = lane.notBeforeMs > 0;
    return {
      ...counts,
      oldestWaitingSince: isoTime(message.acceptedAtMs),
      ...(isRetried ? { nextAttemptAt: isoTime(lane.notBeforeMs), blockedBy: message.id } : {}),
    };
  }
}
