import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { expect, test, vi } from "vitest";
import type { OverviewAnswer } from "../../../src/model/answers";
import { meter } from "../meter";
import { accepted, incoming, operator, registerTenant, ticketOf, useFarEnds } from "../world";
import { indexOf } from "./index-world";

const farEnds = useFarEnds();

const later = (ms: number) => vi.setSystemTime(Date.now() + ms);

async function look(owner: string) {
  const { overview } = (await operator("GET", `/tenants/${owner}/overview?minutes=1440`)) as OverviewAnswer;
  const delivered = overview.minutes.reduce((sum, { toDesk }) => sum + toDesk.delivered, 0);
  return { delivered, countedUntilMs: Date.parse(overview.countedUntil) };
}

/** A message in each ticket, delivered, and the alarm that follows it. */
async function trickle(owner: string, tickets: string[], text: string): Promise<void> {
  const before = farEnds.sent.length;
  for (const ticket of tickets) await accepted(incoming(owner, ticket, text));
  await farEnds.until(before + tickets.length);
  later(9_000);
  for (const ticket of tickets) await runDurableObjectAlarm(ticketOf(owner, ticket));
}

const TICKETS = ["a", "b", "c", "d", "e", "f", "g"];

/** Seven tickets that have each told of their first message, and of none of the four that followed. */
async function slowTenant(): Promise<string> {
  vi.useFakeTimers({ toFake: ["Date"] });
  const owner = await registerTenant();
  for (let n = 0; n < 5; n++) {
    await trickle(owner, TICKETS, `m${n}`);
    later(19_000);
  }
  return owner;
}

test("who looks at a tenant has all that trickles through it, and nobody who does not look pays for that", async () => {
  const owner = await slowTenant();
  const startedMs = Date.now();
  const first = await look(owner);
  expect(first.delivered).toBeLessThan(35);
  expect(first.countedUntilMs).toBeLessThan(startedMs - 60_000);
  await vi.waitFor(async () => expect((await look(owner)).delivered).toBe(35));
  await vi.waitFor(async () => expect((await look(owner)).countedUntilMs).toBeGreaterThan(Date.now() - 30_000));
  await trickle(owner, TICKETS, "while somebody looks");
  expect((await look(owner)).delivered).toBe(42);
});

test("a ticket that leaves memory, and one that is opened, are followed while somebody looks", async () => {
  const owner = await slowTenant();
  await look(owner);
  await vi.waitFor(async () => expect((await look(owner)).delivered).toBe(35));
  await evictDurableObject(ticketOf(owner, "a"));
  await trickle(owner, ["a", "new"], "once");
  await trickle(owner, ["a", "new"], "again");
  await vi.waitFor(async () => expect((await look(owner)).delivered).toBe(39));
});

test("a ticket that cannot be asked keeps the counts from being called whole until it has answered", async () => {
  const owner = await slowTenant();
  const watch = vi.spyOn((await import("../../../src/index")).Ticket.prototype, "watch");
  watch.mockRejectedValueOnce(new Error("overloaded"));
  const startedMs = Date.now();
  await look(owner);
  await vi.waitFor(() => expect(watch).toHaveBeenCalledTimes(7));
  expect((await look(owner)).countedUntilMs).toBeLessThan(startedMs - 60_000);
  await vi.waitFor(async () => expect((await look(owner)).countedUntilMs).toBeGreaterThan(Date.now() - 30_000));
  expect((await look(owner)).delivered).toBe(35);
});

test("after the last look a ticket goes back to its batches within ten minutes", async () => {
  const owner = await slowTenant();
  await look(owner);
  await vi.waitFor(async () => expect((await look(owner)).delivered).toBe(35));
  later(11 * 60_000);
  // The first message after a pause may be told: it tells of the pause.
  await trickle(owner, TICKETS, "first");
  const cost = await meter(indexOf(owner));
  await trickle(owner, TICKETS, "second");
  await trickle(owner, TICKETS, "third");
  expect((await cost()).written).toBe(0);
});
