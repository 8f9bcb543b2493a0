import type { Order } from "../../../src/desks/desk";
import type { MessageKind } from "../../../src/model/event";
import type { LaneName, MessageState, TicketState } from "../../../src/model/answers";
import { LANES } from "../../../src/model/timeline";
import type { PauseState } from "../../../src/model/pause";
import type { DeliveryPolicy } from "../../../src/ticket/retry";

/**
 * What the protocol promises of a ticket, in the most naive form: two plain lists of messages, each with its state,
 * searched from the front every time. It shares nothing with src/ticket but the words.
 */

/** How the far end took one attempt. `lost`: it took the message, and its answer never came back. */
export type FarEnd = "delivered" | "rejected" | "blocked" | "unreachable" | "lost";

/** What is sent to the ticket. `body` stands for the event: the same number is the same text. */
export type Said = {
  lane: LaneName;
  kind: MessageKind;
  body: number;
  key: string | undefined;
  fromWebhook: boolean;
  order?: Order | undefined;
};

export type Message = Said & {
  /** 0 as long as it lies. */
  sequence: number;
  lyingUntilMs: number | undefined;
  id: string;
  bytes: number;
  state: MessageState;
  /** When it was accepted, and from when its age counts. */
  acceptedAtMs: number;
  sinceMs: number;
  /** Attempts on record. */
  tries: number;
  /** When its next attempt is due after a failed one; 0 for at once. */
  dueMs: number;
  /** The same as its row says it. It differs while an attempt could not be recorded. */
  recordedDueMs: number;
  isUnrecorded: boolean;
  replays: number;
  /** Attempts since it was accepted or replayed, and when the last of all ended. */
  roundTries: number;
  endedAtMs: number | undefined;
  /** Times the far end took it, and how often of those the relay did not learn of it. */
  taken: number;
  unlearned: number;
  /** Retention has deleted it. */
  isGone: boolean;
};

/** What is expected of an acceptance: a refusal, a message that was there before, or a new one. */
export type Expected =
  | { refused: "ticket_closed" | "idempotency_mismatch" }
  | { repeats: Message }
  | { isNew: true; isSuspected: boolean };

const MAX_WAIT_MS = 720_000;
const UNRECORDED_MS = 5_000;
const KEY_MS = 24 * 3600_000;
const REPEAT_MS = 10_000;
const ECHO_MS = 30_000;
const FRESH_MS = 2_000;
const REPLY_LIES_MS = 2_000;
const CLOSE_LIES_MS = 3_000;
const LATELY_MS = 10_000;

/** The longest of the relay's own waits after each attempt, in seconds. */
const LONGEST_BACKOFF = [1, 2, 4, 8, 15, 30, 60, 120, 300, 600].map((seconds) => 1.2 * seconds);

/** Whether a lane is paused, as far as the ticket knows, and all its pauses up to now. */
type Pauses = { atMs: number; sinceMs: number | undefined; past: [number, number][] };

const rankOf = ({ order }: Said): number => order?.key ?? Number.POSITIVE_INFINITY;

export class Reference {
  readonly messages: Record<LaneName, Message[]> = { toDesk: [], toDolphins: [] };
  /** Stored, and not taken by their lane yet, in the order in which they came. */
  readonly lying: Record<LaneName, Message[]> = { toDesk: [], toDolphins: [] };
  readonly pauses: Record<LaneName, Pauses> = {
    toDesk: { atMs: 0, sinceMs: undefined, past: [] },
    toDolphins: { atMs: 0, sinceMs: undefined, past: [] },
  };
  inFlight: Partial<Record<LaneName, Message>> = {};
  #startedAtMs: Partial<Record<LaneName, number>> = {};
  /** The Close that is on its way, or was delivered. */
  close: Message | undefined;
  /** After a crash nothing is done until something touches the ticket. */
  isAsleep = false;
  /** What the newest Incoming Event and the far ends gave to keep. */
  customerName = "";
  conversations: Partial<Record<LaneName, unknown>> = {};
  // Known to memory alone.
  #lately: Message[] = [];
  #echo: { close: Message; untilMs: number } | undefined;

