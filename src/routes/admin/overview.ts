import { Hono } from "hono";
import * as z from "zod/mini";
import { AppError } from "../../model/errors";
import { placeOf, type Query } from "../../tenant-index/summary";
import { ask } from "../../http/accept-event";
import { authenticateOperator } from "../../http/auth";
import { indexOf, methodNotAllowed, type AppContext, type AppEnv } from "../../http/context";
import { invalidParameter, numberIn, placeIn, tenantIn } from "../../http/parameters";

/** What a tenant's tickets are doing, all together: out of its index, which has it from them. */
export const overview = new Hono<AppEnv>();

const DAY_MINUTES = 1440;
const MOST_TICKETS = 100;
const TICKETS = 50;
const LONGEST_SEARCH = 1024;

overview
  .get("/:owner/overview", async (c) => {
    await authenticateOperator(c);
    const minutes = numberIn(c, "minutes", DAY_MINUTES, DAY_MINUTES);
    const { owner } = await tenantIn(c);
    return c.json({ status: "success", overview: await ask(() => indexOf(c, owner).overview(owner, minutes)) });
  })
  .all("/:owner/overview", methodNotAllowed("GET"))
  .get("/:owner/tickets", async (c) => {
    await authenticateOperator(c);
    const query = queryIn(c);
    const { owner } = await tenantIn(c);
    const { tickets, next } = await ask(() => indexOf(c, owner).tickets(query));
    return c.json({ status: "success", tickets, ...(next === undefined ? {} : { next }) });
  })
  .all("/:owner/tickets", methodNotAllowed("GET"))
  .get("/:owner/events", async (c) => {
    await authenticateOperator(c);
    const { owner } = await tenantIn(c);
    if (c.req.header("upgrade")?.toLowerCase() !== "websocket") {
      throw new AppError("upgrade_required", "This path speaks WebSocket alone: ask with Upgrade: websocket.", {
        headers: { upgrade: "websocket" },
      });
    }
    // A request of its own: what the caller authenticates with is none of the object's business.
    const headers = { upgrade: "websocket" };
    const { webSocket } = await ask(() => indexOf(c, owner).fetch("https://index/events", { headers }));
    return new Response(null, { status: 101, webSocket, headers: { "x-request-id": c.get("requestId") } });
  })
  .all("/:owner/events", methodNotAllowed("GET"));

const state = z.optional(z.enum(["open", "closing", "closed", "waiting", "dead"]));

function queryIn(c: AppContext): Query {
  const wanted = state.safeParse(c.req.query("state"));
  if (!wanted.success)
    throw invalidParameter("state", "must be open, closing, closed, waiting or dead, or be left out");
  const search = c.req.query("q")?.toLowerCase();
  if (search !== undefined && search.length > LONGEST_SEARCH) {
    throw invalidParameter("q", `must not be longer than ${LONGEST_SEARCH} characters`);
  }
  return {
    state: wanted.data,
    search: search === "" ? undefined : search,
    before: placeIn(c, placeOf),
    limit: numberIn(c, "limit", MOST_TICKETS, TICKETS),
  };
}
