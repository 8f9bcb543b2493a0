import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type FakeZendesk, startFakeZendesk } from "../../../dev/fakes/zendesk.ts";
import { textOf } from "../support/events.ts";
import { type Tenant, newTicketNumber } from "../support/tenant.ts";
import { poll } from "../support/timeline.ts";
import { type World, startWorld } from "../support/world.ts";

let world: World;
const opened: FakeZendesk[] = [];
beforeAll(async () => {
  world = await startWorld();
});
/** Every request, answer and webhook was held against Zendesk's description. */
afterEach(() => {
  const problems = opened.flatMap(({ refused }) => refused);
  if (problems.length > 0) throw new Error(`What Zendesk's description does not have:\n${problems.join("\n")}`);
});
afterAll(async () => {
  await world.stop();
  await Promise.all(opened.map(({ close }) => close()));
});

type Desk = { tenant: Tenant; zendesk: FakeZendesk };

/** A tenant with a fake Zendesk of its own that sends its webhooks to the relay. */
async function makeDesk(
  record: Record<string, unknown> = {},
  account: Parameters<typeof startFakeZendesk>[0] = {},
): Promise<Desk> {
  const zendesk = await startFakeZendesk(account);
  opened.push(zendesk);
  const owner = randomUUID().replaceAll("-", "");
  const tenant = await world.tenant({ owner, record: { desk: { ...zendesk.record, ...record } } });
  zendesk.subscribe(`${world.relay().url}/v1/desks/zendesk/${owner}`);
  return { tenant, zendesk };
}

/** The one conversation of a desk, once it has so many messages. */
const conversationWith = async ({ zendesk }: Desk, messages: number) => {
  const [only] = await poll(
    () => Promise.resolve(zendesk.conversations),
    ([first]) => (first?.messages.length ?? 0) >= messages,
    `${messages} messages at the desk`,
  );
  if (!only) throw new Error("there is no conversation");
  return only;
};

const contents = (messages: { content: unknown }[]) => messages.map(({ content }) => content);

test("four messages of a customer make one user, one conversation and four messages, and none of them comes back", async () => {
  const desk = await makeDesk();
  const { tenant, zendesk } = desk;
  const number = newTicketNumber();
  await tenant.incoming(number, { message: "Halo" });
  await tenant.incoming(number, { message: "Halo" });
  const photo = "https://files.example.com/struk.jpg";
  await tenant.incoming(number, { messageType: "image", message: "Struk", mediaLink: photo });
  await tenant.incoming(number, { messageType: "Location", message: "-6.2088,106.8456" });

  const conversation = await conversationWith(desk, 4);
  expect(contents(conversation.messages)).toEqual([
    { type: "text", text: "Halo" },
    { type: "text", text: "Halo" },
    { type: "image", mediaUrl: photo, altText: "Struk", text: "Struk" },
    { type: "location", coordinates: { lat: -6.2088, long: 106.8456 } },
  ]);
  expect(new Set(conversation.messages.map((message) => message.metadata?.["relayMessageId"])).size).toBe(4);
  expect([...zendesk.users.values()].map(({ profile }) => profile)).toEqual([
    { givenName: "Farhan", surname: "Akbar" },
  ]);
  expect(zendesk.conversations.length).toBe(1);
  expect(await zendesk.ownWebhooks()).toEqual([200, 200, 200, 200]);
  expect(tenant.engine.received).toEqual([]);
});

