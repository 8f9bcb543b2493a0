import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
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
afterAll(async () => {
  await world.stop();
  await Promise.all(opened.map(({ close }) => close()));
});

type Desk = { tenant: Tenant; zendesk: FakeZendesk };

/** A tenant with a fake Zendesk of its own that sends its webhooks to the relay. */
async function makeDesk(record: Record<string, unknown> = {}): Promise<Desk> {
  const zendesk = await startFakeZendesk();
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
  expect(zendesk.refused).toEqual([]);
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

test("a ticket closed at the desk closes at the engine once, behind the last reply, and the customer's next message opens it again", async () => {
  const desk = await makeDesk();
  const { tenant, zendesk } = desk;
  const number = newTicketNumber();
  await tenant.incoming(number);
  const conversation = await conversationWith(desk, 1);
  const last = zendesk.agentMessage(conversation, { content: { type: "text", text: "Terima kasih" } });
  const released = zendesk.event(conversation, "switchboard:releaseControl", { reason: "ticketClosed" });
  const activity = zendesk.agentMessage(conversation, { activity: { type: "ticket:closed" } });
  expect(await zendesk.send([last, released, activity])).toEqual([200]);
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
});

test("a signal that the record does not name closes nothing, nor does a transfer to mail", async () => {
  const desk = await makeDesk({ closedBy: ["ticketClosed"] });
  const { tenant, zendesk } = desk;
  const number = newTicketNumber();
  await tenant.incoming(number);
  const conversation = await conversationWith(desk, 1);
  const left = [
    zendesk.event(conversation, "switchboard:releaseControl"),
    zendesk.event(conversation, "switchboard:releaseControl", { reason: "transferToEmail" }),
    zendesk.agentMessage(conversation, { activity: { type: "conversation:endedByUser" } }),
  ];
  expect(await zendesk.send(left)).toEqual([200]);
  expect(await zendesk.send([zendesk.agentMessage(conversation, { content: { type: "text", text: "Ya" } })])).toEqual([
    200,
  ]);
  await tenant.engine.until((all) => all.length === 1, "the reply after them");
  expect((await tenant.ticket(number)).state).toBe("open");
});

test("a ticket closed at the engine is told to the agent, marked as no word of the customer", async () => {
  const desk = await makeDesk();
  const { tenant, zendesk } = desk;
  const number = newTicketNumber();
  await tenant.incoming(number);
  await tenant.engineClose(number);
  const { messages } = await conversationWith(desk, 2);
  expect(messages[1]).toMatchObject({
    author: { displayName: "dolphin-relay" },
    metadata: { relayNote: "closed" },
    content: { type: "text", text: expect.stringContaining("bukan dari pelanggan") as string },
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
  expect(messages.map(({ content }) => ("text" in content ? content.text : "")).join("")).toBe(text);
  expect(messages.map(({ metadata }) => metadata?.["relayPart"])).toEqual([1, 2, 3]);
  expect(desk.zendesk.refused).toEqual([]);
});
