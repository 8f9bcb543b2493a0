import { expect, test } from "vitest";
import { readTicketReference, writeTicketReference } from "../../../src/tenants/ticket-reference";
import type { MasterKeys } from "../../../src/crypto/derive";

const masterKeys = [new Uint8Array(32).fill(7)] as unknown as MasterKeys;
const ticket = { ticketNumber: "294c9ea88f7e649f8c37ae895ebab247", channel: "whatsapp" };

test.each([
  ["of ordinary length", "Farhan Akbar", "Farhan Akbar"],
  ["of 1,000 letters", "a".repeat(1000), "a".repeat(67)],
  ["of 1,000 quotes, each two in JSON", '"'.repeat(1000), expect.stringMatching(/^"+$/)],
  ["of emoji", "👩‍👩‍👧".repeat(40), "👩‍👩‍👧".repeat(3)],
  ["that is empty", "", ""],
])("a customer's name %s fits a ticket reference of 200 characters", async (_what, customerName, kept) => {
  const reference = await writeTicketReference(masterKeys, "owner-1", { ...ticket, customerName });
  expect(reference.length).toBeLessThanOrEqual(200);
  expect(await readTicketReference(masterKeys, "owner-1", reference)).toEqual({ ...ticket, customerName: kept });
  expect(await readTicketReference(masterKeys, "owner-2", reference)).toBeUndefined();
});
