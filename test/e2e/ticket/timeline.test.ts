import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { incomingEvent, outgoingEvent } from "../support/events.ts";
import { accepted } from "../support/http.ts";
import { bearer, newTicketNumber, openTicket } from "../support/tenant.ts";
import { type Ticket, documentedFields } from "../support/timeline.ts";
import { type World, startWorld } from "../support/world.ts";

let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

test("the timeline has no field beyond the documented ones, for waiting, delivered and dead messages", async () => {
  const tenant = await world.tenant();
  const number = newTicketNumber();
  tenant.desk.answerWith((_, index) => ({ status: [200, 422, 503][index] ?? 503, body: '{"status":"?"}' }));
  for (const message of ["satu", "dua", "tiga"]) accepted(await tenant.incoming(number, { message }));
  const attempted = (ticket: Ticket) => ticket.messages.every(({ attempts }) => attempts.length > 0);
  const ticket = await tenant.untilTicket(number, attempted, "an attempt of each message");
  expect(ticket.messages.map(({ state }) => state)).toEqual(["delivered", "dead", "waiting"]);
  const beyond = (value: object, of: keyof typeof documentedFields) =>
    Object.keys(value)
      .filter((field) => !documentedFields[of].includes(field))
      .map((field) => `${of}.${field}`);
  const answer = await world.admin("GET", `/admin/tickets/${tenant.owner}/${number}`);
  const undocumented = [
    beyond(Object(answer.body), "answer"),
    beyond(ticket, "ticket"),
    Object.values(ticket.lanes).flatMap((lane) => beyond(lane, "lane")),
    ticket.messages.flatMap((message) => beyond(message, "message")),
    ticket.messages.flatMap(({ attempts }) => attempts.flatMap((attempt) => beyond(attempt, "attempt"))),
  ];
  expect([...new Set(undocumented.flat())]).toEqual([]);
});

test("the timeline has exactly the documented shape, the same for operator and desk", async () => {
  const tenant = await world.tenant();
  const number = await openTicket(tenant);
  const reply = accepted(await tenant.reply(number));
  const ticket = await tenant.untilTicket(
    number,
    ({ lanes }) => lanes.toDesk.delivered + lanes.toDolphins.delivered === 2,
    "both messages to be delivered",
  );
  const { messages, ...head } = ticket;
  expect(head).toEqual({
    ticketNumber: number,
    owner: tenant.owner,
    channel: "whatsapp",
    contactId: "d61d77735f3fe08bcf6d6b96fa06ba9d",
    customerName: "Farhan Akbar",
    state: "open",
    lanes: {
      toDesk: { accepted: 1, delivered: 1, waiting: 0, dead: 0 },
      toDolphins: { accepted: 1, delivered: 1, waiting: 0, dead: 0 },
    },
  });
  const delivered = {
    sequence: 1,
    state: "delivered",
    suspectedDuplicate: false,
    attempts: [{ status: 200 }],
  };
  expect(messages).toMatchObject([
    {
      ...delivered,
      lane: "toDesk",
      kind: "incoming",
      event: incomingEvent(tenant.owner, number),
    },
    {
      ...delivered,
      lane: "toDolphins",
      kind: "outgoing",
      id: reply.id,
      event: outgoingEvent(tenant.owner, number),
    },
  ]);
  for (const query of ["", `?owner=${tenant.owner}`]) {
    const desk = await world.call(`/v1/tickets/${number}${query}`, {
      headers: bearer(tenant.token),
    });
    expect(desk.body).toEqual({ status: "success", ticket });
  }
});

test("the timeline is read a hundred messages at a time, the newest page first and the newest message last", async () => {
  const tenant = await world.tenant();
  const number = newTicketNumber();
  const total = 230;
  for (let count = 1; count <= total; count += 1)
    expect(await tenant.incoming(number, { message: `pesan ${count}` })).toBeAccepted();
  expect(await tenant.reply(number)).toBeAccepted();
  const span = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
  let query = "?lane=toDesk";
  for (const [from, to, next] of [
    [131, 230, "131"],
    [31, 130, "31"],
    [1, 30, undefined],
  ] as const) {
    const page = await tenant.ticket(number, query);
    expect(page.messages.map(({ sequence }) => sequence)).toEqual(span(from, to));
    expect(page.messages.map(({ event }) => event["message"])).toEqual(span(from, to).map((count) => `pesan ${count}`));
    expect(page.next).toBe(next);
    query = `?lane=toDesk&before=${page.next}`;
  }
  const replies = await tenant.ticket(number, "?lane=toDolphins");
  expect(replies.messages.map(({ lane, sequence }) => [lane, sequence])).toEqual([["toDolphins", 1]]);
  expect((await tenant.ticket(number)).messages).toHaveLength(100);
  expect((await tenant.ticket(number, "?lane=toDesk&before=1")).messages).toEqual([]);
});

test("a page of large messages ends before it is too much for one answer, and all of them are shown page by page", async () => {
  const tenant = await world.tenant();
  const number = await openTicket(tenant);
  const total = 101;
  // Each waits for its delivery: on a busy machine so many at once would be more than may wait.
  for (let count = 1; count <= total; count += 1)
    expect(await tenant.reply(number, { more: "x".repeat(250_000) }, { prefer: "wait=25" })).toBeAccepted();
  const shown: (number | undefined)[] = [];
  let query = "?lane=toDolphins";
  for (let pages = 1; pages < total; pages += 1) {
    const page = await tenant.ticket(number, query);
    expect(JSON.stringify(page.messages).length).toBeLessThan(5 * 1024 * 1024);
    shown.unshift(...page.messages.map(({ sequence }) => sequence));
    if (page.next === undefined) break;
    query = `?lane=toDolphins&before=${page.next}`;
  }
  expect(shown).toEqual(Array.from({ length: total }, (_, index) => index + 1));
  const both = await tenant.ticket(number);
  expect(both.messages.at(-1)?.sequence).toBe(total);
});

test("the dead letters of all tickets are paged by their bytes too", async () => {
  const tenant = await world.tenant();
  tenant.engine.answerWith(() => ({ status: 422 }));
  const perTicket = 20;
  for (const number of [await openTicket(tenant), await openTicket(tenant)]) {
    for (let count = 1; count <= perTicket; count += 1)
      expect(await tenant.reply(number, { more: "x".repeat(250_000) })).toBeAccepted();
    await tenant.untilTicket(number, ({ lanes }) => lanes.toDolphins.dead === perTicket, "all to be refused");
  }
  const Letters = z.object({ deadLetters: z.array(z.object({ id: z.string() })), next: z.string().optional() });
  const ids: string[] = [];
  let [query, pages] = ["?limit=100", 0];
  for (; pages < 20; pages += 1) {
    const answer = await world.admin("GET", `/admin/tenants/${tenant.owner}/dead-letters${query}`);
    expect(answer.text.length).toBeLessThan(9 * 1024 * 1024);
    const page = Letters.parse(answer.body);
    ids.push(...page.deadLetters.map(({ id }) => id));
    if (page.next === undefined) break;
    query = `?limit=100&before=${page.next}`;
  }
  expect(pages).toBeGreaterThan(0);
  expect([ids.length, new Set(ids).size]).toEqual([2 * perTicket, 2 * perTicket]);
});
