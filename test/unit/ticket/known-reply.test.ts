import { expect, test } from "vitest";
import type { TicketCache } from "../../../src/ticket/cache";
import { knownReply, unchanged } from "../../../src/ticket/known-reply";
import type { TicketStore } from "../../../src/ticket/store";

const FAR_END = "chatwoot https://chatwoot.example 1 7";
const nameOf = (id: number) => `https://chatwoot.example 1 7 5 ${id}`;

type Part = { id: number; sequence: number; state: "waiting" | "delivered" | "dead"; attempts?: number };
type Ticket = { parts?: Part[]; oldest?: number; since?: number; shownUpTo?: number; exists?: boolean };

/** A ticket whose rows hold replies to Chatwoot's messages, each of one part. */
function ticketWith({ parts = [], oldest, since, shownUpTo = 0, exists = true }: Ticket) {
  const idOf = ({ sequence }: Part) => `msg_${sequence}`;
  const at = (sequence: number) => parts.find((part) => part.sequence === sequence);
  const store: Partial<TicketStore> = {
    readParts: (_lane, name) =>
      parts
        .filter(({ id }) => nameOf(id) === name)
        .map(({ sequence, state }) => ({ key: `${name}#text`, sequence, state })),
    readMessage: (_lane, sequence) => {
      const part = at(sequence);
      return part && ({ id: idOf(part) } as ReturnType<TicketStore["readMessage"]>);
    },
    readHistory: (_lane, sequence) => {
      const part = at(sequence);
      const history = part && { state: part.state, attemptCount: part.attempts ?? 1 };
      return history as ReturnType<TicketStore["readHistory"]>;
    },
    readDeadLetters: () =>
      parts
        .filter(({ state }) => state === "dead")
        .map((part) => ({ sequence: part.sequence, id: idOf(part), kind: "outgoing", bytes: 1 })),
    oldestSequence: () => oldest,
    readFirstKey: () => parts[0] && `${nameOf(parts[0].id)}#text`,
  };
  const cache: Partial<TicketCache> = {
    ticket: exists ? ({} as NonNullable<TicketCache["ticket"]>) : undefined,
    since: () => since,
  };
  const receipts = { isShown: (sequence: number) => sequence <= shownUpTo };
  return { store: store as TicketStore, cache: cache as TicketCache, receipts };
}

const isOurs = (id: number, ticket: Ticket) => knownReply(nameOf(id), FAR_END, ticketWith(ticket)).isOurs;
const delivered = (id: number, sequence: number): Part => ({ id, sequence, state: "delivered" });

test("a message that the ticket never heard of is its own above the number that its conversation began with", () => {
  expect(isOurs(101, { since: 100 })).toBe(true);
  expect(isOurs(100, { since: 100 })).toBe(false);
  expect(isOurs(101, { since: 100, oldest: 1, parts: [delivered(110, 1)] })).toBe(true);
});

test("where retention has deleted some of them, it is the ticket's own only above the first one known", () => {
  const pruned = { since: 100, oldest: 7, parts: [delivered(150, 7)] };
  expect(isOurs(101, pruned)).toBe(false);
  expect(isOurs(151, pruned)).toBe(true);
  expect(isOurs(101, { since: 100, oldest: 7 })).toBe(false);
});

test("where an earlier version opened the conversation, it is the ticket's own only above the first one known", () => {
  expect(isOurs(101, {})).toBe(false);
  expect(isOurs(149, { oldest: 1, parts: [delivered(150, 1)] })).toBe(false);
  expect(isOurs(151, { oldest: 1, parts: [delivered(150, 1)] })).toBe(true);
});

test("a message of a ticket that is not there is for the refusal to speak of", () => {
  expect(isOurs(101, { exists: false })).toBe(true);
});

test("a dead reply may be tried again once the desk shows that it is dead, and not before", () => {
  const dead: Part = { id: 101, sequence: 3, state: "dead", attempts: 2 };
  const known = (shownUpTo: number) => knownReply(nameOf(101), FAR_END, ticketWith({ parts: [dead], shownUpTo }));
  expect(known(2)).toMatchObject({ dead: [], isDeathOwed: true });
  expect(known(3)).toMatchObject({ dead: [{ id: "msg_3", attempts: 2 }], isDeathOwed: false });
});

test("of two who ask for another try of the same death, the later gets none, though it has died again", () => {
  const again = ticketWith({ parts: [{ id: 101, sequence: 3, state: "dead", attempts: 3 }] });
  expect(unchanged([{ id: "msg_3", attempts: 2 }], again)).toEqual([]);
  expect(unchanged([{ id: "msg_3", attempts: 3 }], again)).toEqual(["msg_3"]);
});
