import { byteLength, fromBase64 } from "../crypto/bytes";
import type { Place } from "../crypto/sealed-text";
import type { Attempt, DeadLetter, MessageState, TimelineMessage } from "../model/answers";
import { withError } from "../model/attempt";
import { completeReply } from "../model/reply";
import type { Result } from "../model/result";
import { isoTime } from "../model/timeline";
import type { StoredText, Texts, Unreadable } from "../tenants/texts";
import type { MessageRow, TicketRow } from "./schema";

/** The texts in a ticket's rows: where each belongs, and how they are read. */

/** An attempt as it is kept: what the far end answered may repeat what somebody said, so it is sealed, in base64. */
export type StoredAttempt = Attempt & { sealedAnswer?: string };

export type StoredMessage = MessageRow & { state: MessageState; attempts: StoredAttempt[] };
export type StoredDeadLetter = StoredMessage & Pick<DeadLetter, "reason">;

type Ticket = Pick<TicketRow, "owner" | "ticketNumber">;
type Message = Pick<MessageRow, "lane" | "kind" | "id">;

export const bytesOf = (stored: StoredText): number =>
  typeof stored === "string" ? byteLength(stored) : stored.byteLength;

export const placeOf = ({ lane, kind, id }: Message): Place => [lane, kind, id];

const answerPlace = ({ lane, id }: Message, { at }: Attempt): Place => [lane, "answer", id, at];

/** The event of a row, or its report, as JSON. */
export async function readEvent(
  row: Message & Pick<MessageRow, "event" | "completion">,
  ticket: Ticket,
  texts: Pick<Texts, "open">,
): Promise<Result<string, Unreadable>> {
  const opened = await texts.open(ticket, placeOf(row), row.event);
  if (!opened.ok || row.completion === null) return opened;
  const known = JSON.parse(row.completion) as Pick<TicketRow, "channel" | "customerName">;
  return { ok: true, value: completeReply(opened.value, known) };
}

/** The attempt as it is to be kept. If there is no key to seal the answer with, that is not kept. */
export async function sealAnswer(
  { answer, ...attempt }: Attempt,
  message: Message,
  ticket: Ticket,
  texts: Pick<Texts, "seal">,
): Promise<StoredAttempt> {
  if (answer === undefined) return attempt;
  const sealed = await texts.seal(ticket, answerPlace(message, attempt), answer).catch(() => undefined);
  return sealed ? { ...attempt, sealedAnswer: new Uint8Array(sealed).toBase64() } : attempt;
}

/** The attempt with what the far end answered, and with its `error`. */
export async function readAttempt(
  { sealedAnswer, ...attempt }: StoredAttempt,
  message: Message,
  ticket: Ticket,
  texts: Pick<Texts, "open">,
): Promise<Attempt> {
  const sealed = sealedAnswer === undefined ? undefined : fromBase64(sealedAnswer);
  if (!sealed) return withError(attempt);
  const opened = await texts.open(ticket, answerPlace(message, attempt), sealed.buffer);
  return withError({ ...attempt, answer: opened.ok ? opened.value : `(${opened.error.why})` });
}

/** A message as people are shown it. One that is not taken yet has no sequence. */
export async function readMessage(
  stored: StoredMessage,
  takenUpTo: number,
  ticket: Ticket,
  texts: Pick<Texts, "open">,
): Promise<TimelineMessage> {
  const { id, lane, kind, state, sequence, acceptedAtMs, suspectedDuplicate } = stored;
  const [event, attempts] = await Promise.all([
    readEvent(stored, ticket, texts),
    Promise.all(stored.attempts.map((attempt) => readAttempt(attempt, stored, ticket, texts))),
  ]);
  return {
    id,
    lane,
    kind,
    state,
    acceptedAt: isoTime(acceptedAtMs),
    suspectedDuplicate: suspectedDuplicate === 1,
    attempts,
    ...(event.ok
      ? { event: JSON.parse(event.value) as TimelineMessage["event"] }
      : { event: {}, unreadable: event.error.why }),
    ...(sequence > takenUpTo ? {} : { sequence }),
  };
}

export async function readDeadLetter(
  stored: StoredDeadLetter,
  ticket: Ticket,
  texts: Pick<Texts, "open">,
): Promise<DeadLetter> {
  const { sequence, reason } = stored;
  return { ...(await readMessage(stored, sequence, ticket, texts)), sequence, reason };
}
