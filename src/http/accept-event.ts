import { newMessageId } from "../lib/message-id";
import type { Order } from "../desks/desk";
import type { EventKind, RelayEvent } from "../model/event";
import { parseEvent, withStickerText } from "../model/event";
import { AppError } from "../model/errors";
import { errorText, log } from "../lib/log";
import type { Tenant } from "../tenants/tenant-record";
import type { Accepted, Refusal } from "../ticket/accept";
import type { DeskPlace } from "../ticket/desk-conversation";
import type { Result } from "../model/result";
import type { LaneName } from "../model/answers";
import type { DeliveryStatus } from "../model/timeline";
import { ask, ticketOf, type AppContext } from "./context";
import { textsOf } from "../registrar/texts-of";
import { placeOf } from "../ticket/stored-text";
import { unknownTicket } from "./resolve-tenant";
import { refuseLoop } from "./loop";

const LONGEST_WAIT_SECONDS = 20;
const LONGEST_KEY = 256;

/** An event out of a body's JSON. Throws `invalid_event`, with one issue for each field. */
export function eventOf(shape: Parameters<typeof parseEvent>[0], json: unknown): RelayEvent {
  const parsed = parseEvent(shape, json);
  if (parsed.ok) return parsed.event;
  const fields = parsed.problems.map((problem) => problem.path || "the body").join(", ");
  throw new AppError("invalid_event", `The event does not fit: fix ${fields}.`, { issues: parsed.problems });
}

export type NewEvent = {
  tenant: Tenant;
  lane: LaneName;
  kind: EventKind;
  event: RelayEvent;
  idempotencyKey: string | undefined;
  /** It is a desk's own webhook. */
  fromWebhook: boolean;
  place?: DeskPlace | undefined;
  order?: Order | undefined;
};
export type Stored = Accepted & { ticket: () => ReturnType<typeof ticketOf> };

/** Stores one event in its ticket. Returns when it is durable; throws the refusal. */
export async function storeEvent(
  c: AppContext,
  { tenant, lane, kind, event, idempotencyKey, fromWebhook, place, order }: NewEvent,
): Promise<Stored> {
  refuseLoop(c);
  const { owner, deskId } = tenant;
  const { ticketNumber, channel, contactId = "", customerName } = event;
  const canonical = withStickerText(kind, { ...event, owner }, tenant.stickerText);
  const ticket = () => ticketOf(c, owner, ticketNumber);
  const id = newMessageId();
  const sealed = await ask(() =>
    textsOf(c.env).sealEvent({ owner, ticketNumber }, placeOf({ lane, kind, id }), canonical),
  );
  const about = {
    id,
    owner,
    ticketNumber,
    deskId,
    lane,
    kind,
    idempotencyKey,
    fromWebhook,
    place,
    origin: new URL(c.req.url).origin,
    order,
    isPartial: kind === "outgoing" && (channel === undefined || customerName === undefined),
    channel: channel ?? "",
    contactId,
    customerName: customerName ?? "",
  };
  const answer = await ask<Result<Accepted, Refusal>>(async (isAgain) => {
    try {
      return await ticket().acceptSealed({ ...about, ...sealed, isAgain });
    } catch (error) {
      // While a deploy is under way, the object may still be of release 0.1.0.
      if (!isUnknownMethod(error)) throw error;
      return ticket().accept({ ...about, event: JSON.stringify(canonical), isAgain });
    }
  });
  if (!answer.ok) throw refusal(answer.error);
  const accepted = answer.value;
  // What is attempted at once has its line at the end of that attempt: a line costs as much as the rest of the request.
  if (!accepted.repeat && !accepted.queued) return { ...accepted, ticket };
  log(accepted.repeat ? "repeated" : "accepted", {
    requestId: c.var.requestId,
    owner,
    ticketNumber,
    lane: accepted.lane,
    kind,
    messageId: accepted.id,
    sequence: accepted.sequence,
    ms: Date.now() - c.var.receivedAtMs,
  });
  return { ...accepted, ticket };
}

/** The platform has no code for it. It says which method the object does not implement. */
const isUnknownMethod = (error: unknown): boolean => errorText(error).includes("acceptSealed");

/** Names a stored message in the answer. What lies has no sequence yet. */
export function nameMessage(c: AppContext, { id, sequence }: Stored): void {
  c.header("relay-message-id", id);
  if (sequence !== undefined) c.header("relay-sequence", String(sequence));
}

