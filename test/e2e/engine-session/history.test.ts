import { afterAll, beforeAll, expect, test } from "vitest";
import { issuePaths, refusal } from "../support/http.ts";
import { FAULTS, FAULTY, historyIn, lookupTenant, times } from "../support/lookups.ts";
import { bearer, newTicketNumber, openTicket } from "../support/tenant.ts";
import { type World, startWorld } from "../support/world.ts";

let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const row = (ticketNumber: string, minute: number, answer: boolean, message: string) => ({
  ticketNumber,
  answer,
  message,
  agentName: "Siti",
  customerName: "Farhan Akbar",
  createdDate: `2021-09-20T08:${String(minute).padStart(2, "0")}:00.000`,
});

/** The day it is now on a calendar in this zone. */
const today = (timeZone: string) => new Intl.DateTimeFormat("en-CA", { timeZone }).format(Date.now());

test.each(["whatsapp", "webchat", "email"])(
  "a history of a ticket on %s comes oldest first, page by page",
  async (channel) => {
    const tenant = await lookupTenant(world);
    const number = newTicketNumber();
    expect(await tenant.incoming(number, { channel })).toBeAccepted();
    const rows = [0, 1, 2, 3, 4].map((minute) => row(number, minute, minute % 2 === 1, `pesan ${minute}`));
    tenant.fake.conversations.set(number, rows);
    const pages = [];
    for (let next: string | undefined = "0"; next !== undefined;) {
      const page = historyIn(await tenant.history(number, { from: "2021-09-20", to: "2021-09-24", next }));
      pages.push(page.messages);
      next = page.next;
    }
    expect(pages.map((page) => page.length)).toEqual([2, 2, 1]);
    expect(pages.flat()).toEqual(
      rows.map((raw, minute) => ({
        from: minute % 2 === 1 ? "agent" : "customer",
        by: minute % 2 === 1 ? "Siti" : "Farhan Akbar",
        text: `pesan ${minute}`,
        at: `2021-09-20T01:0${minute}:00.000Z`,
        raw,
      })),
    );
    expect(tenant.fake.asked()).toMatchObject({
      startDateFilter: "2021-09-20",
      endDateFilter: "2021-09-24",
      ticketNumber: number,
    });
    expect(tenant.fake.problems).toEqual([]);
  },
);

test("a history is turned round where the engine gives the newest first", async () => {
  const tenant = await lookupTenant(world);
  const number = await openTicket(tenant);
  tenant.fake.conversations.set(number, [row(number, 9, true, "dua"), row(number, 8, false, "satu")]);
  const { messages, next } = historyIn(await tenant.history(number));
  expect(messages.map(({ text }) => text)).toEqual(["satu", "dua"]);
  expect(next).toBeUndefined();
});

test.each(["Asia/Jakarta", "America/Los_Angeles", "Pacific/Kiritimati"])(
  "a history is by default of the ticket's first day until today, on a calendar in %s",
  async (timeZone) => {
    const tenant = await lookupTenant(world, { record: { timeZone } });
    const before = today(timeZone);
    const number = await openTicket(tenant);
    expect(historyIn(await tenant.history(number)).messages).toEqual([]);
    const { startDateFilter, endDateFilter } = tenant.fake.asked() as Record<string, string>;
    expect([before, today(timeZone)]).toContain(startDateFilter);
    expect([before, today(timeZone)]).toContain(endDateFilter);
  },
);

test("a history until a day before the ticket's first is of that day alone", async () => {
  const tenant = await lookupTenant(world);
  const number = await openTicket(tenant);
  historyIn(await tenant.history(number, { to: "2021-09-20" }));
  expect(tenant.fake.asked()).toMatchObject({ startDateFilter: "2021-09-20", endDateFilter: "2021-09-20" });
});

