import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { FarEnd, Received } from "../../../dev/fakes/far-end.ts";
import { textOf, ticketOf } from "../support/events.ts";
import { accepted } from "../support/http.ts";
import { type Tenant, gate, newTicketNumber } from "../support/tenant.ts";
import { type World, startWorld } from "../support/world.ts";

const PER_LANE = 8;
const AFTER_RESTART_MS = 45_000;

let persist: string;
let world: World;

beforeAll(async () => {
  persist = await mkdtemp(join(tmpdir(), "dolphin-relay-state-"));
  world = await startWorld({ persist });
});
afterAll(async () => {
  await world.stop();
  await rm(persist, { recursive: true, force: true });
});

type Sent = { id: string; text: string };

const idOf = ({ headers }: Received): string => headers["relay-message-id"] ?? headers["webhook-id"] ?? "";

async function send(how: Tenant["reply"], ticketNumber: string, lane: string): Promise<Sent[]> {
  const sent: Sent[] = [];
  for (let count = 1; count <= PER_LANE; count += 1) {
    const text = `${lane} ${count}`;
    sent.push({ text, id: accepted(await how(ticketNumber, { message: text })).id });
  }
  return sent;
}

/** What one lane's far end received for a ticket, from `start` on, repeats left out. */
function firsts(far: FarEnd, ticketNumber: string, start = 0): Sent[] {
  const seen = new Map<string, Sent>();
  for (const each of far.received.slice(start)) {
    const id = idOf(each);
    if (ticketOf(each.body) === ticketNumber && !seen.has(id)) seen.set(id, { text: textOf(each.body), id });
  }
  return [...seen.values()];
}

test("what was accepted while both far ends refuse is delivered in order, under its ids, after a kill -9", async () => {
  const tenant = await world.tenant();
  const numbers = [newTicketNumber(), newTicketNumber()];
  const opened = await Promise.all(numbers.map((number) => tenant.incoming(number, { message: "halo" })));
  await tenant.desk.until((received) => received.length === 2, "the opening messages");
  tenant.desk.answerWith(() => ({ status: 503 }));
  tenant.engine.answerWith(() => ({ status: 503 }));
  const lanes = await Promise.all(
    numbers.flatMap((number) => [send(tenant.incoming, number, "masuk"), send(tenant.reply, number, "keluar")]),
  );
  await tenant.desk.until((received) => received.length >= 4, "a refusal of each ticket");
  await tenant.engine.until((received) => received.length >= 2, "a refusal of each ticket");

  let start = { desk: 0, engine: 0 };
  await world.killAndRestart(() => {
    tenant.desk.answerWith(() => ({ status: 200 }));
    tenant.engine.answerWith(() => ({ status: 200 }));
    start = { desk: tenant.desk.received.length, engine: tenant.engine.received.length };
  });

  const total = PER_LANE * numbers.length;
  const all = (from: number) => (received: Received[]) => new Set(received.slice(from).map(idOf)).size === total;
  await tenant.desk.until(all(start.desk), "the rest at the desk", AFTER_RESTART_MS);
  await tenant.engine.until(all(start.engine), "the rest at the engine", AFTER_RESTART_MS);
  for (const [index, number] of numbers.entries()) {
    expect(firsts(tenant.desk, number, start.desk)).toEqual(lanes[2 * index]);
    expect(firsts(tenant.engine, number, start.engine)).toEqual(lanes[2 * index + 1]);
    const ticket = await tenant.untilTicket(
      number,
      ({ lanes: { toDesk, toDolphins } }) => toDesk.waiting + toDolphins.waiting === 0,
      "all to be settled",
    );
    expect(ticket.lanes.toDesk).toMatchObject({
      accepted: PER_LANE + 1,
      delivered: PER_LANE + 1,
      dead: 0,
    });
    expect(ticket.lanes.toDolphins).toMatchObject({
      accepted: PER_LANE,
      delivered: PER_LANE,
      dead: 0,
    });
  }
  expect(opened.map((reply) => accepted(reply).sequence)).toEqual([1, 1]);
  expect(accepted(await tenant.incoming(numbers[0] ?? "")).sequence).toBe(PER_LANE + 2);
});

test("a delivery that hangs during a kill -9 is repeated under its own id, and what waits behind it follows in order", async () => {
  const tenant = await world.tenant();
  const number = newTicketNumber();
  expect(await tenant.incoming(number, { message: "halo" })).toBeAccepted();
  await tenant.desk.until((received) => received.length === 1, "the opening message");
  const held = gate();
  tenant.desk.answerWith(async () => {
    await held.opened;
    return { status: 200 };
  });
  const sent = await send(tenant.incoming, number, "masuk");
  await tenant.desk.until((received) => received.length === 2, "the delivery that hangs");

  await world.killAndRestart(() => tenant.desk.answerWith(() => ({ status: 200 })));
  held.open();
  await tenant.desk.until((received) => received.length === 2 + PER_LANE, "all that waited", AFTER_RESTART_MS);
  expect(tenant.desk.received.slice(1).map(idOf)).toEqual([sent[0]?.id, ...sent.map(({ id }) => id)]);
  expect(firsts(tenant.desk, number, 1)).toEqual(sent);
  const { lanes } = await tenant.untilTicket(
    number,
    (ticket) => ticket.lanes.toDesk.waiting === 0,
    "all to be settled",
  );
  expect(lanes.toDesk).toMatchObject({ accepted: PER_LANE + 1, delivered: PER_LANE + 1, dead: 0 });
});

test("a closed ticket, its idempotency keys and the desk's credentials outlive a kill -9", async () => {
  const tenant = await world.tenant();
  const number = newTicketNumber();
  const key = { "idempotency-key": "masuk-1" };
  const first = accepted(await tenant.incoming(number, {}, key));
  const close = accepted(await tenant.close(number));
  await tenant.untilTicket(number, ({ state }) => state === "closed", "the ticket to be closed");
  await world.killAndRestart();
  expect((await tenant.ticket(number)).state).toBe("closed");
  expect((await tenant.reply(number)).status).toBe(409);
  expect(accepted(await tenant.close(number))).toEqual(close);
  expect(accepted(await tenant.incoming(number, {}, key))).toEqual(first);
});