test("an agent's answers reach the engine in their order, attachments among them, and a repeated batch only once", async () => {
  const desk = await makeDesk();
  const { tenant, zendesk } = desk;
  await tenant.incoming(newTicketNumber(), { channel: "telegrambot" });
  const conversation = await conversationWith(desk, 1);
  const form = "https://media.example.com/form.pdf";
  const batch = [
    zendesk.agentMessage(conversation, { content: { type: "text", text: "Selamat siang" } }),
    zendesk.agentMessage(conversation, { content: { type: "file", text: "Formulir", mediaUrl: form } }),
    zendesk.event(conversation, "conversation:typing", { activity: { type: "typing:start" } }),
    zendesk.agentMessage(conversation, { content: { type: "location", coordinates: { lat: -6.2, long: 106.8 } } }),
  ];
  expect(await zendesk.send(batch)).toEqual([200]);
  expect(await zendesk.send(batch)).toEqual([200]);
  expect(
    await zendesk.send([zendesk.agentMessage(conversation, { content: { type: "text", text: "Sudah" } })]),
  ).toEqual([200]);
  const received = await tenant.engine.until(
    (all) => all.some(({ body }) => textOf(body) === "Sudah"),
    "all that the agent said",
  );
  expect(received.map(({ body }) => JSON.parse(body) as unknown)).toMatchObject([
    { messageType: "text", message: "Selamat siang", channel: "telegrambot", customerName: "Farhan Akbar" },
    { messageType: "file", message: "Formulir", mediaLink: form },
    { messageType: "Location", message: "-6.2,106.8" },
    { messageType: "text", message: "Sudah" },
  ]);
});

test("a customer's second ticket has a conversation of its own where a user may have only one", async () => {
  const desk = await makeDesk();
  const { tenant, zendesk } = desk;
  const tickets = [newTicketNumber(), newTicketNumber()];
  for (const number of tickets) {
    await tenant.incoming(number, { message: `dari ${number}` });
    await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the message at the desk");
  }
  expect(zendesk.conversations.map(({ messages }) => messages[0]?.content.text)).toEqual(
    tickets.map((number) => `dari ${number}`),
  );
  for (const [at, conversation] of zendesk.conversations.entries()) {
    const reply = zendesk.agentMessage(conversation, { content: { type: "text", text: `jawaban ${at}` } });
    expect(await zendesk.send([reply])).toEqual([200]);
  }
  const received = await tenant.engine.until((all) => all.length === 2, "both answers");
  const answered = received.map(({ body }) => JSON.parse(body) as { ticketNumber: string; message: string });
  expect(new Set(answered.map(({ ticketNumber, message }) => [ticketNumber, message].join()))).toEqual(
    new Set(tickets.map((number, at) => [number, `jawaban ${at}`].join())),
  );
});

test("both tickets of a customer are one user's where the record says so, in an app with multi-conversations", async () => {
  const { tenant, zendesk } = await makeDesk({ users: "contact" }, { multiConversations: true });
  for (const number of [newTicketNumber(), newTicketNumber()]) {
    await tenant.incoming(number);
    await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the message at the desk");
  }
  expect([zendesk.users.size, zendesk.conversations.length]).toEqual([1, 2]);
});

test.each(["switchboard:releaseControl", "switchboard:passControl"])(
  "a ticket that %s says is closed closes at the engine once, behind the last reply, and the customer's next message opens it again",
  async (type) => {
    const desk = await makeDesk();
    const { tenant, zendesk } = desk;
    const number = newTicketNumber();
    await tenant.incoming(number);
    const conversation = await conversationWith(desk, 1);
    const last = zendesk.agentMessage(conversation, { content: { type: "text", text: "Terima kasih" } });
    const closed = zendesk.event(conversation, type, { reason: "ticketClosed" });
    const activity = zendesk.agentMessage(conversation, { activity: { type: "ticket:closed" } });
    expect(await zendesk.send([last, closed, activity])).toEqual([200]);
    await tenant.untilTicket(number, ({ state }) => state === "closed", "the ticket to be closed");
    expect(tenant.engine.received.map(({ path }) => path)).toEqual(["/outgoing", "/command"]);
    expect(JSON.parse(tenant.engine.received[1]?.body ?? "")).toMatchObject({ event: "Close", ticketNumber: number });

    await tenant.incoming(number, { message: "Satu lagi" });
    await conversationWith(desk, 2);
    expect((await tenant.ticket(number)).state).toBe("open");
    expect(zendesk.conversations.length).toBe(1);
    expect(
      await zendesk.send([zendesk.agentMessage(conversation, { content: { type: "text", text: "Silakan" } })]),
    ).toEqual([200]);
    await tenant.engine.until((all) => all.some(({ body }) => textOf(body) === "Silakan"), "a reply after that");
  },
);

