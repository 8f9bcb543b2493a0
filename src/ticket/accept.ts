import type { Order } from "../desks/desk";
import type { EventKind } from "../model/event";
import type { Result } from "../model/result";
import type { LaneName } from "../model/answers";
import type { StoredText } from "../tenants/texts";
import type { TicketDeps } from "./deps";
import { follow, isElsewhere, type DeskPlace } from "./desk-conversation";
import { wake } from "./drain";
import { isFull, notBeforeMsOf } from "./lane";
import { lieUntilMs } from "./order";
import type { TicketRow } from "./schema";
import { bytesOf } from "./stored-text";

export type NewEvent = {
  /** For the message that it becomes. */
  id: string;
  /** It was sent to an object that was reset meanwhile: it may be stored under this id already. */
  isAgain: boolean;
  owner: string;
  ticketNumber: string;
  deskId: string;
  lane: LaneName;
  kind: EventKind;
  /** The JSON of the canonical event, sealed. A Worker of release 0.1.0 gives it in clear. */
  event: StoredText;
  /** Equal for events that say the same. */
  digest: string;
  /** It is a reply that leaves to the ticket what the ticket knows. */
  isPartial?: boolean;
  channel: string;
  contactId: string;
  customerName: string;
  idempotencyKey: string | undefined;
  /** It is a desk's own webhook, which may be the echo of what the relay itself did there. */
  fromWebhook: boolean;
  /** Where it comes from at a desk that names its conversations. */
  place?: DeskPlace | undefined;
  /** Where the relay was called. */
  origin?: string | undefined;
  order?: Order | undefined;
};

type Taken = {
  id: string;
  /** The lane asked for, except of a Close that repeats one from the other side. */
  lane: LaneName;
  /** Undefined as long as it lies. */
  sequence: number | undefined;
  /** The event was accepted before. Nothing is stored for it. */
  repeat: boolean;
};
/** `queued` says that the message is not attempted at once. It lies, others go before it, or its lane waits. */
export type Accepted = Taken & { queued: boolean };

type RefusalCode = "unknown_ticket" | "ticket_closed" | "idempotency_mismatch" | "other_conversation";
export type Refusal = { code: RefusalCode } | { code: "backlog_full"; retryAfterSeconds: number };

/** Stores one event and starts its delivery. Its row is written before this returns, and this waits for nothing. */
export function accept(input: NewEvent, deps: TicketDeps): Result<Accepted, Refusal> {
  const nowMs = deps.nowMs();
  const taken = take(input, deps, nowMs);
  wake(deps, nowMs);
  if (!taken.ok) return taken;
  const { lane, sequence, repeat } = taken.value;
  const queued = !repeat && (sequence === undefined || deps.cache.lane(lane).inFlight !== sequence);
  return { ok: true, value: { ...taken.value, queued } };
}

function take(input: NewEvent, deps: TicketDeps, nowMs: number): Result<Taken, Refusal> {
  const { cache, recentBodies, recentKeys } = deps;
  const { ticket } = cache;
  const { id, owner, ticketNumber, lane, kind, idempotencyKey, order } = input;
  if (!ticket && kind !== "incoming") return refused("unknown_ticket");
  if (ticket && (ticket.owner !== owner || ticket.ticketNumber !== ticketNumber)) {
    throw new Error("this object belongs to another ticket");
  }
  cache.origin = input.origin ?? cache.origin;
  if (kind === "command" && input.place && isElsewhere(input.place, cache)) return refused("other_conversation");
  const before = ticket && acceptedBefore(ticket, input, deps, nowMs);
  if (before) return before;
  if (kind === "outgoing" && !cache.acceptsReplies()) return refused("ticket_closed");
  const { event, digest } = input;
  const bytes = bytesOf(event);
  if (isFull(cache.lane(lane), bytes)) {
    const waitMs = notBeforeMsOf(cache.lane(lane), nowMs) - nowMs;
    const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000));
    return { ok: false, error: { code: "backlog_full", retryAfterSeconds } };
  }
  // Where there is a key, the sender says itself what is a repeat.
  const suspectedDuplicate = idempotencyKey === undefined && recentBodies.has(lane, digest, nowMs);
  const untilMs = order && lieUntilMs(order, cache.lane(lane).lying, recentKeys.highest(nowMs), nowMs);
  const lying = order && untilMs !== undefined ? { key: order.key, untilMs } : undefined;
  const { channel, customerName } = ticket ?? input;
  const completion = input.isPartial ? JSON.stringify({ channel, customerName }) : undefined;
  const message = { id, lane, kind, event, bytes, digest, completion, suspectedDuplicate, idempotencyKey, lying };
  const { sequence } = cache.accept(message, input, nowMs);
  if (order && order.key !== null) recentKeys.add(order.key, nowMs);
  if (idempotencyKey === undefined) recentBodies.add(lane, digest, nowMs);
  if (kind === "outgoing" && input.place) follow(input.place, cache);
  return { ok: true, value: { id, lane, sequence: lying ? undefined : sequence, repeat: false } };
}

/**
 * The answer to an event that was accepted before: this very one, whose first answer was lost; one with the same key; or a
 * Close while another closes the ticket.
 */
function acceptedBefore(
  { closeLane, closeSequence }: TicketRow,
  { id, isAgain, lane, kind, event, digest, idempotencyKey, fromWebhook }: NewEvent,
  { cache, store, closeEcho }: TicketDeps,
  nowMs: number,
): Result<Taken, Refusal> | undefined {
  const taken = (its: { id: string; lane: LaneName; sequence: number }, repeat: boolean): Result<Taken, Refusal> => {
    const sequence = cache.lies(its.lane, its.sequence) ? undefined : its.sequence;
    return { ok: true, value: { id: its.id, lane: its.lane, sequence, repeat } };
  };
  const itself = isAgain ? store.findNewest(lane, id) : undefined;
  if (itself !== undefined) return taken({ id, lane, sequence: itself }, false);
  const first = idempotencyKey === undefined ? undefined : store.readKey(lane, idempotencyKey, nowMs);
  const message = first === undefined ? undefined : store.readMessage(lane, first);
  // The key of a desk's own message names it, whatever its bytes: a list says it in other words than the webhook does.
  // One in clear is of release 0.1.0 and has no digest, so its key alone says that it is the same.
  const isOther = typeof event !== "string" && message && message.digest !== null && message.digest !== digest;
  if (isOther && !fromWebhook) return refused("idempotency_mismatch");
  const isClosing = kind === "command" && closeLane !== null && closeSequence !== null;
  const close = isClosing ? store.readMessage(closeLane, closeSequence) : undefined;
  const echoed = kind === "command" && fromWebhook ? closeEcho.take(nowMs) : undefined;
  const earlier = message ?? close ?? echoed;
  return earlier && taken(earlier, true);
}

const refused = (code: RefusalCode) => ({ ok: false, error: { code } }) as const;
