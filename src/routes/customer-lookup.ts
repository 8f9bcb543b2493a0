import * as z from "zod/mini";
import type { ServiceFailure } from "../engine/service-call";
import { CONTACT_FRESH_MS, readContact, readHistory } from "../engine-session/lookups";
import type { HistoryAnswer } from "../model/answers";
import { id } from "../model/event";
import { AppError } from "../model/errors";
import { log } from "../lib/log";
import type { Result } from "../model/result";
import type { TicketInfo, UnknownTicket } from "../ticket/views";
import { recordDeskLook } from "../http/audit-trail";
import { authenticateToken } from "../http/auth";
import { ask, configOf, ticketOf, type AppContext } from "../http/context";
import { queryIn } from "../http/parameters";
import { resolveTenant, unknownTicket } from "../http/resolve-tenant";
import { Routes } from "../http/routes";

/** What 3Dolphins knows, shown to a desk by way of a ticket of its own: the customer's contact, and the conversation. */

const option = z.optional(z.string().check(z.maxLength(64, "must be at most 64 characters long")));

export const contactQuery = z.object({
  ticketNumber: id,
  owner: z.optional(id),
  ignoreDeleted: option,
  includeChildrenSocial: option,
  numberOfChildren: option,
});

const day = z.optional(z.iso.date("must be a date such as 2021-09-24"));

export const historyQuery = z.object({
  owner: z.optional(id),
  from: day,
  to: day,
  next: z.pipe(
    z._default(z.string().check(z.regex(/^\d{1,9}$/, "must be the next of the answer before")), "0"),
    z.transform(Number),
  ),
});

export const contacts = new Routes();

contacts.get("/:contactId", async (c) => {
  c.header("cache-control", "no-store");
  const deskId = await authenticateToken(c);
  const { ticketNumber, owner, ...options } = queryIn(c, contactQuery);
  const contactId = c.req.param("contactId");
  const { tenant, info } = await ticketIn(c, deskId, owner, ticketNumber);
  if (info.contactId !== contactId)
    throw noContact("That ticket names another contact. Its contactId is in each of its Incoming Events.");
  const fresh = /\bno-(cache|store)\b/i.test(c.req.header("cache-control") ?? "");
  const served = await ask(() => readContact(depsOf(c), tenant, contactId, { options, fresh }));
  if (!served.ok) throw engineRefusal(served.error);
  if (!served.value) throw noContact("3Dolphins has no such contact any more.");
  const { contact, ageMs } = served.value;
  recordDeskLook(c, deskId, "contact_shown", tenant.owner, ticketNumber);
  log("contact_shown", { requestId: c.var.requestId, owner: tenant.owner, ticketNumber, ageMs });
  c.header("cache-control", `private, max-age=${CONTACT_FRESH_MS / 1000}`);
  c.header("age", String(Math.floor(ageMs / 1000)));
  c.header("vary", "authorization");
  return c.body(`{"status":"success","contact":${contact}}`, 200, { "content-type": "application/json" });
});

/** GET /v1/tickets/{ticketNumber}/history */
export async function showHistory(c: AppContext): Promise<Response> {
  c.header("cache-control", "no-store");
  const deskId = await authenticateToken(c);
  const { owner, from, to, next: startIndex } = queryIn(c, historyQuery);
  const ticketNumber = c.req.param("ticketNumber") ?? "";
  const { tenant, info } = await ticketIn(c, deskId, owner, ticketNumber);
  const ticket = { ticketNumber, openedAtMs: info.openedAtMs };
  const served = await ask(() => readHistory(depsOf(c), tenant, ticket, { from, to, startIndex }));
  if (!served.ok) throw engineRefusal(served.error);
  const { messages, next } = served.value;
  recordDeskLook(c, deskId, "history_shown", tenant.owner, ticketNumber);
  log("history_shown", { requestId: c.var.requestId, owner: tenant.owner, ticketNumber, messages: messages.length });
  return c.json<HistoryAnswer>({ status: "success", messages, ...(next === undefined ? {} : { next }) });
}

/** The ticket that lets the desk in. Throws `unknown_ticket` when no Incoming Event of that tenant has opened it. */
async function ticketIn(c: AppContext, deskId: string, owner: string | undefined, ticketNumber: string) {
  c.set("about", { owner, ticketNumber });
  const tenant = await resolveTenant(c, deskId, owner, ticketNumber);
  c.set("about", { owner: tenant.owner, ticketNumber });
  const info = await ask<Result<TicketInfo, UnknownTicket>>(() => ticketOf(c, tenant.owner, ticketNumber).ticketInfo());
  if (!info.ok) throw unknownTicket();
  return { tenant, info: info.value };
}

const depsOf = (c: AppContext) => ({ config: configOf(c), sessions: c.env.ENGINE_SESSION });

const noContact = (message: string) => new AppError("not_found", message);

/** The engine's failure, told to the desk that waits for its answer. */
function engineRefusal({ timedOut, error, retryAfterMs }: ServiceFailure) {
  const headers: Record<string, string> =
    retryAfterMs === undefined ? {} : { "retry-after": String(Math.ceil(retryAfterMs / 1000)) };
  return timedOut
    ? new AppError("engine_timeout", `3Dolphins did not answer in time: ${error}. Ask again.`, { headers })
    : new AppError("engine_failed", `3Dolphins did not give this: ${error}.`, { headers, detail: error });
}