test("what a bot or the desk itself does closes nothing, and its words go to nobody", async () => {
  const desk = await makeDesk();
  const { tenant, zendesk } = desk;
  const number = newTicketNumber();
  await tenant.incoming(number);
  const conversation = await conversationWith(desk, 1);
  const content = { type: "text", text: "The ticket was closed" };
  const left = [
    zendesk.event(conversation, "switchboard:releaseControl"),
    zendesk.event(conversation, "switchboard:passControl"),
    zendesk.event(conversation, "switchboard:releaseControl", { reason: "transferToEmail" }),
    zendesk.agentMessage(conversation, { activity: { type: "conversation:endedByUser" }, content }),
    zendesk.agentMessage(conversation, { author: { type: "business", subtypes: ["activity"] }, content }),
    zendesk.agentMessage(conversation, { deleted: true, content }),
    zendesk.agentMessage(conversation, { content: { type: "text", text: "Ya" } }),
  ];
  expect(await zendesk.send(left)).toEqual([200]);
  await tenant.engine.until((all) => all.length === 1, "the reply after them");
  expect(textOf(tenant.engine.received[0]?.body ?? "")).toBe("Ya");
  expect((await tenant.ticket(number)).state).toBe("open");
});

test("a reply after Close is not taken, its agent is told so once, and the rest of its batch goes through", async () => {
  const desk = await makeDesk();
  const { tenant, zendesk } = desk;
  const [closed, open] = [newTicketNumber(), newTicketNumber()];
  for (const number of [closed, open]) {
    await tenant.incoming(number);
    await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the message at the desk");
  }
  const [one, other] = zendesk.conversations;
  if (!one || !other) throw new Error("there are no two conversations");
  expect(await zendesk.send([zendesk.event(one, "switchboard:releaseControl", { reason: "ticketClosed" })])).toEqual([
    200,
  ]);
  const batch = [
    zendesk.agentMessage(one, { content: { type: "text", text: "Terlambat" } }),
    zendesk.agentMessage(other, { content: { type: "text", text: "Selamat siang" } }),
  ];
  expect(await zendesk.send(batch)).toEqual([200]);
  expect(await zendesk.send(batch)).toEqual([200]);
  await tenant.engine.until(
    (all) => all.some(({ body }) => textOf(body) === "Selamat siang"),
    "the other ticket's reply",
  );
  expect(one.messages.slice(1)).toMatchObject([
    { author: { type: "business", displayName: "dolphin-relay" }, metadata: { relayNote: "refused" } },
  ]);
  expect(one.messages[1]?.content.text).toMatch(/sudah ditutup[^]*Terlambat$/);
  expect(tenant.engine.received.map(({ body }) => textOf(body))).not.toContain("Terlambat");
});

test("a reply in a conversation whose reference does not hold is told to its agent, and in another tenant's is that tenant's", async () => {
  const desk = await makeDesk();
  const { tenant, zendesk } = desk;
  const neighbour = await world.tenant({ record: { desk: zendesk.record } });
  for (const one of [tenant, neighbour]) {
    const number = newTicketNumber();
    await one.incoming(number);
    await one.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the message at the desk");
  }
  const [mine, theirs] = zendesk.conversations;
  if (!mine || !theirs) throw new Error("there are no two conversations");
  mine.metadata = { ...mine.metadata, relay: "of.another-key" };
  const batch = [
    zendesk.agentMessage(mine, { content: { type: "text", text: "Sia-sia" } }),
    zendesk.agentMessage(theirs, { content: { type: "text", text: "Untuk tetangga" } }),
    zendesk.agentMessage({ ...theirs, metadata: {} }, { content: { type: "text", text: "Dari widget" } }),
  ];
  expect(await zendesk.send(batch)).toEqual([200]);
  expect(mine.messages.slice(1)).toMatchObject([
    { author: { type: "business" }, metadata: { relayNote: "refused" }, content: { text: /Sia-sia$/ } },
  ]);
  expect(theirs.messages.length).toBe(1);
  zendesk.subscribe(`${world.relay().url}/v1/desks/zendesk/${neighbour.owner}`);
  expect(await zendesk.send(batch)).toEqual([200]);
  const received = await neighbour.engine.until((all) => all.length === 1, "the neighbour's reply");
  expect(received.map(({ body }) => textOf(body))).toEqual(["Untuk tetangga"]);
  expect([mine.messages.length, theirs.messages.length]).toEqual([2, 1]);
  expect(tenant.engine.received).toEqual([]);
});

