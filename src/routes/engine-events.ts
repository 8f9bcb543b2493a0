import { decodeEngineBody, readBody } from "../http/body";
import { AppError } from "../model/errors";
import { acceptEvent, eventOf } from "../http/accept-event";
import { authenticateEngine } from "../http/auth";
import { directoryOf, eventJsonOf, type AppContext } from "../http/context";
import { Routes } from "../http/routes";

/** What the engine posts. Its key stands in the path, because 3Dolphins has no property for a header. */
export const dolphins = new Routes();

/**
 * `sendMessage` and `incomingMessage` do the same as `incoming`: what 3Dolphins calls with which is not documented. One
 * pattern with the command, so that no two of the app's routes overlap: Hono's fast router takes none that do.
 */
const EVENTS = "/:ingressKey/:path{incoming|sendMessage|incomingMessage|command}";

dolphins.post(EVENTS, (c) => acceptFromEngine(c, c.req.param("path") === "command" ? "command" : "incoming"));

async function acceptFromEngine(c: AppContext, kind: "incoming" | "command"): Promise<Response> {
  const body = await readBody(c.req.raw);
  const names = await authenticateEngine(c);
  const json = eventJsonOf(decodeEngineBody(body, c.req.header("content-type")));
  const event = eventOf(kind === "command" ? "ownedCommand" : kind, json);
  c.set("about", { owner: event.owner, ticketNumber: event.ticketNumber });
  const tenant = await directoryOf(c).tenant(event.owner ?? "");
  if (!tenant || (tenant.ingress !== undefined && !names.includes(tenant.ingress))) {
    throw new AppError(
      "unknown_owner",
      "No tenant of that owner is registered for this engine. Ask the relay's operator.",
    );
  }
  return acceptEvent(c, { tenant, lane: "toDesk", kind, event }, { mayWait: false, isSigned: false });
}
