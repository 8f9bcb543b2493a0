import * as z from "zod/mini";
import { ask, directoryOf, indexOf, ticketOf, type AppContext } from "../../http/context";
import { audit } from "../../http/audit-trail";
import { allow } from "../../http/operators";
import { bodyIn, ownerIn, unknownOwner } from "../../http/parameters";
import { Routes } from "../../http/routes";
import type { EraseAnswer } from "../../model/answers";
import { id } from "../../model/event";

/** Deletes what there is of a customer: all tickets of a contact, or one ticket. */
export const erase = new Routes();

export const contactId = z.string().check(z.minLength(1), z.maxLength(1024));
export const erasure = z.union([z.strictObject({ contactId }), z.strictObject({ ticketNumber: id })]);

erase.post("/:owner/erase", allow("admin", "customer_erased"), async (c) => {
  const which = bodyIn(c, erasure);
  const owner = await knownOwnerIn(c);
  const { erased, left } =
    "contactId" in which
      ? await eraseContact(c, owner, which.contactId)
      : await eraseTicket(c, owner, which.ticketNumber);
  audit(c, { ...which, tickets: erased.length, left });
  return c.json<EraseAnswer>({ status: "success", erased, left });
});

async function eraseContact(c: AppContext, owner: string, contact: string): Promise<Omit<EraseAnswer, "status">> {
  const { tickets, left } = await ask(() => indexOf(c, owner).erase(owner, contact));
  return { erased: tickets, left };
}

async function eraseTicket(c: AppContext, owner: string, ticketNumber: string): Promise<Omit<EraseAnswer, "status">> {
  const { state, messages } = await ask(() => ticketOf(c, owner, ticketNumber).erase());
  await ask(() => indexOf(c, owner).forget(ticketNumber));
  return { erased: state === "erased" ? [{ ticketNumber, messages }] : [], left: 0 };
}

/** Of a tenant that is there, or was: what its customers are owed does not end with its record. */
export async function knownOwnerIn(c: AppContext): Promise<string> {
  const owner = ownerIn(c);
  if (await directoryOf(c).policy(owner)) return owner;
  throw unknownOwner();
}