test("a history longer than 64 KiB comes whole", async () => {
  const tenant = await lookupTenant(world);
  const number = await openTicket(tenant);
  tenant.fake.conversations.set(number, [row(number, 1, true, "a".repeat(200_000))]);
  expect(historyIn(await tenant.history(number)).messages[0]?.text).toHaveLength(200_000);
});

test("a history is asked for again with a fresh token when the old one is refused", async () => {
  const tenant = await lookupTenant(world);
  const number = await openTicket(tenant);
  historyIn(await tenant.history(number));
  tenant.fake.failNext("history", { status: 401, body: "" });
  historyIn(await tenant.history(number));
  expect([tenant.fake.count("login"), tenant.fake.count("history")]).toEqual([2, 3]);
});

test.each(FAULTS)(
  "a history that the engine answers with %s is the engine's failure",
  async (_, fault, status, code, said) => {
    const tenant = await lookupTenant(world, FAULTY);
    const number = await openTicket(tenant);
    for (let time = 0; time < times(fault); time += 1) tenant.fake.failNext("history", fault);
    const reply = await tenant.history(number);
    expect(refusal(reply, status, code).message).toMatch(said);
    expect(reply.headers.get("cache-control")).toBe("no-store");
    expect((await tenant.history(number)).status, "the next time").toBe(200);
  },
);

test.each<[Record<string, string>, string[]]>([
  [{ from: "20-09-2021" }, ["from"]],
  [{ to: "2021-02-30" }, ["to"]],
  [{ from: "besok", to: "" }, ["from", "to"]],
  [{ next: "-1" }, ["next"]],
  [{ next: "a" }, ["next"]],
  [{ owner: "x".repeat(129) }, ["owner"]],
])("a history with the parameters %j is refused, and the engine is not asked", async (query, paths) => {
  const tenant = await lookupTenant(world);
  const number = await openTicket(tenant);
  expect(issuePaths(refusal(await tenant.history(number, query), 422, "invalid_request"))).toEqual(paths);
  expect(tenant.engine.received).toEqual([]);
});

test.each([{ from: "2021-09-21", to: "2021-09-20" }, { from: "2999-01-01" }])(
  "between %j lies no day, so there is no history to show and the engine is not asked",
  async (query) => {
    const tenant = await lookupTenant(world);
    const number = await openTicket(tenant);
    expect((await tenant.history(number, query)).body).toEqual({ status: "success", messages: [] });
    expect(tenant.engine.received).toEqual([]);
  },
);

test("a history needs the desk's token, and a ticket that an Incoming Event of its tenant has opened", async () => {
  const [tenant, stranger] = [await lookupTenant(world), await lookupTenant(world)];
  const number = await openTicket(tenant);
  tenant.fake.conversations.set(number, [row(number, 1, false, "rahasia")]);
  stranger.fake.conversations.set(number, [row(number, 1, false, "rahasia")]);
  const path = `/v1/tickets/${number}/history`;
  expect(await world.call(path)).toBeRefused(401, "unauthorized");
  expect(await world.call(path, { headers: bearer(stranger.token) })).toBeRefused(404, "unknown_ticket");
  expect(await stranger.history(number)).toBeRefused(404, "unknown_ticket");
  expect(await stranger.history(number, { owner: tenant.owner })).toBeRefused(403, "wrong_owner");
  expect(await tenant.history(newTicketNumber())).toBeRefused(404, "unknown_ticket");
  expect(stranger.engine.received).toEqual([]);
  expect(historyIn(await tenant.history(number)).messages).toHaveLength(1);
});

test("a history shows no rows of another ticket, should the engine send some", async () => {
  const tenant = await lookupTenant(world);
  const number = await openTicket(tenant);
  tenant.fake.conversations.set(number, [row(number, 1, false, "sendiri"), row("another", 2, false, "orang lain")]);
  const reply = await tenant.history(number);
  expect(historyIn(reply).messages.map(({ text }) => text)).toEqual(["sendiri"]);
  expect(reply.text).not.toContain("orang lain");
});
