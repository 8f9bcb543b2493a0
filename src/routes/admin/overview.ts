import * as z from "zod/mini";
import type { OverviewAnswer, TicketsAnswer } from "../../model/answers";
import { AppError } from "../../model/errors";
import { ticketCursor, type Query } from "../../tenant-index/summary";
import { ask, indexOf, type AppContext } from "../../http/context";
import { allow } from "../../http/operators";
import { sessionObject, sessionOf } from "../../http/session-cookie";
import { cursorIn, invalidParameter, numberIn, tenantIn } from "../../http/parameters";
import { Routes } from "../../http/routes";

/** What a tenant's tickets are doing, all together: out of its index, which has it from them. */
export const overview = new Routes();

const DAY_MINUTES = 1440;
const MOST_TICKETS = 100;
const TICKETS = 50;
const LONGEST_SEARCH = 1024;

overview
  .get("/:owner/overview", allow("viewer"), async (c) => {
    const minutes = numberIn(c, "minutes", DAY_MINUTES, DAY_MINUTES);
    const { owner } = await tenantIn(c);
    const shown = await ask(() => indexOf(c, owner).overview(owner, minutes));
    return c.json<OverviewAnswer>({ status: "success", overview: shown });
  })
  .get("/:owner/tickets", allow("viewer", "tickets_listed"), async (c) => {
    const query = queryIn(c);
    const { owner } = await tenantIn(c);
    return c.json<TicketsAnswer>({ status: "success", ...(await ask(() => indexOf(c, owner).tickets(query))) });
  })
  .get("/:owner/events", allow("viewer", "live_opened"), async (c) => {
    const { owner } = await tenantIn(c);
    if (c.req.header("upgrade")?.toLowerCase() !== "websocket") {
      throw new AppError("upgrade_required", "This path speaks WebSocket alone: ask with Upgrade: websocket.", {
        headers: { upgrade: "websocket" },
      });
    }
    await ask(() => indexOf(c, owner).look(owner));
    return watch(c, owner);
  });

/** The upgrade to the live view of a tenant. Under a session's cookie it lasts no longer than the session. */
async function watch(c: AppContext, owner: string): Promise<Response> {
  const session = c.var.operator.by === "session" ? (await sessionOf(c))?.session : undefined;
  if (c.var.operator.by === "session" && !session) throw sessionOver();
  // A request of its own: what the caller authenticates with is none of the object's business.
  const headers = { upgrade: "websocket", ...(session ? { "console-session": session.id } : {}) };
  const { webSocket } = await ask(() => indexOf(c, owner).fetch("https://index/events", { headers }));
  if (!webSocket) throw tooManyWatch();
  // Last: a session that ends from now on knows of this view, and one that has ended meanwhile says so.
  if (session && !(await ask(() => sessionObject(c, session).watch(owner, session.id)))) {
    await ask(() => indexOf(c, owner).unsubscribe(session.id));
    throw sessionOver();
  }
  return new Response(null, { status: 101, webSocket, headers: { "x-request-id": c.get("requestId") } });
}

const sessionOver = () => new AppError("unauthorized", "The session has just ended. Sign in again.");

const tooManyWatch = () =>
  new AppError(
    "rate_limited",
    "Too many watch this tenant live already. Close some of these pages, or ask again later.",
    {
      headers: { "retry-after": "60" },
    },
  );

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
    before: cursorIn(c.req.query("before"), ticketCursor),
    limit: numberIn(c, "limit", MOST_TICKETS, TICKETS),
  };
}
