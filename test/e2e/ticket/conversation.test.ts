import { afterAll, beforeAll, expect, test } from "vitest";
import type { FarEnd, Received } from "../../../dev/fakes/far-end.ts";
import { ticketOf, textOf } from "../support/events.ts";
import { accepted } from "../support/http.ts";
import { type Tenant, gate, isSignedBy, newTicketNumber, openTicket } from "../support/tenant.ts";
import type { Ticket } from "../support/timeline.ts";
import { type World, startWorld } from "../support/world.ts";

const TICKETS = 10;
const MESSAGES_PER_LANE = 15;
const SENDERS_PER_LANE = 3;

let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const idOf = ({ headers }: Received): string => headers["relay-message-id"] ?? headers["webhook-id"] ?? "";
const sequenceOf = ({ headers }: Received): number => Number(headers["relay-sequence"]);
const attemptOf = ({ headers }: Received): number => Number(headers["relay-attempt"]);
const texts = (far: FarEnd): string[] => far.received.map(({ body }) => textOf(body));

type Sent = { id: string; sequence: number; text: string };

/** Sends the texts of one lane from several senders at once; what it returns is in the order of acceptance. */
async function sendLane(send: Tenant["reply"], ticketNumber: string, lane: string): Promise<Sent[]> {
  const sent: Sent[] = [];
  let count = 0;
  const sender = async (): Promise<void> => {
    while (count < MESSAGES_PER_LANE) {
      const text = `${lane} ${(count += 1)}`;
      sent.push({ text, ...accepted(await send(ticketNumber, { message: text })) });
    }
  };
  await Promise.all(Array.from({ length: SENDERS_PER_LANE }, sender));
  return sent.toSorted((one, other) => one.sequence - other.sequence);
}

test("300 messages over 10 tickets, both ways at once, arrive complete, exactly once and in order", async () => {
  const tenant = await world.tenant();
  const numbers = Array.from({ length: TICKETS }, newTicketNumber);
  const lanes = await Promise.all(
    numbers.map(async (number) => {
      const first = { text: "halo", ...accepted(await tenant.incoming(number, { message: "halo" })) };
      const both = [sendLane(tenant.incoming, number, "masuk"), sendLane(tenant.reply, number, "keluar")] as const;
      const [incoming, replies] = await Promise.all(both);
      return { number, toDesk: [first, ...incoming], toDolphins: replies };
    }),
  );
  const each = MESSAGES_PER_LANE * TICKETS;
  await tenant.desk.until((received) => received.length >= each + TICKETS, "every message at the desk", 30_000);
  await tenant.engine.until((received) => received.length >= each, "every reply at the engine", 30_000);

  for (const { number, toDesk, toDolphins } of lanes) {
    const expected = [
      [tenant.desk, toDesk],
      [tenant.engine, toDolphins],
    ] as const;
    for (const [far, sent] of expected) {
      const arrived = far.received.filter(({ body }) => ticketOf(body) === number);
      expect(arrived.map((one) => ({ text: textOf(one.body), id: idOf(one), sequence: sequenceOf(one) }))).toEqual(
        sent,
      );
      expect(arrived.map(sequenceOf)).toEqual(sent.map((_, position) => position + 1));
      expect(new Set(arrived.map(attemptOf))).toEqual(new Set([1]));
    }
    const settled = (ticket: Ticket) => ticket.lanes.toDesk.waiting + ticket.lanes.toDolphins.waiting === 0;
    const ticket = await tenant.untilTicket(number, settled, "all to be settled");
    expect(ticket.lanes.toDesk).toEqual({ accepted: 16, delivered: 16, waiting: 0, dead: 0 });
    expect(ticket.lanes.toDolphins).toEqual({ accepted: 15, delivered: 15, waiting: 0, dead: 0 });
  }
  for (const received of tenant.desk.received) {
    expect(isSignedBy(received, tenant.signingSecret)).toBe(true);
    expect(received.headers["webhook-id"]).toMatch(/^msg_/);
    expect(received.path).toBe("/hooks/dolphins");
  }
  const ids = [...tenant.desk.received, ...tenant.engine.received].map(idOf);
  expect(new Set(ids).size).toBe(2 * each + TICKETS);
});

test("two identical messages are both delivered, and the second is flagged", async () => {
  const tenant = await world.tenant();
  const number = newTicketNumber();
  for (const message of ["ok", "ok", "baik"]) accepted(await tenant.incoming(number, { message }));
  await tenant.desk.until((received) => received.length === 3, "all three messages");
  expect(texts(tenant.desk)).toEqual(["ok", "ok", "baik"]);
  const { messages } = await tenant.ticket(number);
  expect(messages.map((message) => message.suspectedDuplicate)).toEqual([false, true, false]);
});