  get ticketState(): TicketState {
    if (!this.close) return "open";
    return this.close.state === "delivered" ? "closed" : "closing";
  }

  withState(lane: LaneName, state: MessageState): Message[] {
    const isCounted = (message: Message) => message.state === state && !(state === "dead" && message.isGone);
    return this.messages[lane].filter(isCounted);
  }

  head(lane: LaneName): Message | undefined {
    return this.withState(lane, "waiting")[0];
  }

  /** When a message may be tried next; 0 for at once. A longer wait than there is was begun by another clock, and is over. */
  dueMs(message: Message, nowMs: number): number {
    return message.dueMs > nowMs + MAX_WAIT_MS ? 0 : message.dueMs;
  }

  /** What becomes of an event, before it is added. A desk's webhook takes the echo, if there is one. */
  expected({ lane, kind, body, key, fromWebhook }: Said, nowMs: number): Expected {
    const stored = [...this.messages[lane], ...this.lying[lane]];
    const withKey = stored.findLast((one) => key !== undefined && one.key === key && !one.isGone);
    const first = withKey && withKey.acceptedAtMs + KEY_MS > nowMs ? withKey : undefined;
    // The key of a desk's own message names it, whatever its bytes.
    if (first && !fromWebhook && (first.kind !== kind || first.body !== body))
      return { refused: "idempotency_mismatch" };
    const isClose = kind === "command";
    const echo = isClose && fromWebhook ? this.#echo : undefined;
    if (isClose && fromWebhook) this.#echo = undefined;
    if (first) return { repeats: first };
    if (isClose && this.close && !this.close.isGone) return { repeats: this.close };
    if (echo && echo.untilMs > nowMs && echo.untilMs <= nowMs + ECHO_MS) return { repeats: echo.close };
    if (kind === "outgoing" && this.close && !this.isLying(this.close)) return { refused: "ticket_closed" };
    const isRecent = (one: Message) => Math.abs(nowMs - one.acceptedAtMs) < REPEAT_MS && one.key === undefined;
    const isSame = (one: Message) => one.lane === lane && one.kind === kind && one.body === body;
    return { isNew: true, isSuspected: key === undefined && this.#lately.some((one) => isRecent(one) && isSame(one)) };
  }

  isLying = (message: Message): boolean => this.lying[message.lane].includes(message);

  /** Until when a message lies; undefined when its lane takes it at once. */
  #lieUntilMs({ lane, order }: Said, nowMs: number): number | undefined {
    if (!order) return undefined;
    if (order.key === null) return nowMs + CLOSE_LIES_MS;
    const { key } = order;
    const replies = this.lying[lane].filter((one) => one.kind === "outgoing");
    const lately = this.#lately.filter((one) => Math.abs(nowMs - one.acceptedAtMs) < LATELY_MS);
    const isBelow = [...replies, ...lately].some((one) => typeof one.order?.key === "number" && one.order.key > key);
    if (order.ageMs > FRESH_MS || isBelow) return nowMs + REPLY_LIES_MS;
    return replies.length > 0 ? Math.max(...replies.map((one) => one.lyingUntilMs ?? 0)) : undefined;
  }

  /** When the first of what lies in a lane has lain long enough. */
  nextTakingMs = (lane: LaneName): number =>
    Math.min(...this.lying[lane].map((one) => one.lyingUntilMs ?? 0), Number.POSITIVE_INFINITY);

  /** The lanes take what has lain long enough: as long as there is any, the lowest of all that lie. Says which were taken. */
  enter(nowMs: number): Message[] {
    const taken: Message[] = [];
    for (const lane of LANES) {
      const lying = this.lying[lane];
      // What would lie for longer than anything can was stored by another clock.
      const isDue = ({ lyingUntilMs = 0 }: Message) => lyingUntilMs <= nowMs || lyingUntilMs > nowMs + CLOSE_LIES_MS;
      while (lying.some(isDue)) {
        const lowest = Math.min(...lying.map(rankOf));
        const at = lying.findIndex((one) => rankOf(one) === lowest);
        for (const one of lying.splice(at, 1)) {
          one.sequence = this.messages[lane].push(one);
          taken.push(one);
        }
      }
    }
    return taken;
  }

