import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type FakeGenesys, startFakeGenesys } from "../../../dev/fakes/genesys.ts";
import { textOf } from "../support/events.ts";
import { accepted } from "../support/http.ts";
import { type Tenant, newTicketNumber } from "../support/tenant.ts";
import { poll } from "../support/timeline.ts";
import { type World, startWorld } from "../support/world.ts";

let world: World;
const opened: FakeGenesys[] = [];
beforeAll(async () => {
  world = await startWorld();
});
/** Every request, answer and webhook was held against the typings of Genesys's client. */
afterEach(() => {
  const problems = opened.flatMap(({ refused }) => refused);
  if (problems.length > 0) throw new Error(`What Genesys's typings do not have:\n${problems.join("\n")}`);
});
afterAll(async () => {
  await world.stop();
  await Promise.all(opened.map(({ close }) => close()));
});

type Desk = { tenant: Tenant; genesys: FakeGenesys };

/** A tenant with a fake Genesys of its own that sends its webhooks to the relay. */
async function makeDesk(record: Record<string, unknown> = {}): Promise<Desk> {
  const genesys = await startFakeGenesys();
  opened.push(genesys);
  const owner = randomUUID().replaceAll("-", "");
  const tenant = await world.tenant({ owner, record: { desk: genesys.record, ...record } });
  genesys.subscribe(`${world.relay().url}/v1/desks/genesys/${owner}`);
  return { tenant, genesys };
}

/** A new ticket whose customer has said something, and its conversation. */
async function openTicket({ tenant, genesys }: Desk, message = "Halo") {
  const number = newTicketNumber();
  accepted(await tenant.incoming(number, { message }));
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the message at the desk");
  const conversation = genesys.conversations.at(-1);
  if (!conversation) throw new Error("there is no conversation");
  return { number, conversation };
}

/** What was told of an agent's message, once it was told. */
const receiptOf = async ({ genesys }: Desk, id: string, count = 1) =>
  (
    await poll(
      () => Promise.resolve(genesys.receipts.filter((receipt) => receipt.id === id)),
      (all) => all.length >= count,
      `${count} receipts`,
    )
  ).map(({ status, code }) => (code === undefined ? status : `${status} ${code}`));

const events = (tenant: Tenant) => tenant.engine.received.map(({ body }) => JSON.parse(body) as Record<string, string>);

test("what a customer says stands in one conversation in its order, and one login serves all tickets", async () => {
  const desk = await makeDesk();
  const { tenant, genesys } = desk;
  const { number, conversation } = await openTicket(desk);
  const photo = "https://files.example.com/struk.jpg";
  await tenant.incoming(number, { message: "Halo" });
  await tenant.incoming(number, { messageType: "image", message: "Struk", mediaLink: photo });
  await tenant.incoming(number, { messageType: "Location", message: "-6.2088,106.8456" });
  await tenant.incoming(number, { messageType: "sticker", message: "" });
  await tenant.incoming(number, { message: `${"a".repeat(3_990)} ${"b".repeat(3_990)}` });
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 6, "all of it at the desk");

  const { messages } = conversation;
  expect(messages.map(({ text, content }) => [text, content?.[0]?.attachment])).toEqual([
    ["Halo", undefined],
    ["Halo", undefined],
    ["Struk", { mediaType: "Image", url: photo, mime: "image/jpeg", filename: "struk.jpg" }],
    ["Lokasi: -6.2088,106.8456\nhttps://maps.google.com/?q=-6.2088,106.8456", undefined],
    ["Stiker", undefined],
    [`${"a".repeat(3_990)} `, undefined],
    ["b".repeat(3_990), undefined],
  ]);
  expect(messages[0]?.channel.from).toMatchObject({ nickname: "Farhan Akbar" });
  expect(new Set(messages.map(({ channel }) => channel.from.id)).size).toBe(1);
  await Promise.all(Array.from({ length: 10 }, () => openTicket(desk)));
  expect(genesys.conversations.length).toBe(11);
  expect(genesys.logins()).toBe(1);
});

