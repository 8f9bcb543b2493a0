import * as z from "zod/mini";
import { audit } from "../../http/audit-trail";
import { ask, indexOf, ticketOf } from "../../http/context";
import { allow } from "../../http/operators";
import { bodyIn, ownerIn, tenantIn } from "../../http/parameters";
import { unknownTicket } from "../../http/resolve-tenant";
import { Routes } from "../../http/routes";
import type { LaneName, RetryAnswer } from "../../model/answers";
import type { Result } from "../../model/result";
import { LANES } from "../../model/timeline";
import type { UnknownTicket } from "../../ticket/views";

/** What waits is tried now, and before a `Retry-After`. */
export const tenantRetry = new Routes();
export const ticketRetry = new Routes();

const lane = z.optional(z.enum(LANES, "must be toDesk or toDolphins"));
/** Both lanes, where none is named. */
export const lanesIn = (named: LaneName | undefined): LaneName[] => (named === undefined ? [...LANES] : [named]);
/** A body may be left out. */
export const retryBody = z.strictObject({ lane });

tenantRetry.post("/:owner/retry", allow("operator", "retried"), async (c) => {
  const { lane: named } = bodyIn(c, retryBody, {});
  const { owner } = await tenantIn(c);
  const tickets = await ask(() => indexOf(c, owner).retry(lanesIn(named)));
  audit(c, { ...(named === undefined ? {} : { lane: named }), tickets });
  return c.json<RetryAnswer>({ status: "success", tickets });
});

ticketRetry.post("/:owner/:ticketNumber/retry", allow("operator", "retried"), async (c) => {
  const { lane: named } = bodyIn(c, retryBody, {});
  const owner = ownerIn(c);
  const ticketNumber = c.req.param("ticketNumber");
  const tried = await ask<Result<number, UnknownTicket>>(() => ticketOf(c, owner, ticketNumber).retry(lanesIn(named)));
  if (!tried.ok) throw unknownTicket();
  const tickets = tried.value > 0 ? 1 : 0;
  audit(c, { ...(named === undefined ? {} : { lane: named }), tickets });
  return c.json<RetryAnswer>({ status: "success", tickets });
});
