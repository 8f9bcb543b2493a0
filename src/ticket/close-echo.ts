import { isWaiting } from "../lib/clock";
import type { MessageRow } from "./schema";

/** How long after a desk was sent a Close its own "closed" counts as the echo of that. */
const ECHO_MS = 30_000;

/**
 * A desk that is sent a Close says in a webhook of its own that its conversation is closed. As a rule the ticket is closed by
 * then, and the webhook is a repeat. But the customer may have written while the Close waited, and so have opened the ticket
 * again: then the echo must not close it. This is kept in memory alone, so after a restart it does.
 */
export class CloseEcho {
  #sent: { close: MessageRow; untilMs: number } | undefined;

  /** The desk is about to be sent this Close. Its echo may be here before its answer is. */
  expect(close: MessageRow, nowMs: number): void {
    this.#sent = { close, untilMs: nowMs + ECHO_MS };
  }

  /** The Close that a desk's webhook is the echo of, if it is one. A Close has one echo. */
  take(nowMs: number): MessageRow | undefined {
    const sent = this.#sent;
    this.#sent = undefined;
    return sent && isWaiting(sent.untilMs, nowMs, ECHO_MS) ? sent.close : undefined;
  }
}