test("a batch in which each event is odd in its own way is answered 200, once and again, and what is right in it goes through", async () => {
  const desk = await makeDesk();
  const { tenant, zendesk } = desk;
  const [number, quiet] = [newTicketNumber(), newTicketNumber()];
  for (const one of [number, quiet]) {
    await tenant.incoming(one);
    await tenant.untilTicket(one, ({ lanes }) => lanes.toDesk.delivered === 1, "the message at the desk");
  }
  const [conversation, other] = zendesk.conversations;
  if (!conversation || !other) throw new Error("there are no two conversations");
  const text = (words: string) => ({ content: { type: "text", text: words } });
  const said = (words: string) => zendesk.agentMessage(conversation, text(words));
  const withoutAuthor = said("tanpa penulis");
  delete (withoutAuthor.payload["message"] as Partial<Record<string, unknown>>)["author"];
  const once = said("Sekali");
  const actions = [{ type: "postback", text: "Ya", payload: "y", uri: "" }];
  const events = [
    null,
    { type: "conversation:message" },
    zendesk.event(conversation, "conversation:from-the-future"),
    withoutAuthor,
    zendesk.agentMessage(conversation, { ...text("dihapus"), deleted: true }),
    zendesk.agentMessage(conversation, { content: { type: "hologram" } }),
    zendesk.agentMessage({ ...conversation, metadata: {} }, text("percakapan lain")),
    zendesk.agentMessage(conversation, { content: { type: "text", text: "Setuju?", actions } }),
    once,
    once,
    { ...said("id yang sama, kata lain"), id: once.id },
    zendesk.event(conversation, "switchboard:releaseControl", { reason: "somethingNew" }),
    zendesk.event(conversation, "switchboard:releaseControl", { reason: "ticketClosed" }),
    zendesk.event(conversation, "switchboard:passControl", { reason: "ticketClosed" }),
    said("Terlambat"),
    zendesk.agentMessage(other, text("Halo")),
  ];
  const headers = { "x-api-key": String(zendesk.record["webhookSecret"]) };
  const door = `/v1/desks/zendesk/${tenant.owner}`;
  const send = async () => (await world.call(door, { method: "POST", body: { events }, headers })).status;
  expect([await send(), await send()]).toEqual([200, 200]);
  await tenant.untilTicket(number, ({ state }) => state === "closed", "the ticket to be closed");
  await tenant.untilTicket(quiet, ({ lanes }) => lanes.toDolphins.delivered === 1, "the other ticket's reply");
  const received = tenant.engine.received.map(({ path, body }) => [path, textOf(body)]);
  expect(received.filter(([, words]) => words !== "Halo")).toEqual([
    ["/outgoing", "Setuju?\n- Ya"],
    ["/outgoing", "Sekali"],
    ["/command", ""],
  ]);
  expect(received.length).toBe(4);
  expect(conversation.messages.slice(1).map(({ metadata }) => metadata?.["relayNote"])).toEqual(["refused"]);
});

test("where the agent cannot be told just now that a reply was refused, the webhook comes again and the agent is", async () => {
  const desk = await makeDesk();
  const { tenant, zendesk } = desk;
  const number = newTicketNumber();
  await tenant.incoming(number);
  const conversation = await conversationWith(desk, 1);
  await zendesk.send([zendesk.event(conversation, "switchboard:releaseControl", { reason: "ticketClosed" })]);
  zendesk.faultWith(({ step, count }) => (step === "postMessage" && count === 2 ? { status: 503 } : undefined));
  const late = zendesk.agentMessage(conversation, { content: { type: "text", text: "Terlambat" } });
  expect(await zendesk.send([late])).toEqual([503, 200]);
  expect(conversation.messages.map(({ metadata }) => metadata?.["relayNote"])).toEqual([undefined, "refused"]);
});

