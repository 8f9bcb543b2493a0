import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { TenantIndex } from "../../../src/index";
import first from "../../contracts/desks/toy/deliver/first-message.json";
import { sign } from "../../contracts/desks/toy/sign";
import { accepted, call, incoming, ok, registerTenant, ticketOf, untilView, useFarEnds, viewOf } from "../world";

/** A desk that keeps nothing of ours, in one folder of the tests: its rooms lead to tickets by the tenant's index. */

const farEnds = useFarEnds();
const desk = first.record;
const DAY_MS = 24 * 3600_000;

/** A toy whose rooms are called room-1, room-2 … in the order in which they are asked for. */
function playToy(): { rooms: () => string[] } {
  const rooms = new Map<string, string>();
  farEnds.answerWith((sent) => {
    const { pathname } = new URL(sent.url);
    if (!pathname.startsWith("/visitors/")) return ok(sent);
    const room = rooms.get(pathname) ?? `room-${rooms.size + 1}-${crypto.randomUUID().slice(0, 8)}`;
    rooms.set(pathname, room);
    return Response.json({ room });
  });
  return { rooms: () => [...rooms.values()] };
}

async function webhook(owner: string, body: unknown): Promise<Response> {
  const text = JSON.stringify(body);
  const { headers } = await sign(text, desk);
  return call(`/v1/desks/toy/${owner}`, { method: "POST", body: text, headers });
}

const said = (room: string, text: string, at = "2026-11-23T02:00:05Z") => ({
  room,
  lines: [{ at, agent: "a-1", said: text }],
});

/** An open ticket, and its room. */
async function openTicket(owner: string, number: string, toy: ReturnType<typeof playToy>): Promise<string> {
  await accepted(incoming(owner, number, "halo"));
  await untilView(owner, number, ({ lanes }) => lanes.toDesk.delivered === 1);
  return toy.rooms().at(-1) ?? "";
}

const outgoingTexts = () =>
  farEnds.sent
    .filter(({ url }) => url.endsWith("/outgoing"))
    .map(({ body }) => (JSON.parse(body) as { message: string }).message);

test("a reply out of a named conversation reaches the ticket's customer with what the ticket knows, and a repeat is told by its key", async () => {
  const toy = playToy();
  const owner = await registerTenant({ desk });
  const room = await openTicket(owner, "t", toy);
  expect((await webhook(owner, said(room, "selamat siang"))).status).toBe(200);
  const again = await webhook(owner, said(room, "selamat siang"));
  expect([again.status, again.headers.get("idempotent-replay")]).toEqual([200, "true"]);
  await untilView(owner, "t", ({ lanes }) => lanes.toDolphins.delivered === 1);
  const sent = farEnds.sent.find(({ url }) => url.endsWith("/outgoing"));
  expect(JSON.parse(sent?.body ?? "")).toMatchObject({
    ticketNumber: "t",
    channel: "whatsapp",
    customerName: "Farhan Akbar",
    message: "selamat siang",
  });
  expect((await webhook(owner, { room, ended: true })).status).toBe(200);
  await untilView(owner, "t", ({ state }) => state === "closed");
});

test("a conversation that nobody has named is not the relay's: it is answered 200 and left, and so is another tenant's", async () => {
  const toy = playToy();
  const [owner, other] = [await registerTenant({ desk }), await registerTenant({ desk })];
  const room = await openTicket(owner, "t", toy);
  for (const [whose, which] of [
    [owner, "somewhere"],
    [other, room],
  ] as const) {
    expect((await webhook(whose, said(which, "salah alamat"))).status).toBe(200);
  }
  expect((await webhook(owner, said(room, "benar"))).status).toBe(200);
  await untilView(owner, "t", ({ lanes }) => lanes.toDolphins.delivered === 1);
  expect(outgoingTexts()).toEqual(["benar"]);
});

