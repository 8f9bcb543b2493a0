import * as z from "zod/mini";
import { ask, indexOf, ticketOf, type AppContext } from "../../http/context";
import { audit } from "../../http/audit-trail";
import { allow } from "../../http/operators";
import { queryIn } from "../../http/parameters";
import { Routes } from "../../http/routes";
import type { ExportLine, TicketView } from "../../model/answers";
import { AppError } from "../../model/errors";
import { id } from "../../model/event";
import { pageBefore, readTicket } from "../desk-tickets";
import { contactId, knownOwnerIn } from "./erase";

/** Gives out what there is of a customer, as NDJSON. */
export const exports = new Routes();

const TICKETS_AT_ONCE = 50;

const exportQuery = z.object({ contactId: z.optional(contactId), ticketNumber: z.optional(id) });
type Which = z.infer<typeof exportQuery>;

exports.get("/:owner/export", allow("viewer", "customer_exported"), async (c) => {
  const which = queryIn(c, exportQuery);
  if ((which.contactId === undefined) === (which.ticketNumber === undefined)) {
    throw new AppError("invalid_request", "Give either contactId or ticketNumber.", {
      issues: [{ path: "contactId", message: "must be given, or else ticketNumber" }],
    });
  }
  const owner = await knownOwnerIn(c);
  audit(c, which as Record<string, string>);
  return c.body(streamOf(linesOf(c, owner, which)), 200, { "content-type": "application/x-ndjson" });
});

/** Each ticket is followed by its messages, the newest first. Only what is whole ends with the line that says so. */
async function* linesOf(c: AppContext, owner: string, which: Which): AsyncGenerator<string> {
  let [tickets, messages] = [0, 0];
  for await (const ticketNumber of ticketsOf(c, owner, which)) {
    let before: string | undefined;
    do {
      const page = await readTicket(c, owner, ticketNumber, pageBefore(before));
      // It has been deleted since it was listed.
      if (page === undefined) break;
      const { messages: shown, next, ...ticket } = (JSON.parse(page) as TicketView).ticket;
      if (before === undefined) {
        tickets++;
        yield lineOf({ type: "ticket", ...ticket });
      }
      for (const message of shown.toReversed()) yield lineOf({ type: "message", ticketNumber, ...message });
      messages += shown.length;
      before = next;
    } while (before !== undefined);
  }
  yield lineOf({ type: "end", tickets, messages });
}

async function* ticketsOf(c: AppContext, owner: string, which: Which): AsyncGenerator<string> {
  if (which.ticketNumber !== undefined) return yield which.ticketNumber;
  const { contactId: contact = "" } = which;
  let afterId = 0;
  for (;;) {
    const listed = await ask(() => indexOf(c, owner).ticketsOf(contact, afterId, TICKETS_AT_ONCE));
    for (const { id: ticketId, ticketNumber, isSure } of listed) {
      afterId = ticketId;
      if (isSure || (await ask(async () => ticketOf(c, owner, ticketNumber).isOf(contact)))) yield ticketNumber;
    }
    if (listed.length < TICKETS_AT_ONCE) return;
  }
}

const lineOf = (line: ExportLine): string => `${JSON.stringify(line)}\n`;

/** The next line is made when somebody takes it. */
function streamOf(lines: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    pull: async (controller) => {
      const { done, value } = await lines.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    cancel: async () => void (await lines.return(undefined)),
  });
}
