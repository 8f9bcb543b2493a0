import { AppError } from "../model/errors";
import type { Tenant } from "../tenants/tenant-record";
import { directoryOf, type AppContext } from "./context";

/**
 * The tenant a desk's request is about: the `owner` it gives, else the desk's only tenant, else the one that the mapping in
 * KV names for this ticket. An owner that the desk does not serve is refused alike whether or not there is one.
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
  const members = await directory.membersOf(deskId);
  const owners = members.length === 1 ? members : await directory.ownersOf(deskId, ticketNumber);
  const tenants = (await Promise.all(owners.map(served))).filter((tenant) => tenant !== undefined);
  if (tenants.length > 1) {
    throw new AppError("ambiguous_ticket", "Several tenants of this desk hold that ticket number. Give the owner.");
  }
  const [tenant] = tenants;
  if (tenant) return tenant;
  // KV may be a minute behind the event that opened the ticket.
  throw unknownTicket({ "retry-after": "60" });
}

export const unknownTicket = (headers: Record<string, string> = {}) =>
  new AppError("unknown_ticket", "No Incoming Event has opened that ticket. Check ticketNumber, or give the owner.", {
    headers,
  });