  add(said: Said, stored: { id: string; bytes: number }, nowMs: number): Message {
    const lyingUntilMs = this.#lieUntilMs(said, nowMs);
    const lies = lyingUntilMs !== undefined;
    const sequence = lies ? 0 : this.messages[said.lane].length + 1;
    const trace = {
      tries: 0,
      roundTries: 0,
      endedAtMs: undefined,
      dueMs: 0,
      recordedDueMs: 0,
      isUnrecorded: false,
      replays: 0,
      taken: 0,
      unlearned: 0,
    };
    const times = { acceptedAtMs: nowMs, sinceMs: nowMs };
    const message: Message = {
      ...said,
      ...stored,
      ...times,
      ...trace,
      sequence,
      lyingUntilMs,
      state: "waiting",
      isGone: false,
    };
    (lies ? this.lying : this.messages)[said.lane].push(message);
    if (said.kind === "command") this.close = message;
    if (said.kind === "incoming") this.close = undefined;
    if (said.kind !== "failure") this.#lately.push(message);
    return message;
  }

  /** An attempt of a lane's head begins. Says what is wrong with that. */
  begin(lane: LaneName, sequence: number, nowMs: number): string | undefined {
    const head = this.head(lane);
    if (!head || head.sequence !== sequence) return `${sequence} is attempted, and the head is ${head?.sequence}`;
    const earlyMs = this.dueMs(head, nowMs) - nowMs;
    if (earlyMs > 0) return `${sequence} is attempted ${earlyMs} ms early`;
    if (this.isPaused(lane)) return `${sequence} is attempted in a lane that is paused`;
    this.inFlight[lane] = head;
    this.#startedAtMs[lane] = nowMs;
    if (lane === "toDesk" && head.kind === "command") this.#echo = { close: head, untilMs: nowMs + ECHO_MS };
    return undefined;
  }

  /** The far end takes a message. First deliveries are in the order of acceptance, but for replays; says what is wrong. */
  take(message: Message, isLearned: boolean): string | undefined {
    const before = this.messages[message.lane].slice(0, message.sequence - 1);
    const overtaken = before.find((one) => one.state === "waiting" && one.taken === 0 && one.replays === 0);
    message.taken++;
    if (message.taken > 1 + message.unlearned) return `${message.sequence} was repeated though its outcome was known`;
    if (!isLearned) message.unlearned++;
    return overtaken && `${message.sequence} overtook ${overtaken.sequence}`;
  }

  /** An attempt's outcome is recorded: says what is wrong with what the machine made of it. */
  settle(
    message: Message,
    far: FarEnd,
    policy: DeliveryPolicy,
    nowMs: number,
    actual: { state: MessageState | undefined; dueMs: number | undefined },
  ): string | undefined {
    message.tries++;
    message.roundTries++;
    message.endedAtMs = Math.max(nowMs, this.#startedAtMs[message.lane] ?? 0);
    message.isUnrecorded = false;
    const deadlineMs = message.sinceMs + policy.maxAgeSeconds * 1000 + this.#pausedMs(message, nowMs);
    const holds = policy.whenExhausted === "hold";
    const isSpent = !holds && nowMs >= deadlineMs;
    if (far === "delivered") message.state = "delivered";
    else if (far === "rejected" || far === "blocked" || isSpent) message.state = "dead";
    if (actual.state !== message.state) return `after ${far} it is ${actual.state}, not ${message.state}`;
    if (message.state !== "waiting") {
      if (message === this.close && message.state === "dead") this.close = undefined;
      return undefined;
    }
    message.dueMs = message.recordedDueMs = actual.dueMs ?? 0;
    if (message.dueMs <= nowMs || message.dueMs > nowMs + MAX_WAIT_MS) return `its wait is ${message.dueMs - nowMs} ms`;
    return !holds && message.dueMs > deadlineMs ? "it is tried next after its deadline" : undefined;
  }

  /** An attempt's outcome could not be recorded: the message waits, and that is known to memory alone. */
  giveUp(message: Message, nowMs: number): void {
    message.isUnrecorded = true;
    message.dueMs = nowMs + UNRECORDED_MS;
  }

  isPaused = (lane: LaneName): boolean => this.pauses[lane].sinceMs !== undefined;

  /** The index's word reaches the ticket. One that is older than another that has been there says nothing. */
  applyPause(lane: LaneName, { atMs, pause }: PauseState, nowMs: number): void {
    const { pauses } = this;
    const { atMs: known, sinceMs, past } = pauses[lane];
    if (atMs <= known) return;
    if (sinceMs !== undefined && sinceMs !== pause?.sinceMs) past.push([sinceMs, pause?.sinceMs ?? nowMs]);
    // What is over is nothing to those that come later, whatever their clock says.
    const isEmpty = this.lying[lane].length === 0 && !this.head(lane);
    pauses[lane] = { atMs, sinceMs: pause?.sinceMs, past: isEmpty ? [] : past };
  }

  /** For how long of a message's age its lane was paused. */
  #pausedMs({ lane, sinceMs: fromMs }: Message, nowMs: number): number {
    const { sinceMs, past } = this.pauses[lane];
    const all = sinceMs === undefined ? past : [...past, [sinceMs, nowMs] as const];
    return all.reduce((sum, [from, until]) => sum + Math.max(0, Math.min(until, nowMs) - Math.max(from, fromMs)), 0);
  }

