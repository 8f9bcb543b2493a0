import { required } from "../config";
import type { DeskEvent } from "../desks/desk";
import { farEndOf } from "../desks/registry";
import { ask, configOf, indexOf, type AppContext } from "../http/context";
import type { Tenant } from "../tenants/tenant-record";
import { readTicketReference, type NamedTicket, type TicketReference } from "../tenants/ticket-reference";

/** Which ticket a desk's event is of; undefined where it is none that this owner's desk was given. */
export async function ticketNamedBy(
  c: AppContext,
  { owner, desk }: Tenant,
  { ticketReference, conversationName }: DeskEvent,
): Promise<TicketReference | NamedTicket | undefined> {
  return ticketReference === undefined
    ? ask(() => indexOf(c, owner).ticketNamed(farEndOf(desk), conversationName))
    : readTicketReference(required(configOf(c).masterKeys), owner, ticketReference);
}
