import { AppError } from "../model/errors";
import type { Tenant } from "../tenants/tenant-record";
import { ask, directoryOf, ticketOf, type AppContext } from "./context";

/**
 * The tenant a desk's request is about: the `owner` it gives, else the desk's only tenant, else the one that holds this
 * ticket. An owner that the desk does not serve is refused alike whether or not there is one.
 */
export async function resolveTenant(
  c: AppContext,
  deskId: string,
  owner: string | undefined,
  ticketNumber: string,
): Promise<Tenant> {
  const directory = directoryOf(c);
  const served = async (one: string) => {
    const tenant = await directory.tenant(one);
    return tenant?.deskId === deskId ? tenant : undefined;
  };
  if (owner !== undefined) {
    const tenant = await served(owner);
    if (tenant) return tenant;
    throw new AppError(
      "wrong_owner",
      "This credential does not serve that owner. Check owner, and whose token or secret you use.",
    );
  }
  const owners = await holdersOf(c, deskId, ticketNumber);
  const tenants = (await Promise.all(owners.map(served))).filter((tenant) => tenant !== undefined);
  if (tenants.length > 1) {
    throw new AppError("ambiguous_ticket", "Several tenants of this desk hold that ticket number. Give the owner.");
  }
  const [tenant] = tenants;
  if (tenant) return tenant;
  // KV may be a minute behind the event that opened the ticket.
  throw unknownTicket({ "retry-after": "60" });
}

/** The desk's only tenant. Of several, those that KV names for the ticket, and those whose ticket KV need not know and is there. */
async function holdersOf(c: AppContext, deskId: string, ticketNumber: string): Promise<string[]> {
  const directory = directoryOf(c);
  const members = await directory.membersOf(deskId);
  if (members.length === 1) return members.map(({ owner }) => owner);
  const owners = new Set(await directory.ownersOf(deskId, ticketNumber));
  for (const { owner, unmapped } of members) {
    if (!unmapped || owners.has(owner)) continue;
    const isThere = await ask(async () => (await ticketOf(c, owner, ticketNumber).ticketInfo()).ok);
    if (isThere) owners.add(owner);
  }
  return [...owners];
}

export const unknownTicket = (headers: Record<string, string> = {}) =>
  new AppError("unknown_ticket", "No Incoming Event has opened that ticket. Check ticketNumber, or give the owner.", {
    headers,
  });
