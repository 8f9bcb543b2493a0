import { expect, test } from "vitest";
import type { DeskContext } from "../../../../src/desks/desk";
import { externalIdOf, ticketUser, type Opening } from "../../../../src/desks/zendesk/contact";

const contextOf = (owner: string, ticketNumber: string) => ({ owner, ticketNumber }) as DeskContext;

test("no two tickets have a user in common, whatever stands in their numbers", () => {
  const users = [
    ticketUser(contextOf("a", "1"), 2),
    ticketUser(contextOf("a", "1:2"), 1),
    ticketUser(contextOf("a", "1%3A2"), 1),
    ticketUser(contextOf("a", "ticket:1"), 1),
    ticketUser(contextOf("a:ticket", "1"), 1),
  ];
  expect(new Set(users).size).toBe(users.length);
  expect(ticketUser(contextOf("82ab0fd5", "EM-1531501168358"), 1)).toBe("82ab0fd5:ticket:EM-1531501168358");
});

test("no two contacts have a user in common, and their external ids are as long as the app takes", async () => {
  const idOf = (owner: string, event: { contactId?: string; channel?: string; accountId?: string }) =>
    externalIdOf({
      record: { users: "contact" },
      context: contextOf(owner, "1"),
      event: { contactId: "", channel: "whatsapp", accountId: "", ...event },
    } as Opening);
  const ids = await Promise.all([
    idOf("a", { contactId: "1" }),
    idOf("a:contact", { contactId: "1" }),
    idOf("a", { channel: "x:y", accountId: "1" }),
    idOf("a", { channel: "x", accountId: "y:1" }),
    idOf(":".repeat(128), { contactId: "b".repeat(1024) }),
    idOf(":".repeat(128), { contactId: `${"b".repeat(1023)}c` }),
  ]);
  expect(new Set(ids).size).toBe(ids.length);
  expect(Math.max(...ids.map(({ length }) => length))).toBeLessThanOrEqual(1024);
});
