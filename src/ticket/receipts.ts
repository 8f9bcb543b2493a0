import { deskMessageOfKey, type Receipt } from "../desks/desk";
import { isWaiting } from "../lib/clock";
import { errorText, log } from "../lib/log";
import { failureReport } from "./conversation";
import type { TicketDeps } from "./deps";
import type { MessageRow } from "./schema";
import { readEvent } from "./stored-text";

/** Waits between the attempts of one receipt. After the last one, the agent sees "sent" and no more. */
const RETRY_MS = [2_000, 10_000, 60_000, 300_000, 900_000];
const LONGEST_WAIT_MS = 900_000;

type ReceiptDeps = Pick<TicketDeps, "cache" | "store" | "texts" | "nowMs" | "waitUntil" | "sendReceipt"> & {
  /** Has the alarm stand for what is due later. */
  ended: () => void;
};

type Owed = { sequence: number; idempotencyKey: string | null; isAgain: boolean };

/** Whether it is a desk's own message. Others have no receipt. */
export const isOfDesk = ({ idempotencyKey }: MessageRow): boolean =>
  deskMessageOfKey(idempotencyKey ?? "") !== undefined;

/**
 * Shows at a desk's own messages what became of them. What is owed is derived from the rows: the ticket's row says up to which
 * reply all is shown, and every settled one behind it is owed. So a crash owes the same as before, and a desk without receipts
 * costs nothing. It runs beside the lanes, and delays neither.
 */
export class Receipts {
  readonly #deps: ReceiptDeps;
  #isUnderWay = false;
  #run: Promise<void> = Promise.resolve();
  /** The newest reply that has been shown, or is being shown. It is kept when a run ends. */
  #upTo = 0;
  /** After a start nobody knows. */
  #mayOwe = true;
  #attempts = 0;
  #notBeforeMs = 0;

  constructor(deps: ReceiptDeps) {
    this.#deps = deps;
  }

  /** A desk's own message has been delivered or is dead. */
  settled({ sequence }: MessageRow): void {
    const { cache } = this.#deps;
    const upTo = cache.receiptedUpTo();
    // The first of the ticket; or one that was replayed, for which those behind it are not shown again.
    if (upTo === undefined) cache.keepReceipted(sequence - 1);
    else if (Math.max(upTo, this.#upTo) >= sequence) cache.keepReceiptAgain([...cache.receiptAgain(), sequence]);
    this.#mayOwe = true;
  }

  /** Whether the desk shows what has become of a reply. */
  isShown = (sequence: number): boolean =>
    sequence <= (this.#deps.cache.receiptedUpTo() ?? 0) && !this.#deps.cache.receiptAgain().includes(sequence);

  /** Resolves when what is being shown now has been. */
  settling = (): Promise<void> => this.#run;

  startIfDue(nowMs: number): void {
    if (this.#isUnderWay || !this.#mayOwe || isWaiting(this.#notBeforeMs, nowMs, LONGEST_WAIT_MS)) return;
    if (this.#deps.cache.receiptedUpTo() === undefined) return;
    this.#isUnderWay = true;
    this.#run = this.#showAll();
    this.#deps.waitUntil(this.#run);
  }

  /** When an alarm has to ring for a receipt, epoch ms. */
  dueMs(): number {
    return this.#mayOwe && this.#notBeforeMs > 0 ? this.#notBeforeMs : Number.POSITIVE_INFINITY;
  }

  async #showAll(): Promise<void> {
    const { cache, nowMs } = this.#deps;
    const { life } = cache;
    try {
      let upTo = cache.receiptedUpTo() ?? 0;
      let next = this.#next(upTo);
      while (next) {
        this.#upTo = next.isAgain ? upTo : next.sequence;
        const isShown = await this.#show(next);
        // Where the ticket was deleted meanwhile, those numbers are of other messages now.
        if (!isShown || cache.life !== life) break;
        this.#attempts = 0;
        // One that was replayed meanwhile stands there once more.
        if (next.isAgain) cache.keepReceiptAgain(cache.receiptAgain().slice(1));
        upTo = this.#upTo;
        next = this.#next(upTo);
      }
      if (cache.life === life && upTo > (cache.receiptedUpTo() ?? 0)) cache.keepReceipted(upTo);
      this.#mayOwe = next !== undefined;
      const waitMs = RETRY_MS[this.#attempts - 1] ?? 0;
      this.#notBeforeMs = this.#attempts > 0 ? nowMs() + waitMs : 0;
    } catch (error) {
      log("receipts_failed", { owner: cache.ticket?.owner, error: errorText(error) });
      this.#notBeforeMs = nowMs() + LONGEST_WAIT_MS;
    } finally {
      this.#isUnderWay = false;
      this.#upTo = 0;
    }
    this.startIfDue(nowMs());
    this.#deps.ended();
  }

  /** The reply that is to be shown next: one that was replayed, or else the next that is settled behind `upTo`. */
  #next(upTo: number): Owed | undefined {
    const { cache, store } = this.#deps;
    const [again] = cache.receiptAgain();
    const next = again === undefined ? store.readNextSettled("toDolphins", upTo) : undefined;
    if (again === undefined) return next && { ...next, isAgain: false };
    const idempotencyKey = store.readMessage("toDolphins", again)?.idempotencyKey ?? null;
    return { sequence: again, idempotencyKey, isAgain: true };
  }

  /** False when it has to be tried again. */
  async #show({ sequence, idempotencyKey, isAgain }: Owed): Promise<boolean> {
    const { cache, store, sendReceipt } = this.#deps;
    const { ticket } = cache;
    const deskMessage = deskMessageOfKey(idempotencyKey ?? "");
    if (!ticket || deskMessage === undefined) return true;
    const parts = store.readParts("toDolphins", deskMessage);
    // The last part speaks for all.
    if (parts.some((part) => (!isAgain && part.sequence > sequence) || part.state === "waiting")) return true;
    const dead = parts.find((part) => part.state === "dead" || part.state === "discarded")?.sequence;
    const receipt = { deskMessage, attempt: this.#attempts + 1, ...(await this.#outcomeOf(dead)) };
    const outcome = await sendReceipt(ticket, receipt);
    if (!outcome || outcome.kind === "delivered") return true;
    const { owner, ticketNumber } = ticket;
    log("receipt_failed", { owner, ticketNumber, sequence, attempt: receipt.attempt, error: outcome.error });
    if (outcome.kind !== "retry" || this.#attempts === RETRY_MS.length) return true;
    this.#attempts += 1;
    return false;
  }

  async #outcomeOf(
    dead: number | undefined,
  ): Promise<{ state: "delivered" } | Omit<Extract<Receipt, { state: "failed" }>, "deskMessage" | "attempt">> {
    const { cache, store, texts } = this.#deps;
    const { ticket } = cache;
    const message = dead === undefined ? undefined : store.readMessage("toDolphins", dead);
    const history = dead === undefined ? undefined : store.readHistory("toDolphins", dead);
    if (!message || !history?.reason || !ticket) return { state: "delivered" };
    const event = await readEvent(message, ticket, texts);
    const text = event.ok ? event.value : undefined;
    const report = failureReport(ticket, message, text, history.reason, history.attempts.at(-1)?.status);
    const { reason, status } = report;
    return { state: "failed", why: { reason, status }, note: { messageId: message.id, report } };
  }
}