test("a ticket closed at the engine is told to the agent, by the relay and not by the customer, whose word would open it again", async () => {
  const desk = await makeDesk();
  const { tenant, zendesk } = desk;
  const number = newTicketNumber();
  await tenant.incoming(number);
  await tenant.engineClose(number);
  const { messages } = await conversationWith(desk, 2);
  expect(messages[1]).toMatchObject({
    author: { type: "business", displayName: "dolphin-relay" },
    metadata: { relayNote: "closed" },
    content: { type: "text", text: expect.stringContaining("tidak terlihat oleh pelanggan") as string },
  });
  await tenant.untilTicket(number, ({ state }) => state === "closed", "the ticket to be closed");
  expect(await zendesk.ownWebhooks()).toEqual([200, 200]);
  expect(tenant.engine.received).toEqual([]);
});

test("an agent is told of a reply that the engine refused", async () => {
  const desk = await makeDesk();
  const { tenant, zendesk } = desk;
  tenant.engine.answerWith(() => ({ status: 422 }));
  await tenant.incoming(newTicketNumber());
  const conversation = await conversationWith(desk, 1);
  const reply = zendesk.agentMessage(conversation, { content: { type: "text", text: "Saldo Anda nol" } });
  expect(await zendesk.send([reply])).toEqual([200]);
  const { messages } = await conversationWith(desk, 2);
  expect(messages[1]).toMatchObject({ metadata: { relayNote: "failure" } });
  expect(JSON.stringify(messages[1]?.content)).toMatch(/HTTP 422.*Saldo Anda nol/);
  expect(await zendesk.ownWebhooks()).toEqual([200, 200]);
  expect(tenant.engine.received.length).toBe(1);
});

test("the webhook's URL is there when Zendesk asks by HEAD, and takes nothing but POST otherwise", async () => {
  const { tenant } = await makeDesk();
  const path = `/v1/desks/zendesk/${tenant.owner}`;
  expect((await world.call(path, { method: "HEAD" })).status).toBe(200);
  for (const method of ["GET", "PUT", "DELETE"]) expect((await world.call(path, { method })).status).toBe(405);
});

test("a webhook with another secret is refused, and Zendesk does not try again", async () => {
  const desk = await makeDesk();
  const { tenant, zendesk } = desk;
  await tenant.incoming(newTicketNumber());
  const conversation = await conversationWith(desk, 1);
  const reply = zendesk.agentMessage(conversation, { content: { type: "text", text: "Halo" } });
  expect(await zendesk.send([reply], "another secret")).toEqual([401]);
  expect(await zendesk.send([reply])).toEqual([200]);
  await tenant.engine.until((all) => all.length === 1, "the one that was signed");
});

test("a long text arrives whole and in order, in pieces that the desk takes", async () => {
  const desk = await makeDesk();
  const text = Array.from({ length: 1000 }, (_, line) => `baris ${line}`)
    .join("\n")
    .slice(0, 8192);
  await desk.tenant.incoming(newTicketNumber(), { message: text });
  const { messages } = await conversationWith(desk, 3);
  expect(messages.map(({ content }) => content.text).join("")).toBe(text);
  expect(messages.map(({ metadata }) => metadata?.["relayPart"])).toEqual([1, 2, 3]);
});

type Check = { name: string; ok: boolean; message: string };

test("a connection test says what is set up and what is missing, and no agent sees anything of it", async () => {
  const { tenant, zendesk } = await makeDesk({ users: "contact" });
  const target = `${world.relay().url}/v1/desks/zendesk/${tenant.owner}`;
  const check = async (body?: unknown) => {
    const reply = await world.admin("POST", `/admin/tenants/${tenant.owner}/test/desk`, body);
    return reply.body as { outcome: string; attempt: { status: number }; checks?: Check[] };
  };
  const found = async () => (await check()).checks?.map(({ name, ok }) => [name, ok]);
  expect(await found()).toEqual([
    ["app", true],
    ["key", true],
    ["multiConversations", false],
    ["webhook", false],
  ]);
  zendesk.webhooks.push({ id: "w-1", version: "v2", target, triggers: ["conversation:message"], secret: "another" });
  const { checks = [], outcome, attempt } = await check();
  expect([outcome, attempt.status]).toEqual(["delivered", 200]);
  expect(checks.slice(3)).toEqual([
    { name: "webhook", ok: true, message: "It is there." },
    { name: "triggers", ok: false, message: "It lacks switchboard:releaseControl, switchboard:passControl." },
    { name: "webhookSecret", ok: false, message: "It is another than the record's: copy it from the integration." },
  ]);
  expect([zendesk.users.size, zendesk.conversations.length]).toEqual([0, 0]);
  expect((await check({ send: true })).checks).toBeUndefined();
  expect(zendesk.conversations[0]?.messages.length).toBe(1);
});