test("an agent's answers reach the engine in their order, a repeat with other bytes only once, and each is shown as delivered", async () => {
  const desk = await makeDesk();
  const { tenant, genesys } = desk;
  const { number, conversation } = await openTicket(desk);
  const link = genesys.file("slip gaji", "application/pdf");
  const quickReply = (text: string) => ({ contentType: "QuickReply", quickReply: { text, payload: text } });
  const attachment = { id: "a-1", mediaType: "File", mime: "application/pdf", filename: "slip.pdf" };
  const said = [
    genesys.outbound(conversation, { text: "Selamat siang" }),
    genesys.outbound(conversation, {
      content: [{ contentType: "Attachment", attachment: { ...attachment, url: link } }],
    }),
    genesys.outbound(conversation, { type: "Event", events: [{ eventType: "Typing", typing: { type: "On" } }] }),
    genesys.outbound(conversation, {
      type: "Structured",
      text: "Pilih",
      content: [quickReply("Ya"), quickReply("Tidak")],
    }),
  ];
  for (const one of said) expect(await genesys.send(one)).toEqual([200]);
  const again = {
    ...said[1],
    content: [{ contentType: "Attachment", attachment: { ...attachment, url: `${link}?v=2` } }],
  };
  for (const repeat of [again, { ...again, conversationId: undefined }]) {
    expect(await genesys.send(repeat)).toEqual([200]);
  }
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDolphins.delivered === 3, "the answers at the engine");
  const received = events(tenant);
  expect(received).toMatchObject([
    { messageType: "text", message: "Selamat siang", channel: "whatsapp", customerName: "Farhan Akbar" },
    { messageType: "file", message: "" },
    { messageType: "text", message: "Pilih\n- Ya\n- Tidak" },
  ]);
  // The token opens it, and does not go on to where it leads.
  const file = await fetch(received[1]?.["mediaLink"] ?? "");
  expect([file.headers.get("content-type"), await file.text()]).toEqual(["application/pdf", "slip gaji"]);
  for (const at of [0, 1, 3]) expect(await receiptOf(desk, said[at]?.id ?? "")).toEqual(["Delivered"]);
});

test("a file opens with a fresh token where the one at hand is gone", async () => {
  const desk = await makeDesk();
  const { tenant, genesys } = desk;
  const { conversation } = await openTicket(desk);
  const attachment = { id: "a-1", mediaType: "Image", mime: "image/png", url: genesys.file("gambar", "image/png") };
  await genesys.send(genesys.outbound(conversation, { content: [{ contentType: "Attachment", attachment }] }));
  await tenant.engine.until((all) => all.length === 1, "the picture");
  const link = events(tenant)[0]?.["mediaLink"] ?? "";
  genesys.revokeTokens();
  expect(await (await fetch(link)).text()).toBe("gambar");
  genesys.files.clear();
  expect((await fetch(link)).status).toBe(404);
});

test("a reply that dies is shown as failed, and as delivered once it was replayed", async () => {
  const desk = await makeDesk();
  const { tenant, genesys } = desk;
  const { number, conversation } = await openTicket(desk);
  tenant.engine.answerWith(() => ({ status: 422, body: "{}" }));
  const reply = genesys.outbound(conversation, { text: "Ditolak" });
  expect(await genesys.send(reply)).toEqual([200]);
  expect(await receiptOf(desk, reply.id)).toEqual(["Failed GeneralError"]);
  tenant.engine.answerWith(() => ({ status: 200, body: "{}" }));
  await tenant.replay(number, { all: true });
  expect(await receiptOf(desk, reply.id, 2)).toEqual(["Failed GeneralError", "Delivered"]);
});

test("a reply that is refused is answered 200, and shown as failed once Genesys can be told", async () => {
  const desk = await makeDesk();
  const { tenant, genesys } = desk;
  const { number, conversation } = await openTicket(desk);
  await tenant.engineClose(number);
  await tenant.untilTicket(number, ({ state }) => state === "closed", "the ticket to be closed");
  genesys.faultWith(({ step, count }) => (step === "receipt" && count === 1 ? { status: 503 } : undefined));
  const late = genesys.outbound(conversation, { text: "Terlambat" });
  expect(await genesys.send(late)).toEqual([200]);
  expect(await receiptOf(desk, late.id)).toEqual(["Failed MessageNotAllowed"]);
  const foreign = genesys.outbound({ id: "c-0", customerId: "somebody-else" }, { text: "Siapa?" });
  expect(await genesys.send(foreign)).toEqual([200]);
  expect(await receiptOf(desk, foreign.id)).toEqual(["Failed MessageNotAllowed"]);
  expect(events(tenant)).toEqual([]);
  expect(await genesys.send(late, "another secret")).toEqual([401]);
});

