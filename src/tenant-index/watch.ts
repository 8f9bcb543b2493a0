import { isRecent } from "../lib/clock";
import { errorText, log } from "../lib/log";
import { pooled } from "../lib/pool";
import type { Overdue } from "./store";

/**
 * Keeps a tenant's counts fresh while somebody looks. Tickets report in batches, so the index asks those that may have
 * something to tell, and for a while they report whatever happens. All of this is in memory: after a restart the next look
 * begins anew.
 */

/** For so long a ticket that was asked reports each settling. */
const ASKED_MS = 10 * 60_000;
/** While somebody still looks they are asked again, before that ends. */
const AGAIN_MS = 8 * 60_000;
/** In one look. The platform limits the requests of an invocation, and the next look goes on. */
const MOST_ASKED = 500;
const ASKED_AT_ONCE = 10;
/** What a ticket tells while it is watched is no older than this. */
const BEHIND_MS = 15_000;
/** A ticket that has told nothing for longer has nothing to tell: the scan has woken it meanwhile. */
export const ACTIVE_MS = 25 * 3600_000;

/** One round of asking; `left` have not answered yet. */
type Round = { startedAtMs: number; left: Overdue[]; ask: AskTicket };
/** Has a ticket report now, and whatever happens until then. */
type AskTicket = (ticketNumber: string, untilMs: number) => Promise<void>;

export class Watch {
  #round: Round | undefined;
  #isAsking = false;
  /** Up to then a whole round has told everything. */
  #wholeUntilMs = 0;
  /** Of this round, by id: those that were asked, and those that will be. */
  readonly #asked = new Set<number>();

  /** Up to when everything is counted, epoch ms. `oldestToldMs` is when the active ticket reported that has told nothing for longest. */
  countedUntilMs(oldestToldMs: number | undefined, nowMs: number): number {
    const { startedAtMs = 0, left } = this.#round ?? {};
    if (left?.length === 0 && isRecent(startedAtMs, nowMs, ASKED_MS)) return nowMs - BEHIND_MS;
    return Math.max(this.#wholeUntilMs, Math.min(oldestToldMs ?? nowMs, nowMs - BEHIND_MS));
  }

  /** Somebody looks. Asks the next tickets; `readActive` gives those that have told something since a time. */
  async look(readActive: (sinceMs: number) => Overdue[], ask: AskTicket, nowMs: number): Promise<void> {
    if (this.#isAsking) return;
    if (!this.#round || !isRecent(this.#round.startedAtMs, nowMs, AGAIN_MS)) {
      this.#round = { startedAtMs: nowMs, left: readActive(nowMs - ACTIVE_MS), ask };
      this.#asked.clear();
      for (const { id } of this.#round.left) this.#asked.add(id);
    }
    this.#isAsking = true;
    try {
      await this.#askNext(this.#round);
    } finally {
      this.#isAsking = false;
    }
  }

  /** A ticket has reported. One that is new to the round is asked too. */
  async told(ticket: Overdue, nowMs: number): Promise<void> {
    const round = this.#round;
    if (!round || this.#asked.has(ticket.id) || !isRecent(round.startedAtMs, nowMs, ASKED_MS)) return;
    this.#asked.add(ticket.id);
    if (!(await isAnswered(ticket, round))) this.#asked.delete(ticket.id);
  }

  async #askNext(round: Round): Promise<void> {
    const next = round.left.slice(0, MOST_ASKED);
    const failed: Overdue[] = [];
    await pooled(next, ASKED_AT_ONCE, async (ticket) => {
      if (!(await isAnswered(ticket, round))) failed.push(ticket);
    });
    // Who does not answer comes last, and holds up nobody else.
    round.left = [...round.left.slice(next.length), ...failed];
    if (round.left.length === 0) this.#wholeUntilMs = round.startedAtMs;
  }
}

const isAnswered = (ticket: Overdue, { startedAtMs, ask }: Round): Promise<boolean> =>
  ask(ticket.ticketNumber, startedAtMs + ASKED_MS).then(
    () => true,
    (error: unknown) => {
      log("ask_failed", { ticketNumber: ticket.ticketNumber, error: errorText(error) });
      return false;
    },
  );
