import * as z from "zod/mini";
import type { Result } from "../model/result";
import type { LaneName } from "../model/answers";
import { LANES, type Page } from "../model/timeline";
import type { UnknownTicket } from "../ticket/views";
import { recordDeskLook } from "../http/audit-trail";
import { authenticateToken } from "../http/auth";
import { ask, ticketOf, type AppContext } from "../http/context";
import { queryIn } from "../http/parameters";
import { resolveTenant, unknownTicket } from "../http/resolve-tenant";
import { Routes } from "../http/routes";
import { showHistory } from "./customer-lookup";

/** A desk's view of its tickets. */
export const tickets = new Routes();

tickets
  .get("/:ticketNumber", async (c) => {
    const deskId = await authenticateToken(c);
    const { ticketNumber } = c.req.param();
    const page = pageIn(c);
    const tenant = await resolveTenant(c, deskId, c.req.query("owner"), ticketNumber);
    const shown = await showTicket(c, tenant.owner, ticketNumber, page);
    recordDeskLook(c, deskId, "ticket_read", tenant.owner, ticketNumber);
    return shown;
  })
  .get("/:ticketNumber/history", showHistory);

export async function showTicket(
  c: AppContext,
  owner: string,
  ticketNumber: string,
  page: Page & { byOperator?: boolean },
): Promise<Response> {
  const view = await readTicket(c, owner, ticketNumber, page);
  if (view === undefined) throw unknownTicket();
  return c.body(view, 200, { "content-type": "application/json" });
}

/** A page of a ticket's timeline, as JSON text; undefined where there is no such ticket. */
export async function readTicket(
  c: AppContext,
  owner: string,
  ticketNumber: string,
  page: Page & { byOperator?: boolean },
): Promise<string | undefined> {
  const view = await ask<Result<string, UnknownTicket>>(() => ticketOf(c, owner, ticketNumber).timeline(page));
  return view.ok ? view.value : undefined;
}

const NEWEST = String(Number.MAX_SAFE_INTEGER);

/** `before` is the `next` of a page: a sequence where one lane was shown, else one for each. */
export const timelineQuery = z.object({
  lane: z.optional(z.enum(LANES, "must be toDesk or toDolphins")),
  before: z._default(
    z
      .string()
      .check(z.regex(/^[1-9]\d{0,14}(?:,[1-9]\d{0,14})?$/, "must be the next of the answer before, or be left out")),
    NEWEST,
  ),
});

/**
 * Which page of the timeline is asked for. Throws `invalid_request`. A cursor of the other kind of page is no fault: of two
 * sequences a lane takes its own, and where one is given for both lanes it counts for both.
 */
export function pageIn(c: AppContext): Page {
  const { lane, before } = queryIn(c, timelineQuery);
  return pageBefore(before, lane);
}

export function pageBefore(before: string = NEWEST, lane?: LaneName): Page {
  const [toDesk = NEWEST, toDolphins = toDesk] = before.split(",");
  const both = { toDesk: { before: Number(toDesk) }, toDolphins: { before: Number(toDolphins) } };
  return lane === undefined ? both : { [lane]: both[lane] };
}