test("a ticket whose desk hangs delays neither its other lane nor another ticket", async () => {
  const tenant = await world.tenant();
  const stuck = newTicketNumber();
  const held = gate();
  tenant.desk.answerWith(async ({ body }) => {
    if (ticketOf(body) === stuck) await held.opened;
    return { status: 200 };
  });
  expect(await tenant.incoming(stuck)).toBeAccepted();
  await tenant.desk.until((received) => received.length === 1, "the message that hangs");
  const free = newTicketNumber();
  expect(await tenant.incoming(free)).toBeAccepted();
  expect(await tenant.reply(stuck)).toBeAccepted();
  await tenant.desk.until((received) => received.length === 2, "the other ticket's message");
  await tenant.engine.until((received) => received.length === 1, "the reply in the other lane");
  held.open();
  await tenant.untilTicket(stuck, ({ lanes }) => lanes.toDesk.delivered === 1, "the message that hung");
});

test("a Close behind five slow replies arrives last; then replies get 409 until the customer writes again", async () => {
  const tenant = await world.tenant();
  const number = await openTicket(tenant);
  const held = gate();
  tenant.engine.answerWith(async () => {
    await held.opened;
    return { status: 200, body: '{"status":"success"}' };
  });
  for (let count = 1; count <= 5; count += 1) accepted(await tenant.reply(number, { message: `balasan ${count}` }));
  const close = accepted(await tenant.close(number));
  expect(close.sequence).toBe(6);
  expect((await tenant.ticket(number)).state).toBe("closing");
  expect(await tenant.reply(number)).toBeRefused(409, "ticket_closed");

  const repeat = await tenant.close(number);
  expect(accepted(repeat)).toEqual(close);
  expect(repeat.headers.get("idempotent-replay")).toBe("true");

  held.open();
  await tenant.engine.until((received) => received.length === 6, "five replies and the Close");
  const paths = tenant.engine.received.map(({ path }) => path);
  expect(paths).toEqual([...Array.from({ length: 5 }, () => "/outgoing"), "/command"]);
  expect(texts(tenant.engine).slice(0, 5)).toEqual([1, 2, 3, 4, 5].map((count) => `balasan ${count}`));
  const closed = await tenant.untilTicket(number, ({ state }) => state === "closed", "the ticket to be closed");
  expect(closed.lanes.toDolphins).toMatchObject({ accepted: 6, delivered: 6 });
  expect(accepted(await tenant.close(number))).toEqual(close);
  expect(await tenant.reply(number)).toBeRefused(409, "ticket_closed");

  expect(await tenant.incoming(number, { message: "satu lagi" })).toBeAccepted();
  expect((await tenant.ticket(number)).state).toBe("open");
  expect(accepted(await tenant.reply(number)).sequence).toBe(7);
  const again = await tenant.close(number);
  expect(accepted(again).id).not.toBe(close.id);
  expect(again.headers.get("idempotent-replay")).toBeNull();
  await tenant.engine.until((received) => received.length === 8, "the new reply and the new Close");
});

test("the customer's next message opens the ticket at once, and a Close that waits still goes out in its place", async () => {
  const tenant = await world.tenant();
  const number = await openTicket(tenant);
  const held = gate();
  tenant.engine.answerWith(async () => {
    await held.opened;
    return { status: 200 };
  });
  expect(await tenant.reply(number, { message: "sebelum" })).toBeAccepted();
  expect(await tenant.close(number)).toBeAccepted();
  expect(await tenant.incoming(number)).toBeAccepted();
  expect((await tenant.ticket(number)).state).toBe("open");
  expect(await tenant.reply(number, { message: "sesudah" })).toBeAccepted();
  held.open();
  await tenant.engine.until((received) => received.length === 3, "reply, Close, reply");
  expect(tenant.engine.received.map(({ path }) => path)).toEqual(["/outgoing", "/command", "/outgoing"]);
  const ticket = await tenant.untilTicket(number, ({ lanes }) => lanes.toDolphins.delivered === 3, "all delivered");
  expect(ticket.state).toBe("open");
});

test("a Close from the engine reaches the desk behind the messages before it", async () => {
  const tenant = await world.tenant();
  const number = newTicketNumber();
  for (const message of ["satu", "dua"]) accepted(await tenant.incoming(number, { message }));
  expect(accepted(await tenant.engineClose(number)).sequence).toBe(3);
  await tenant.desk.until((received) => received.length === 3, "two messages and the Close");
  const { body = "" } = tenant.desk.received.at(-1) ?? {};
  expect(JSON.parse(body)).toEqual({
    ticketNumber: number,
    channel: "whatsapp",
    event: "Close",
    owner: tenant.owner,
  });
  for (const received of tenant.desk.received) expect(isSignedBy(received, tenant.signingSecret)).toBe(true);
  await tenant.untilTicket(number, ({ state }) => state === "closed", "the ticket to be closed");
  expect(tenant.engine.received).toEqual([]);
});

test("a Close that ends among the dead letters leaves the ticket open", async () => {
  const tenant = await world.tenant();
  const number = await openTicket(tenant);
  tenant.engine.answerWith(({ path }) => ({ status: path === "/command" ? 422 : 200 }));
  expect(await tenant.close(number)).toBeAccepted();
  const ticket = await tenant.untilTicket(number, ({ lanes }) => lanes.toDolphins.dead === 1, "the Close to be dead");
  expect(ticket.state).toBe("open");
  expect(await tenant.reply(number)).toBeAccepted();
  await tenant.engine.until((received) => received.length === 2, "the reply after it");
});