test("a bot's greeting that comes ahead of the answer to the first message reaches the customer", async () => {
  const { tenant, genesys } = await makeDesk({ delivery: { timeoutMs: 1_500 } });
  genesys.faultWith(({ step, count }) =>
    step === "message" && count === 1 ? { silent: true, done: true } : undefined,
  );
  const number = newTicketNumber();
  accepted(await tenant.incoming(number));
  const [conversation] = await poll(
    () => Promise.resolve(genesys.conversations),
    (all) => all.length === 1,
    "the conversation",
  );
  if (!conversation) throw new Error("there is no conversation");
  const greeting = genesys.outbound(conversation, { text: "Selamat datang", originatingEntity: "Bot" });
  expect(await genesys.send(greeting)).toEqual([200]);
  await tenant.engine.until((all) => all.some(({ body }) => textOf(body) === "Selamat datang"), "the greeting");
  const { messages } = await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the message");
  expect(messages[0]?.attempts.length).toBe(2);
  expect(conversation.messages.length).toBe(1);
});

test("Close ends the conversation for the agent, and what the customer says next begins another, where it is answered", async () => {
  const desk = await makeDesk();
  const { tenant, genesys } = desk;
  const { number, conversation } = await openTicket(desk);
  await tenant.engineClose(number);
  await tenant.untilTicket(number, ({ state }) => state === "closed", "the ticket to be closed");
  expect(conversation.state).toBe("disconnected");
  await tenant.incoming(number, { message: "Masih ada?" });
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 3, "the next message");
  const next = genesys.conversations.at(-1);
  if (!next) throw new Error("there is no conversation");
  expect([genesys.conversations.length, next.customerId]).toEqual([2, conversation.customerId]);
  expect(await genesys.send(genesys.outbound(next, { text: "Ada" }))).toEqual([200]);
  await tenant.engine.until((all) => all.some(({ body }) => textOf(body) === "Ada"), "the answer");
  await tenant.engineClose(number);
  await tenant.untilTicket(number, ({ state }) => state === "closed", "the ticket to be closed once more");
  expect(next.state).toBe("disconnected");
  // Nobody is told twice of what the agent has ended alone.
  await tenant.incoming(number, { message: "Lagi" });
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 5, "the message after that");
  for (const one of genesys.conversations) one.state = "disconnected";
  await tenant.engineClose(number);
  await tenant.untilTicket(number, ({ state }) => state === "closed", "a Close of what has ended");
});

test("a workflow closes the ticket by what its conversation's participant knows", async () => {
  const desk = await makeDesk();
  const { tenant } = desk;
  const { conversation } = await openTicket(desk);
  const known = conversation.messages[0]?.channel.metadata?.customAttributes ?? {};
  const closed = await world.call("/v1/command", {
    method: "POST",
    headers: { authorization: `Bearer ${tenant.token}` },
    body: { ...known, event: "Close" },
  });
  accepted(closed);
  const { ticketNumber = "" } = known;
  await tenant.untilTicket(ticketNumber, ({ state }) => state === "closed", "the ticket to be closed");
  expect(events(tenant)).toMatchObject([{ event: "Close", ticketNumber }]);
});

test("the connection test says what is set up, shows no secret and writes nothing, unless it is asked to send", async () => {
  const { tenant, genesys } = await makeDesk();
  const target = `${world.relay().url}/v1/desks/genesys/${tenant.owner}`;
  const check = async (body?: object) => {
    const { body: answer, text } = await world.admin("POST", `/admin/tenants/${tenant.owner}/test/desk`, body);
    expect(text).not.toContain(String(genesys.record["webhookSecret"]));
    return answer as { outcome: string; checks?: { name: string; ok: boolean; message: string }[] };
  };
  const found = async () => (await check()).checks?.map(({ name, ok }) => [name, ok]);
  expect(await found()).toEqual([
    ["client", true],
    ["integration", true],
    ["status", true],
    ["webhook", false],
  ]);
  Object.assign(genesys.integration, { outboundNotificationWebhookUrl: target, createStatus: "Initiated" });
  expect(await found()).toEqual([
    ["client", true],
    ["integration", true],
    ["status", false],
    ["webhook", true],
  ]);
  expect(genesys.conversations).toEqual([]);
  expect((await check({ send: true })).outcome).toBe("delivered");
  expect(genesys.conversations.map(({ messages }) => messages.length)).toEqual([1]);
  const { owner } = tenant;
  await world.putTenant(tenant, { record: { desk: { ...genesys.record, integrationId: "another" } } });
  expect(await check()).toMatchObject({ outcome: "rejected", checks: [{ name: "integration", ok: false }] });
  await world.putTenant(tenant, { record: { desk: { ...genesys.record, clientSecret: "wrong" } } });
  expect(await check()).toMatchObject({ outcome: "retry", checks: [{ name: "client", ok: false }] });
  expect((await world.admin("GET", `/admin/tenants/${owner}`)).text).toContain('"clientSecret":"***"');
});