test("a webhook that asks for an answer of its own gets it, once its signature holds", async () => {
  const owner = await registerTenant({ desk });
  const answer = await webhook(owner, { challenge: "apa kabar" });
  expect([answer.status, await answer.text()]).toEqual([200, "apa kabar"]);
  const forged = await call(`/v1/desks/toy/${owner}`, { method: "POST", body: '{"challenge":"apa kabar"}' });
  expect(forged.status).toBe(401);
});

test("the name is kept before the request that follows it, and a ticket that is named asks the index no more", async () => {
  const toy = playToy();
  const owner = await registerTenant({ desk });
  const sentBefore: string[][] = [];
  const nameConversation = Reflect.get(TenantIndex.prototype, "nameConversation");
  vi.spyOn(TenantIndex.prototype, "nameConversation").mockImplementation(function (this: TenantIndex, conversation) {
    sentBefore.push(farEnds.sent.map(({ url }) => new URL(url).pathname.split("/")[1] ?? ""));
    return nameConversation.call(this, conversation);
  });
  await openTicket(owner, "t", toy);
  await accepted(incoming(owner, "t", "lagi"));
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.delivered === 2);
  expect(sentBefore).toEqual([["visitors"]]);
});

test("the name goes with the ticket", async () => {
  const toy = playToy();
  const owner = await registerTenant({ desk, retentionDays: 3 });
  const room = await openTicket(owner, "t", toy);
  await webhook(owner, { room, ended: true });
  await untilView(owner, "t", ({ state, lanes }) => state === "closed" && lanes.toDesk.waiting === 0);
  const index = env.TENANT_INDEX.getByName(owner);
  const named = () => index.ticketNamed("toy https://toy.example.com", room);
  expect(await named()).toEqual({ ticketNumber: "t", channel: "whatsapp" });
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3.1 * DAY_MS });
  await ticketOf(owner, "t").sweep();
  await runDurableObjectAlarm(ticketOf(owner, "t"));
  expect(await named()).toBeUndefined();
  expect((await webhook(owner, said(room, "terlambat"))).status).toBe(200);
});

test("a ticket whose customer writes while it is being wiped is named again, and goes on being answered", async () => {
  const toy = playToy();
  const owner = await registerTenant({ desk, retentionDays: 3 });
  const room = await openTicket(owner, "t", toy);
  await webhook(owner, { room, ended: true });
  await untilView(owner, "t", ({ state, lanes }) => state === "closed" && lanes.toDesk.waiting === 0);
  const forget = Reflect.get(TenantIndex.prototype, "forget");
  vi.spyOn(TenantIndex.prototype, "forget").mockImplementationOnce(async function (this: TenantIndex, ...ticket) {
    await forget.apply(this, ticket);
    await accepted(incoming(owner, "t", "satu lagi"));
  });
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3.1 * DAY_MS });
  await ticketOf(owner, "t").sweep();
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.delivered === 2);
  expect((await webhook(owner, said(room, "silakan"))).status).toBe(200);
  await vi.waitFor(() => expect(outgoingTexts()).toEqual(["silakan"]));
});

test("an index of the version before has names from its first on", async () => {
  const owner = await registerTenant();
  const index = env.TENANT_INDEX.getByName(owner);
  await accepted(incoming(owner, "t", "halo"));
  await viewOf(owner, "t");
  await ticketOf(owner, "t").sweep();
  await runInDurableObject(index, (_index, { storage }) => {
    storage.sql.exec("DROP TABLE conversation");
    storage.kv.put("schema", 1);
  });
  expect(await index.ticketNamed("toy", "room")).toBeUndefined();
  await index.nameConversation({ farEnd: "toy", name: "room", ticketNumber: "t", channel: "whatsapp" });
  expect(await index.ticketNamed("toy", "room")).toEqual({ ticketNumber: "t", channel: "whatsapp" });
  await index.forget("t");
  expect(await index.ticketNamed("toy", "room")).toBeUndefined();
});