  /** The heads that wait are tried at once; says how many are. */
  retry(lanes: readonly LaneName[], evenBeforeRetryAfter: boolean, nowMs: number): number {
    const some = lanes.filter((lane) => {
      const head = this.head(lane);
      if (!head || this.inFlight[lane] || this.isPaused(lane)) return false;
      return evenBeforeRetryAfter || !this.#isAskedToWait(head, nowMs);
    });
    for (const lane of some) {
      for (const waiting of this.withState(lane, "waiting")) waiting.dueMs = waiting.recordedDueMs = 0;
    }
    return some.length;
  }

  #isAskedToWait(head: Message, nowMs: number): boolean {
    const backoffMs = 1_000 * (LONGEST_BACKOFF[head.roundTries - 1] ?? 720);
    const waitsMs = this.dueMs(head, nowMs) > nowMs ? head.dueMs - (head.endedAtMs ?? Number.POSITIVE_INFINITY) : 0;
    return waitsMs > backoffMs;
  }

  discard(wanted: (message: Message) => boolean): string[] {
    const letters = LANES.flatMap((lane) => this.withState(lane, "dead").filter(wanted));
    for (const letter of letters) letter.state = "discarded";
    return letters.map(({ id }) => id);
  }

  crash(): void {
    this.inFlight = {};
    this.#lately = [];
    this.#echo = undefined;
    this.isAsleep = true;
    for (const message of LANES.flatMap((lane) => this.messages[lane])) {
      message.isUnrecorded = false;
      message.dueMs = message.recordedDueMs;
    }
  }

  /** The dead letters that are wanted wait again; `late` are those behind which a later one was delivered. */
  replay(wanted: (message: Message) => boolean, nowMs: number): { replayed: string[]; late: string[] } {
    const replayed: string[] = [];
    const late: string[] = [];
    for (const lane of LANES) {
      const letters = this.withState(lane, "dead").filter(wanted);
      const newest = this.withState(lane, "delivered").findLast((message) => !message.isGone)?.sequence ?? 0;
      for (const letter of letters) {
        const round = { sinceMs: nowMs, roundTries: 0, dueMs: 0, recordedDueMs: 0, replays: letter.replays + 1 };
        Object.assign(letter, round, { state: "waiting" });
        if (letter.kind === "command") this.close ??= letter;
        replayed.push(letter.id);
        if (letter.sequence < newest) late.push(letter.id);
      }
      if (letters.length === 0) continue;
      // A replay lets the lane try at once.
      for (const waiting of this.withState(lane, "waiting")) waiting.dueMs = waiting.recordedDueMs = 0;
    }
    return { replayed, late };
  }
}
