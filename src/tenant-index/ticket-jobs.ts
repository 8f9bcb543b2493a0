import { errorText, log } from "../lib/log";
import { pooled } from "../lib/pool";
import type { Erased } from "../model/ticket-report";
import type { TicketRow } from "./schema";
import type { IndexStore } from "./store";

/** Tickets of one portion: the platform limits what one invocation may ask, and reports come in meanwhile. */
const PORTION = 200;
const AT_ONCE = 10;
/** Before the next portion, and before another round for those that failed; that many times longer after each. */
const PAUSE_MS = 10;
const FAILED_MS = 5_000;
const LONGEST_FAILED_MS = 300_000;
const PREFIX = "job:";

/** `purge` deletes all tickets, `erase` those of a contact, and `move` takes them to the tenant's new desk. */
type What = { kind: "purge" } | { kind: "erase"; contactId: string } | { kind: "move"; deskId: string };
type Job = What & {
  owner: string;
  /** How far this round is. */
  afterId: number;
  failed: number;
  rounds: number;
  deleted: number;
  dueMs: number;
};

/** Called for a job that has no ticket left, before it is forgotten. */
type Ended = (job: What & Pick<Job, "deleted">) => Promise<void>;

export type ErasedTicket = { ticketNumber: string; messages: number };

type Deps = {
  kv: SyncKvStorage;
  store: IndexStore;
  ticketOf: (owner: string, ticketNumber: string) => ReturnType<Env["TICKET"]["getByName"]>;
  /** The ticket is no more. */
  forget: (row: Pick<TicketRow, "ticketNumber">) => Promise<void>;
  /** Has `run` called at that time. */
  wakeAt: (atMs: number) => Promise<void>;
  nowMs: () => number;
};

const nameOf = (what: What): string => (what.kind === "erase" ? `erase:${what.contactId}` : what.kind);

/**
 * Work over many tickets, done in portions from the alarm. How far it is stands in storage, so a kill costs a portion, which
 * may be done twice. A ticket that fails is left for another round, and keeps nobody from theirs.
 */
export class TicketJobs {
  readonly #deps: Deps;
  #last: Promise<unknown> = Promise.resolve();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async begin(owner: string, what: What): Promise<void> {
    const { nowMs, wakeAt } = this.#deps;
    const dueMs = nowMs() + PAUSE_MS;
    this.#save({ ...what, owner, afterId: 0, failed: 0, rounds: 0, deleted: this.#read(what)?.deleted ?? 0, dueMs });
    await wakeAt(dueMs);
  }

  has = (what: What): boolean => this.#read(what) !== undefined;

  deleted = (what: What): number => this.#read(what)?.deleted ?? 0;

  /** How many tickets a job has still before it. */
  left(what: What): number {
    const job = this.#read(what);
    return job ? job.failed + this.#deps.store.countChosen(choiceOf(job), job.afterId) : 0;
  }

  /** Does the next portion of a job now, and gives what was deleted. */
  portion(what: What, ended?: Ended): Promise<ErasedTicket[]> {
    return this.#inTurn(() => this.#portion(what, ended));
  }

  /** Does a portion of whatever is due. */
  async run(ended: Ended): Promise<void> {
    for (const job of this.#all()) if (job.dueMs <= this.#deps.nowMs()) await this.portion(job, ended);
  }

  /** When the next portion is due, epoch ms. */
  nextMs = (): number => Math.min(...this.#all().map(({ dueMs }) => dueMs), Number.POSITIVE_INFINITY);

  async #portion(what: What, ended?: Ended): Promise<ErasedTicket[]> {
    const { store, nowMs, kv } = this.#deps;
    const job = this.#read(what);
    if (!job) return [];
    const rows = store.readChosen(choiceOf(job), job.afterId, PORTION);
    const erased: ErasedTicket[] = [];
    let failed = 0;
    await pooled(rows, AT_ONCE, async (row) => {
      try {
        const messages = await this.#do(job, row.ticketNumber);
        if (messages !== undefined) erased.push({ ticketNumber: row.ticketNumber, messages });
      } catch (error) {
        failed++;
        log("ticket_job_failed", {
          job: job.kind,
          owner: job.owner,
          ticketNumber: row.ticketNumber,
          error: errorText(error),
        });
      }
    });
    const after = { ...job, failed: job.failed + failed, deleted: job.deleted + erased.length };
    const last = rows.at(-1);
    if (last && rows.length === PORTION) {
      this.#save({ ...after, afterId: last.id, dueMs: nowMs() + PAUSE_MS });
    } else if (after.failed > 0) {
      const pauseMs = Math.min(FAILED_MS * 2 ** job.rounds, LONGEST_FAILED_MS);
      this.#save({ ...after, afterId: 0, failed: 0, rounds: job.rounds + 1, dueMs: nowMs() + pauseMs });
    } else {
      await ended?.(after);
      kv.delete(PREFIX + nameOf(job));
    }
    return erased;
  }

  /** How many messages went with the ticket, where one was deleted. */
  async #do(job: Job, ticketNumber: string): Promise<number | undefined> {
    const ticket = this.#deps.ticketOf(job.owner, ticketNumber);
    if (job.kind === "move") {
      await ticket.moveTo(job.deskId);
      return undefined;
    }
    const { state, messages }: Erased = await ticket.erase(job.kind === "erase" ? job.contactId : undefined);
    if (state !== "other") await this.#deps.forget({ ticketNumber });
    return state === "erased" ? messages : undefined;
  }

  #read = (what: What): Job | undefined => this.#deps.kv.get<Job>(PREFIX + nameOf(what));
  #save = (job: Job): void => this.#deps.kv.put(PREFIX + nameOf(job), job);
  #all = (): Job[] => [...this.#deps.kv.list<Job>({ prefix: PREFIX })].map(([, job]) => job);

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work, work);
    this.#last = done;
    return done;
  }
}

const choiceOf = (what: What) => (what.kind === "erase" ? { contactId: what.contactId } : {});
