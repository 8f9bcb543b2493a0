import * as z from "zod";
import { poll as pollFor } from "../../../dev/harness/poll.ts";

const Lane = z.looseObject({
  accepted: z.int(),
  delivered: z.int(),
  waiting: z.int(),
  dead: z.int(),
  oldestWaitingSince: z.iso.datetime().optional(),
  nextAttemptAt: z.iso.datetime().optional(),
  blockedBy: z.string().startsWith("msg_").optional(),
  paused: z.object({ since: z.iso.datetime(), reason: z.string() }).optional(),
});

const Attempt = z.looseObject({
  at: z.iso.datetime(),
  ms: z.number().min(0),
  status: z.int().optional(),
  outcome: z.enum(["delivered", "rejected", "blocked", "retry"]).optional(),
  noAnswer: z.enum(["timeout", "connection"]).optional(),
  detail: z.string().optional(),
  answer: z.string().optional(),
  givenUpAfterSeconds: z.int().optional(),
  error: z.string().optional(),
});

const Message = z.looseObject({
  id: z.string().startsWith("msg_"),
  lane: z.enum(["toDesk", "toDolphins"]),
  /** Not there as long as it lies. */
  sequence: z.int().min(1).optional(),
  kind: z.enum(["incoming", "outgoing", "command", "failure"]),
  state: z.enum(["waiting", "delivered", "dead", "discarded"]),
  acceptedAt: z.iso.datetime(),
  suspectedDuplicate: z.boolean(),
  attempts: z.array(Attempt),
  event: z.record(z.string(), z.unknown()),
});

/** What every test reads of a ticket. That there is not a field more is for one test of its own. */
export const TicketAnswer = z.looseObject({
  status: z.literal("success"),
  ticket: z.looseObject({
    ticketNumber: z.string(),
    owner: z.string(),
    channel: z.string(),
    contactId: z.string(),
    customerName: z.string(),
    state: z.enum(["open", "closing", "closed"]),
    lanes: z.strictObject({ toDesk: Lane, toDolphins: Lane }),
    messages: z.array(Message),
    next: z.string().optional(),
  }),
});

/** The fields that an answer may have, by what they are fields of. */
export const documentedFields = {
  answer: ["status", "ticket"],
  ticket: Object.keys(TicketAnswer.shape.ticket.shape),
  lane: Object.keys(Lane.shape),
  message: Object.keys(Message.shape),
  attempt: Object.keys(Attempt.shape),
};

export type Ticket = z.infer<typeof TicketAnswer>["ticket"];

/** Reads again until the condition holds; says what was awaited, and what was there instead, when it never does. */
export async function poll<T>(
  read: () => Promise<T>,
  condition: (value: T) => boolean,
  what: string,
  timeoutMs = 30_000,
): Promise<T> {
  const value = await pollFor(read, condition, { timeoutMs });
  if (condition(value)) return value;
  throw new Error(`waited ${timeoutMs} ms for ${what}, last seen: ${JSON.stringify(value)?.slice(0, 2_000)}`);
}
