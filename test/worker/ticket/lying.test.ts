import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test, vi } from "vitest";
import type { Order } from "../../../src/desks/desk";
import { newMessageId } from "../../../src/lib/message-id";
import { meter } from "../meter";
import { accepted, alarmOf, incoming, ticketAtRest, untilView, useFarEnds, viewOf } from "../world";

/** A ticket at whose desk's door webhooks overtake each other: what it shows of what lies, keeps of it, and pays for it. */

const farEnds = useFarEnds();

type AtRest = Awaited<ReturnType<typeof ticketAtRest>>;

async function send({ owner, stub }: AtRest, text: string, order?: Order, as?: "command") {
  const kind = as ?? (order?.key === null ? "command" : "outgoing");
  const about = { owner, ticketNumber: "t", channel: "whatsapp" };
  const event = kind === "command" ? { ...about, event: "Close" } : { ...about, messageType: "text", message: text };
  const answer = await stub.accept({
    id: newMessageId(),
    ...about,
    deskId: owner,
    lane: "toDolphins",
    kind,
    event: JSON.stringify(event),
    contactId: "",
    customerName: "",
    idempotencyKey: text,
    fromWebhook: true,
    order,
  });
  if (!answer.ok) throw new Error(answer.error.code);
  return answer.value;
}

const old = (key: number): Order => ({ key, ageMs: 5_000 });
const fresh = (key: number): Order => ({ key, ageMs: 0 });
const CLOSE: Order = { key: null };

test("what lies is shown as waiting and without a sequence, is there after an eviction, and gets its sequence when taken", async () => {
  const ticket = await ticketAtRest();
  const { owner, stub } = ticket;
  const ids: string[] = [];
  for (const [text, order] of [
    ["Close", CLOSE],
    ["second", old(12)],
    ["first", old(11)],
  ] as const) {
    const { id, sequence } = await send(ticket, text, order);
    expect(sequence).toBeUndefined();
    ids.unshift(id);
  }
  const stored = ids.toReversed();
  for (const isEvicted of [false, true]) {
    if (isEvicted) await evictDurableObject(stub);
    const { lanes, messages, state } = await viewOf(owner, "t");
    expect(state).toBe("closing");
    expect(lanes.toDolphins).toMatchObject({ accepted: 3, waiting: 3, delivered: 0 });
    expect(lanes.toDolphins.oldestWaitingSince).toBeDefined();
    const lying = messages.filter(({ lane }) => lane === "toDolphins");
    expect(lying.map(({ id }) => id)).toEqual(stored);
    for (const one of lying) expect(one).toMatchObject({ state: "waiting", attempts: [] });
    for (const one of lying) expect(one).not.toHaveProperty("sequence");
  }
  expect(await send(ticket, "first", old(11))).toMatchObject({ id: ids[0], sequence: undefined, repeat: true });
  expect(await alarmOf(stub)).toBeLessThanOrEqual(Date.now() + 3_000);
  const { messages } = await untilView(owner, "t", ({ state }) => state === "closed");
  const taken = messages.filter(({ lane }) => lane === "toDolphins");
  expect(taken.map(({ id, sequence }) => [id, sequence])).toEqual(ids.map((id, at) => [id, at + 1]));
  expect(await send(ticket, "first", old(11))).toMatchObject({ id: ids[0], sequence: 1, repeat: true });
});

test("a page that ends at what lies goes on before it", async () => {
  const ticket = await ticketAtRest();
  await send(ticket, "a reply", fresh(1));
  await send(ticket, "Close", CLOSE);
  for (let n = 0; n < 99; n++) await accepted(incoming(ticket.owner, "t", `m${n}`));
  const answer = await ticket.stub.timeline({ toDesk: { before: 1_000 }, toDolphins: { before: 1_000 } });
  const { next } = (JSON.parse(answer.ok ? answer.value : "{}") as { ticket: { next?: string } }).ticket;
  // Of 102 messages the page shows 100, and the Close is the oldest of its lane there.
  expect(next).toBe("2,2");
});

test("a customer who writes while a Close lies keeps the ticket open, and the Close goes out", async () => {
  const ticket = await ticketAtRest();
  await send(ticket, "Close", CLOSE);
  await accepted(incoming(ticket.owner, "t", "one more thing"));
  const view = await untilView(ticket.owner, "t", ({ lanes }) => lanes.toDolphins.delivered === 1);
  expect(view).toMatchObject({ state: "open", lanes: { toDolphins: { waiting: 0, dead: 0 } } });
  expect(farEnds.sent.at(-1)?.url).toMatch(/\/command$/);
});

test("a fresh reply with an order key writes no row more than one without", async () => {
  const ticket = await ticketAtRest();
  const rowsFor = async (text: string, order?: Order) => {
    const cost = await meter(ticket.stub);
    const { sequence } = await send(ticket, text, order);
    expect(await ticket.stub.deliveryStatus("toDolphins", sequence ?? 0, 10_000)).toEqual({ state: "delivered" });
    await runDurableObjectAlarm(ticket.stub);
    return (await cost()).written;
  };
  const plain = await rowsFor("plain");
  expect(plain).toBeGreaterThanOrEqual(4);
  expect(await rowsFor("ordered", fresh(7))).toBe(plain);
});

test("a Close that lies writes at most four rows more than one that does not: its alarm, that it was taken, and a report", async () => {
  const isClosed = (stub: AtRest["stub"]) =>
    runInDurableObject(stub, (_ticket, { storage }) =>
      storage.sql.exec("SELECT 1 FROM ticket WHERE state = 'closed'").toArray(),
    );
  const rowsFor = async (order?: Order) => {
    const ticket = await ticketAtRest();
    const cost = await meter(ticket.stub);
    await send(ticket, "Close", order, "command");
    await vi.waitFor(async () => expect(await isClosed(ticket.stub)).toHaveLength(1), { timeout: 10_000 });
    await runDurableObjectAlarm(ticket.stub);
    return (await cost()).written;
  };
  const plain = await rowsFor();
  expect(plain).toBeGreaterThanOrEqual(5);
  expect((await rowsFor(CLOSE)) - plain).toBeLessThanOrEqual(4);
});

test("what lies is taken by an alarm of its own, though nothing else touches the ticket", async () => {
  const ticket = await ticketAtRest();
  await send(ticket, "old", old(3));
  await evictDurableObject(ticket.stub);
  await farEnds.until(2);
  const left = await runInDurableObject(ticket.stub, (_ticket, { storage }) =>
    storage.sql.exec("SELECT 1 FROM message WHERE lyingUntilMs IS NOT NULL").toArray(),
  );
  expect(left).toEqual([]);
});
