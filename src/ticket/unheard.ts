import { canBeAsked } from "../desks/registry";
import { errorText, log } from "../lib/log";
import { newMessageId } from "../lib/message-id";
import type { Result } from "../model/result";
import { LANES } from "../model/timeline";
import type { Accepted, NewEvent, Refusal } from "./accept";
import type { FoundReply } from "./ask-desk";
import type { TicketDeps } from "./deps";
import { firstNumber } from "./known-reply";
import type { TicketRow } from "./schema";
import { placeOf } from "./stored-text";
import { quotable } from "./views";

/** After so long without a message of either side, the desk is asked whether that was all. */
const QUIET_MS = 120_000;
/** What was quiet for longer than this was so before anybody asked. */
const LONGEST_MS = 3600_000;
/** Before it has answered, or so long, nothing that lies is taken: a Close goes behind what is found. */
const CLOSE_ASKS_MS = 3_000;
/** Waits between the attempts to ask. After the last one, the next message's quiet is waited for. */
const RETRY_MS = [30_000, 120_000, 600_000];

type UnheardDeps = Pick<TicketDeps, "cache" | "store" | "texts" | "nowMs" | "waitUntil" | "askDesk" | "sendReceipt"> & {
  take: (event: NewEvent) => Result<Accepted, Refusal>;
  /** Starts what waited for it. */
  ended: () => void;
};

/**
 * Asks a desk that tells of each message once for what no webhook told, and takes that as if its webhook had come: under the
 * same keys, so that one which comes late is a repeat. The ticket's row says how much was accepted when the desk was last
 * asked, so a ticket in which nothing happened costs nothing.
 */
export class Unheard {
  readonly #deps: UnheardDeps;
  #isUnderWay = false;
  /** How many messages were accepted when the quiet began, and when that was. */
  #quiet = { accepted: 0, sinceMs: 0 };
  #askedForClose: number | undefined;
  #heldUntilMs = 0;
  #attempts = 0;
  #notBeforeMs = 0;

  constructor(deps: UnheardDeps) {
    this.#deps = deps;
  }

  startIfDue(nowMs: number): void {
    const { cache, waitUntil } = this.#deps;
    if (this.#isUnderWay || !cache.ticket) return;
    const close = this.#lyingClose();
    const isClosing = close !== undefined && close !== this.#askedForClose;
    if (!isClosing && this.dueMs(nowMs) > nowMs) return;
    this.#askedForClose = close;
    this.#isUnderWay = true;
    if (isClosing) this.#heldUntilMs = nowMs + CLOSE_ASKS_MS;
    waitUntil(this.#run(cache.ticket, isClosing));
  }

  /** Until when nothing that lies may be taken, epoch ms. */
  heldUntilMs = (): number => this.#heldUntilMs;

  /** When an alarm has to ring for it, epoch ms. */
  dueMs(nowMs: number): number {
    const { cache, store } = this.#deps;
    const isOpen = cache.ticket?.state === "open" && !this.#isUnderWay && canBeAsked(cache.deskFarEnd() ?? "");
    const accepted = this.#accepted();
    if (!isOpen || accepted <= (cache.asked()?.accepted ?? 0)) return Number.POSITIVE_INFINITY;
    if (accepted !== this.#quiet.accepted) {
      this.#quiet = { accepted, sinceMs: store.newestAcceptedAtMs() };
      this.#attempts = 0;
      this.#notBeforeMs = 0;
    }
    const dueMs = Math.max(this.#quiet.sinceMs + QUIET_MS, this.#notBeforeMs);
    return nowMs > this.#quiet.sinceMs + LONGEST_MS ? Number.POSITIVE_INFINITY : dueMs;
  }

  /** A Close waits for the replies before it: it is known by until when it lies. */
  #lyingClose = (): number | undefined =>
    this.#deps.cache.lane("toDolphins").lying.find(({ key }) => key === null)?.untilMs;

  #accepted = (): number => LANES.reduce((sum, lane) => sum + this.#deps.cache.lane(lane).accepted, 0);

  async #run(ticket: TicketRow, isClosing: boolean): Promise<void> {
    const { cache, store, texts, askDesk } = this.#deps;
    const before = this.#accepted();
    const { life } = cache;
    try {
      const answer = await askDesk(
        ticket,
        (farEnd) => {
          const conversation = cache.conversation("toDesk", farEnd);
          const after = cache.asked()?.upTo ?? firstNumber(farEnd, { cache, store });
          const origin = cache.calledAt();
          const quoted = (id: string) => quotable(id, { cache, store, texts });
          return conversation === undefined || after === undefined
            ? undefined
            : { conversation, after, origin, quotable: quoted };
        },
        isClosing ? CLOSE_ASKS_MS : Number.POSITIVE_INFINITY,
      );
      // Where the ticket was deleted meanwhile, what the desk has of it is not for the next.
      if (cache.life !== life) return;
      if (answer?.ok) {
        const { replies, upTo } = answer;
        let taken = 0;
        for (const reply of replies) {
          if (cache.life === life && (await this.#take(ticket, reply))) taken++;
        }
        if (cache.life === life) cache.keepAsked({ accepted: before + taken, upTo });
      } else if (answer) {
        const { owner, ticketNumber } = ticket;
        const error = "error" in answer.outcome ? answer.outcome.error : undefined;
        log("asking_failed", { owner, ticketNumber, attempt: this.#attempts + 1, error });
        this.#again();
      } else {
        this.#notBeforeMs = Number.POSITIVE_INFINITY;
      }
    } catch (error) {
      log("asking_failed", { owner: ticket.owner, ticketNumber: ticket.ticketNumber, error: errorText(error) });
      this.#again();
    } finally {
      this.#isUnderWay = false;
      this.#heldUntilMs = 0;
      this.#deps.ended();
    }
  }

  #again(): void {
    this.#notBeforeMs = this.#deps.nowMs() + (RETRY_MS[this.#attempts] ?? Number.POSITIVE_INFINITY);
    this.#attempts += 1;
  }

  /** Whether a message was stored for it. */
  async #take(ticket: TicketRow, { idempotencyKey, deskMessage, place, order, event }: FoundReply) {
    const { cache, store, texts, take, sendReceipt } = this.#deps;
    const { owner, ticketNumber, deskId, channel, contactId, customerName } = ticket;
    const about = { id: newMessageId(), lane: "toDolphins", kind: "outgoing" } as const;
    const sealed = event && (await texts.sealEvent(ticket, placeOf(about), event));
    // Keys are good for a day, and this may be older.
    if (store.readParts("toDolphins", deskMessage).some(({ key }) => key === idempotencyKey)) return false;
    const stored =
      sealed === undefined
        ? { ok: false as const, error: { code: "invalid_event" as const } }
        : take({
            ...about,
            ...sealed,
            isAgain: false,
            owner,
            ticketNumber,
            deskId,
            channel,
            contactId,
            customerName,
            idempotencyKey,
            fromWebhook: true,
            place,
            order,
          });
    const code = stored.ok ? undefined : stored.error.code;
    log("unheard_reply", { owner, ticketNumber, messageId: stored.ok ? stored.value.id : undefined, code });
    if (stored.ok) return !stored.value.repeat;
    if (!cache.ticket || code === undefined || code === "other_conversation") return false;
    await sendReceipt(cache.ticket, { deskMessage, attempt: 1, state: "failed", why: { code } });
    return false;
  }
}
