import { deskMessageOfKey, type Receipt } from "../desks/desk";
import { isWaiting } from "../lib/clock";
import { errorText, log } from "../lib/log";
import { failureReport } from "./conversation";
import type { TicketDeps } from "./deps";
import type { MessageRow } from "./schema";

/** Waits between the attempts of one receipt. After the last one, the agent sees "sent" and no more. */
const RETRY_MS = [2_000, 10_000, 60_000, 300_000, 900_000];
const LONGEST_WAIT_MS = 900_000;

type ReceiptDeps = Pick<TicketDeps, "cache" | "store" | "nowMs" | "waitUntil" | "sendReceipt"> & {
  /** Has the alarm stand for what is due later. */
  ended: () => void;
};

/**
 * Shows at a desk's own messages what became of them. What is owed is derived from the rows: the ticket's row says up to which
 * reply all is shown, and every settled one behind it is owed. So a crash owes the same as before, and a desk without receipts
 * costs nothing. It runs beside the lanes, and delays neither.
 */
export class Receipts {
  readonly #deps: ReceiptDeps;
  #isUnderWay = false;
  /** After a start nobody knows. */
  #mayOwe = true;
  #attempts = 0;
  #notBeforeMs = 0;

  constructor(deps: ReceiptDeps) {
    this.#deps = deps;
  }

  /** A reply has been delivered or is dead. False when it is not a desk's own message, which has no receipt. */
  settled({ sequence, idempotencyKey }: MessageRow): boolean {
    if (deskMessageOfKey(idempotencyKey ?? "") === undefined) return false;
    const { cache } = this.#deps;
    // The first of the ticket, or one that was replayed.
    if ((cache.receiptedUpTo() ?? sequence) >= sequence) cache.keepReceipted(sequence - 1);
    this.#mayOwe = true;
    return true;
  }

  startIfDue(nowMs: number): void {
    if (this.#isUnderWay || !this.#mayOwe || isWaiting(this.#notBeforeMs, nowMs, LONGEST_WAIT_MS)) return;
    if (this.#deps.cache.receiptedUpTo() === undefined) return;
    this.#isUnderWay = true;
    this.#deps.waitUntil(this.#run());
  }

  /** When an alarm has to ring for a receipt, epoch ms. */
  dueMs(): number {
    return this.#mayOwe && this.#notBeforeMs > 0 ? this.#notBeforeMs : Number.POSITIVE_INFINITY;
  }

  async #run(): Promise<void> {
    const { cache, store, nowMs } = this.#deps;
    try {
      let upTo = cache.receiptedUpTo() ?? 0;
      let isBehind = true;
      while (isBehind) {
        const next = store.readNextSettled("toDolphins", upTo);
        if (!next || !(await this.#show(next))) break;
        upTo = next.sequence;
        this.#attempts = 0;
        isBehind = (cache.receiptedUpTo() ?? 0) < upTo;
      }
      // A replay may have settled meanwhile, and have set it back.
      if (isBehind) cache.keepReceipted(upTo);
      this.#mayOwe = store.readNextSettled("toDolphins", cache.receiptedUpTo() ?? 0) !== undefined;
      const waitMs = RETRY_MS[this.#attempts - 1] ?? 0;
      this.#notBeforeMs = this.#attempts > 0 ? nowMs() + waitMs : 0;
    } catch (error) {
      log("receipts_failed", { owner: cache.ticket?.owner, error: errorText(error) });
      this.#notBeforeMs = nowMs() + LONGEST_WAIT_MS;
    } finally {
      this.#isUnderWay = false;
    }
    this.startIfDue(nowMs());
    this.#deps.ended();
  }

  /** False when it has to be tried again. */
  async #show({ sequence, idempotencyKey }: { sequence: number; idempotencyKey: string | null }): Promise<boolean> {
    const { cache, store, sendReceipt } = this.#deps;
    const { ticket } = cache;
    const deskMessage = deskMessageOfKey(idempotencyKey ?? "");
    if (!ticket || deskMessage === undefined) return true;
    const parts = store.readParts("toDolphins", deskMessage);
    // The last part speaks for all.
    if (parts.some((part) => part.sequence > sequence || part.state === "waiting")) return true;
    const dead = parts.find((part) => part.state === "dead")?.sequence;
    const receipt = { deskMessage, attempt: this.#attempts + 1, ...this.#outcomeOf(dead) };
    const outcome = await sendReceipt(ticket, receipt);
    if (!outcome || outcome.kind === "delivered") return true;
    const { owner, ticketNumber } = ticket;
    log("receipt_failed", { owner, ticketNumber, sequence, attempt: receipt.attempt, error: outcome.error });
    if (outcome.kind !== "retry" || this.#attempts === RETRY_MS.length) return true;
    this.#attempts += 1;
    return false;
  }

  #outcomeOf(
    dead: number | undefined,
  ): { state: "delivered" } | Omit<Extract<Receipt, { state: "failed" }>, "deskMessage" | "attempt"> {
    const { cache, store } = this.#deps;
    const message = dead === undefined ? undefined : store.readMessage("toDolphins", dead);
    const history = dead === undefined ? undefined : store.readHistory("toDolphins", dead);
    if (!message || !history?.reason || !cache.ticket) return { state: "delivered" };
    const report = failureReport(cache.ticket, message, history.reason, history.attempts.at(-1)?.status);
    const { reason, status } = report;
    return { state: "failed", why: { reason, status }, note: { messageId: message.id, report } };
  }
}