/** What became of a stored message within so many seconds. The message is stored: this question failing is no failure of it. */
async function outlookOf(
  c: AppContext,
  { ticket, lane, sequence, id }: Stored,
  seconds: number,
): Promise<DeliveryStatus> {
  // It repeats a Close of the desk's own that lies: which number that gets, nobody knows yet.
  if (sequence === undefined) return { state: "waiting" };
  try {
    return await ask<DeliveryStatus>(() => ticket().deliveryStatus(lane, sequence, seconds * 1000));
  } catch (error) {
    log("wait_failed", { requestId: c.var.requestId, messageId: id, error: errorText(error) });
    return { state: "waiting" };
  }
}

/**
 * Stores one event and answers: 200 once it is durable. With `Prefer: wait=N`, where the caller may ask for it, the answer
 * waits for the delivery.
 */
export async function acceptEvent(
  c: AppContext,
  event: Omit<NewEvent, "idempotencyKey" | "fromWebhook" | "place" | "order">,
  { mayWait, isSigned }: { mayWait: boolean; isSigned: boolean },
): Promise<Response> {
  const idempotencyKey = keyOf(c, isSigned);
  const waitSeconds = mayWait ? preferredWait(c) : undefined;
  const stored = await storeEvent(c, { ...event, idempotencyKey, fromWebhook: false });
  nameMessage(c, stored);
  if (stored.repeat) c.header("idempotent-replay", "true");
  if (waitSeconds === undefined) return c.json({ status: "success" });
  c.header("preference-applied", `wait=${waitSeconds}`);
  const outlook = await outlookOf(c, stored, waitSeconds);
  if (outlook.state === "dead") throw deliveryFailed(outlook, stored);
  c.header("relay-delivery", outlook.state === "delivered" ? "delivered" : "pending");
  return c.json({ status: "success" });
}

function refusal(refused: Refusal): AppError {
  switch (refused.code) {
    case "unknown_ticket":
      return unknownTicket();
    case "ticket_closed":
      return new AppError("ticket_closed", "The ticket is closed. The customer's next message opens it again.");
    case "other_conversation":
      return new AppError(
        "not_found",
        "The ticket goes on in another conversation. Only the end of that one closes it.",
      );
    case "idempotency_mismatch":
      return new AppError(
        "idempotency_mismatch",
        "This idempotency key was used with another event. Use a new key for a new message.",
      );
    case "backlog_full":
      return new AppError("backlog_full", "Too much waits in this direction of the ticket. Send it again later.", {
        headers: { "retry-after": String(refused.retryAfterSeconds) },
      });
  }
}

/** The refusal that tells a caller who waited that the message ended among the dead letters. */
function deliveryFailed({ reason, last }: Extract<DeliveryStatus, { state: "dead" }>, { id, sequence }: Stored) {
  return new AppError("delivery_failed", `3Dolphins did not take the message (${reason}): ${last.error ?? ""}`, {
    headers: { "relay-message-id": id, "relay-sequence": String(sequence) },
  });
}

/**
 * `Idempotency-Key`, or else `webhook-id`. Of a signed request it is `webhook-id`, which the signature covers: who has seen
 * one cannot send it again under another key.
 */
function keyOf(c: AppContext, isSigned: boolean): string | undefined {
  const name = isSigned || c.req.header("idempotency-key") === undefined ? "webhook-id" : "Idempotency-Key";
  const key = c.req.header(name);
  if (key === undefined) return undefined;
  if (key.length >= 1 && key.length <= LONGEST_KEY) return key;
  throw new AppError("invalid_request", `${name} must be 1 to ${LONGEST_KEY} characters long.`, {
    issues: [{ path: name, message: `must be 1 to ${LONGEST_KEY} characters long` }],
  });
}

/** Seconds of `Prefer: wait=N` (RFC 7240, 4.3), at most 20. A preference that is malformed is ignored, as that RFC has it. */
function preferredWait(c: AppContext): number | undefined {
  const wait = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})"?(?=$|[,;\s])/i.exec(c.req.header("prefer") ?? "")?.[1];
  return wait === undefined ? undefined : Math.min(Number(wait), LONGEST_WAIT_SECONDS);
}