test("a connection test says of an integration's key what it cannot see, and of a wrong key that it is wrong", async () => {
  const { tenant, zendesk } = await makeDesk({}, { scope: "integration" });
  const check = async () => {
    const reply = await world.admin("POST", `/admin/tenants/${tenant.owner}/test/desk`);
    return reply.body as { outcome: string; checks: Check[] };
  };
  const { outcome, checks } = await check();
  expect(outcome).toBe("delivered");
  expect(checks.map(({ name, ok }) => [name, ok])).toEqual([
    ["app", true],
    ["key", true],
  ]);
  expect(checks[1]?.message).toContain("int_");
  await world.putTenant(tenant, { record: { desk: { ...zendesk.record, keySecret: "wrong" } } });
  const wrong = await check();
  expect(wrong.outcome).toBe("rejected");
  expect(wrong.checks).toMatchObject([{ name: "key", ok: false }]);
});

test("a customer's two tickets: each is answered where it was asked, with a file behind the desk's credential, and closed by the agent", async () => {
  const { tenant, zendesk } = await makeDesk();
  const file = "/sc/attachments/slip.pdf";
  zendesk.files.set(file, { status: 200, body: "slip gaji", headers: { "content-type": "application/pdf" } });
  const tickets = [
    { number: newTicketNumber(), question: "Berapa saldo saya?", signal: "switchboard:releaseControl" },
    { number: newTicketNumber(), question: "Mana slip saya?", signal: "switchboard:passControl" },
  ];
  for (const { number, question, signal } of tickets) {
    await tenant.incoming(number, { message: question, contactId: "c-1" });
    await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the question at the desk");
    const conversation = zendesk.conversations.at(-1);
    if (!conversation) throw new Error("there is no conversation");
    expect(contents(conversation.messages)).toEqual([{ type: "text", text: question }]);
    const content = { type: "file", mediaUrl: zendesk.url + file, mediaType: "application/pdf" };
    const batch = [
      zendesk.agentMessage(conversation, { content }),
      zendesk.event(conversation, signal, { reason: "ticketClosed" }),
    ];
    expect(await zendesk.send(batch)).toEqual([200]);
    await tenant.untilTicket(number, ({ state }) => state === "closed", "the ticket to be closed");
  }
  const events = tenant.engine.received.map(({ body }) => JSON.parse(body) as Record<string, string>);
  expect(events.map(({ ticketNumber, messageType, event }) => [ticketNumber, messageType ?? event])).toEqual(
    tickets.flatMap(({ number }) => [
      [number, "file"],
      [number, "Close"],
    ]),
  );
  for (const { mediaLink = "" } of events.filter(({ messageType }) => messageType === "file")) {
    expect(await (await fetch(mediaLink)).text()).toBe("slip gaji");
  }
});

test("three hundred requests of every kind of message are all in Zendesk's description", async () => {
  const { tenant, zendesk } = await makeDesk();
  const mediaLink = "https://files.example.com/struk.jpg";
  const kinds = [
    { message: "Halo" },
    { message: "a".repeat(9_000) },
    { messageType: "Location", message: "-6.2088,106.8456" },
    ...["image", "video", "audio", "file"].map((messageType) => ({ messageType, mediaLink, message: "Struk" })),
  ];
  await Promise.all(
    Array.from({ length: 25 }, async () => {
      const number = newTicketNumber();
      for (const fields of kinds) await tenant.incoming(number, fields);
      await tenant.engineClose(number);
      await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === kinds.length + 1, "all at the desk");
    }),
  );
  expect(zendesk.conversations.map(({ messages }) => messages.length)).toEqual(Array.from({ length: 25 }, () => 10));
  // Three of them open a conversation.
  expect(zendesk.received.length).toBe(25 * 13);
});
