import { Hono } from "hono";
import * as z from "zod/mini";
import { AppError } from "../model/errors";
import { refuse } from "../lib/zod";
import type { Page } from "../model/timeline";
import { authenticateToken } from "../http/auth";
import { ask, ticketOf, type AppContext, type AppEnv } from "../http/context";
import { resolveTenant, unknownTicket } from "../http/resolve-tenant";
import { showHistory } from "./customer-lookup";

/** A desk's view of its tickets. */
export const tickets = new Hono<AppEnv>();

tickets
  .get("/:ticketNumber", async (c) => {
    const deskId = await authenticateToken(c);
    const { ticketNumber } = c.req.param();
    const page = pageIn(c);
    const tenant = await resolveTenant(c, deskId, c.req.query("owner"), ticketNumber);
    return showTicket(c, tenant.owner, ticketNumber, page);
  })
  .get("/:ticketNumber/history", showHistory);

export async function showTicket(
  c: AppContext,
  owner: string,
  ticketNumber: string,
  page: Page & { byOperator?: boolean },
): Promise<Response> {
  const view = await ask(() => ticketOf(c, owner, ticketNumber).timeline(page));
  if (view === undefined) throw unknownTicket();
  return c.body(view, 200, { "content-type": "application/json" });
}

const sequence = z.pipe(z.coerce.number(), z.int().check(z.minimum(1)));
const NEWEST = Number.MAX_SAFE_INTEGER;

const query = z.union([
  z.pipe(
    z.object({ lane: z.enum(["toDesk", "toDolphins"]), before: z._default(sequence, NEWEST) }),
    z.transform(({ lane, before }): Page => ({ [lane]: { before } })),
  ),
  z.pipe(
    z.object({ lane: z.undefined(), before: z._default(z.string(), `${NEWEST},${NEWEST}`) }),
    z.transform(({ before }, context): Page => {
      const [toDesk, toDolphins, ...rest] = before.split(",").map((part) => sequence.safeParse(part).data);
      if (toDesk !== undefined && toDolphins !== undefined && rest.length === 0) {
        return { toDesk: { before: toDesk }, toDolphins: { before: toDolphins } };
      }
      return refuse(context, "malformed");
    }),
  ),
]);

/** Which page of the timeline is asked for. Throws `invalid_request`. */
export function pageIn(c: AppContext): Page {
  const result = query.safeParse({ lane: c.req.query("lane"), before: c.req.query("before") });
  if (result.success) return result.data;
  throw new AppError(
    "invalid_request",
    "Page through a timeline with the answer's next as ?before=, and with the same ?lane=.",
    {
      issues: [
        {
          path: "before",
          message: "must be a sequence from 1 on with ?lane=toDesk or ?lane=toDolphins, or the answer's next",
        },
      ],
    },
  );
}
