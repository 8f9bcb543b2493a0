import { decodeBody, readBody } from "../http/body";
import { acceptEvent, eventOf } from "../http/accept-event";
import { authenticateDesk } from "../http/auth";
import { eventJsonOf, type AppContext } from "../http/context";
import { resolveTenant } from "../http/resolve-tenant";
import { Routes } from "../http/routes";

/** What a desk posts: replies and the Close command. */
export const desk = new Routes();

desk.post("/outgoing", (c) => acceptFromDesk(c, "outgoing")).post("/command", (c) => acceptFromDesk(c, "command"));

async function acceptFromDesk(c: AppContext, kind: "outgoing" | "command"): Promise<Response> {
  const body = await readBody(c.req.raw);
  const { deskId, isSigned } = await authenticateDesk(c, body);
  const event = eventOf(kind, eventJsonOf(decodeBody(body)));
  c.set("about", { owner: event.owner, ticketNumber: event.ticketNumber });
  const tenant = await resolveTenant(c, deskId, event.owner, event.ticketNumber);
  return acceptEvent(c, { tenant, lane: "toDolphins", kind, event }, { mayWait: true, isSigned });
}
