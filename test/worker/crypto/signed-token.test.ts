import { describe, expect, test } from "vitest";
import { readSession, writeSession } from "../../../src/console-session/cookie";
import { readTicketReference, writeTicketReference } from "../../../src/tenants/ticket-reference";

/** Both kinds as they are written: desks and browsers hold such, and will send them back to later versions. */

const key = (byte: number) => new Uint8Array(32).fill(byte);
const [KEY, OTHER] = [key(1), key(2)];

const REFERENCE = "WyJ0LTEiLCJ3aGF0c2FwcCIsIkZhcmhhbiBBa2JhciJd.eLOHirYVv1-G1tH41cYYBZfArcSmUA2icWQ0CsbgbC0";
const TICKET = { ticketNumber: "t-1", channel: "whatsapp", customerName: "Farhan Akbar" };

const HOLDER = { name: "siti.n", role: "operator", token: "an-operator-token-for-tests-alone-0123456789" };
const only = (holder: typeof HOLDER) => (name: string) => (name === holder.name ? holder : undefined);
const SESSION = { id: "A".repeat(43), expiresAtMs: 1_900_000_000_000, name: "siti.n" };
const COOKIE = `${SESSION.id}.1900000000000.siti.n.YH60qOf6TlDK_UWTUQbkE8cyUFsTfasFe0W0yrv9XFk`;
const BEFORE_MS = SESSION.expiresAtMs - 1;

/** Each part of a token changed in one letter, a part taken away, and a part put behind it. */
const spoilt = (token: string): string[] => [
  token.replace(/^./, "B"),
  token.replace(/(.)(?=\.[^.]*$)/, (last) => (last === "0" ? "1" : "0")),
  token.replace(/[^.]$/, (last) => (last === "A" ? "E" : "A")),
  token.replace(/\.[^.]*$/, ""),
  `${token}.AAAA`,
  "",
  ".",
];

describe("a ticket reference", () => {
  test("a ticket reference that an earlier version wrote is read, and is what is written today", async () => {
    expect(await readTicketReference([KEY], "owner-1", REFERENCE)).toEqual(TICKET);
    expect(await writeTicketReference([KEY], "owner-1", TICKET)).toBe(REFERENCE);
  });

  test("a ticket reference is read under the key before, and is written under the one in force", async () => {
    expect(await readTicketReference([OTHER, KEY], "owner-1", REFERENCE)).toEqual(TICKET);
    expect(await writeTicketReference([OTHER, KEY], "owner-1", TICKET)).not.toBe(REFERENCE);
  });

  test("a ticket reference of another owner, under another key, or changed anywhere, is none", async () => {
    expect(await readTicketReference([KEY], "owner-2", REFERENCE)).toBeUndefined();
    expect(await readTicketReference([OTHER], "owner-1", REFERENCE)).toBeUndefined();
    for (const one of spoilt(REFERENCE)) expect(await readTicketReference([KEY], "owner-1", one), one).toBeUndefined();
  });
});

describe("the cookie of a console session", () => {
  test("the cookie of a console session that was written is read, with whose it is, and is what is written today", async () => {
    expect(await readSession([KEY], only(HOLDER), COOKIE, BEFORE_MS)).toEqual({ session: SESSION, holder: HOLDER });
    expect(await writeSession([KEY], HOLDER, SESSION)).toBe(COOKIE);
  });

  test("the cookie of a console session ends at its time, when token, role or name of the operator changes, and with the key in force", async () => {
    expect(await readSession([KEY], only(HOLDER), COOKIE, SESSION.expiresAtMs)).toBeUndefined();
    for (const changed of [{ token: `${HOLDER.token}-new` }, { role: "viewer" }])
      expect(await readSession([KEY], only({ ...HOLDER, ...changed }), COOKIE, BEFORE_MS)).toBeUndefined();
    expect(await readSession([KEY], () => undefined, COOKIE, BEFORE_MS)).toBeUndefined();
    expect(await readSession([OTHER, KEY], only(HOLDER), COOKIE, BEFORE_MS)).toBeUndefined();
  });

  test("the cookie of a console session that is changed anywhere is none", async () => {
    for (const one of spoilt(COOKIE))
      expect(await readSession([KEY], only(HOLDER), one, BEFORE_MS), one).toBeUndefined();
  });
});
