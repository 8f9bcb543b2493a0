import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Step } from "../../../dev/fakes/chatwoot-api.ts";
import { type Fault, type FakeChatwoot, startFakeChatwoot } from "../../../dev/fakes/chatwoot.ts";
import { startFarEnd } from "../../../dev/fakes/far-end.ts";
import { accepted } from "../support/http.ts";
import { newTicketNumber } from "../support/tenant.ts";
import { poll } from "../support/timeline.ts";
import { type World, startWorld } from "../support/world.ts";

let persist: string;
let world: World;
const desks: FakeChatwoot[] = [];

beforeAll(async () => {
  persist = await mkdtemp(join(tmpdir(), "dolphin-relay-state-"));
  world = await startWorld({ persist });
});
afterAll(async () => {
  await world.stop();
  await Promise.all(desks.map((each) => each.close()));
  await rm(persist, { recursive: true, force: true });
});

async function scene(timeoutMs = 10_000) {
  const chatwoot = await startFakeChatwoot();
  desks.push(chatwoot);
  const tenant = await world.tenant({ record: { desk: chatwoot.record, delivery: { timeoutMs } } });
  return { chatwoot, tenant, number: newTicketNumber() };
}

const what = ({ misfits, contacts, conversations, messages }: FakeChatwoot) => ({
  misfits,
  contacts: contacts.length,
  conversations: conversations.length,
  texts: messages.map(({ content }) => content),
});

/** Nothing lost and nothing doubled. */
const once = (texts: string[]) => ({ misfits: [], contacts: 1, conversations: 1, texts });

const STEPS: Step[] = ["filter", "contact", "list", "conversation", "message"];
const silent = { silent: true } as const;
/** Long enough for a busy machine to answer in, where an answer comes. */
const SILENT_MS = 2_000;

test.each<[string, Fault, number?]>([
  ["answers 500", { status: 500 }],
  ["answers 429 with Retry-After", { status: 429, headers: { "retry-after": "2" } }],
  ["answers 409", { status: 409 }],
  ["does it and answers 502", { status: 502, stored: true }],
  ["does not answer", silent, SILENT_MS],
  ["does it and does not answer", { ...silent, stored: true }, SILENT_MS],
])(
  "when Chatwoot %s at any step of a first message, it arrives once, before the next",
  async (_what, fault, timeoutMs) => {
    const play = async (step: Step) => {
      const { chatwoot, tenant, number } = await scene(timeoutMs);
      chatwoot.failNext(step, fault);
      accepted(await tenant.incoming(number, { message: "Satu" }));
      accepted(await tenant.incoming(number, { message: "Dua" }));
      const ticket = await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 2, `both (${step})`);
      expect(what(chatwoot), step).toEqual(once(["Satu", "Dua"]));
      expect(ticket.messages.map(({ attempts }) => attempts.length)).toEqual([2, 1]);
      const [first, second] = ticket.messages[0]?.attempts ?? [];
      const waitedMs = Date.parse(second?.at ?? "") - Date.parse(first?.at ?? "");
      expect(waitedMs).toBeGreaterThanOrEqual("headers" in fault ? 2000 : 0);
    };
    await Promise.all(STEPS.map(play));
  },
);

test.each([401, 403, 404])(
  "a %i at any step is for a person to fix, and a replay takes up what there is",
  async (status) => {
    const play = async (step: Step) => {
      const { chatwoot, tenant, number } = await scene();
      chatwoot.failNext(step, { status });
      accepted(await tenant.incoming(number, { message: "Satu" }));
      const { messages } = await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.dead === 1, `death (${step})`);
      expect(messages[0]?.attempts).toMatchObject([{ status }]);
      await tenant.replay(number, { all: true });
      await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, `delivery (${step})`);
      expect(what(chatwoot), step).toEqual(once(["Satu"]));
    };
    await Promise.all(STEPS.map(play));
  },
);

test("tickets of a new customer that open at the same time make one contact", async () => {
  const { chatwoot, tenant } = await scene();
  const numbers = Array.from({ length: 6 }, newTicketNumber);
  for (const reply of await Promise.all(numbers.map((number) => tenant.incoming(number)))) accepted(reply);
  await poll(
    () => Promise.resolve(chatwoot.messages.length),
    (count) => count === numbers.length,
    "a message of each",
  );
  expect(chatwoot.contacts).toHaveLength(1);
  expect(chatwoot.conversations).toHaveLength(numbers.length);
  expect(chatwoot.misfits).toEqual([]);
});

test("a customer whose number the account knows is that contact, also in their next ticket", async () => {
  const { chatwoot, tenant, number } = await scene();
  chatwoot.contacts.push({ id: 5, identifier: "crm-5", name: "Farhan", phone_number: "+628128778222" });
  for (const one of [number, newTicketNumber()]) {
    accepted(await tenant.incoming(one));
    await tenant.untilTicket(one, ({ lanes }) => lanes.toDesk.delivered === 1, "the delivery");
  }
  expect(chatwoot.contacts).toHaveLength(1);
  expect(chatwoot.conversations.map(({ contactId }) => contactId)).toEqual([5, 5]);
});

test("a customer whose contact was merged into another writes on where they were, with a number or without", async () => {
  for (const accountId of ["628128778222", "farhan"]) {
    const { chatwoot, tenant, number } = await scene();
    accepted(await tenant.incoming(number, { accountId }));
    await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the delivery");
    const [contact] = chatwoot.contacts;
    const other = { id: 5, identifier: "crm-5", name: "Farhan A.", phone_number: undefined };
    if (!contact) throw new Error("there is no contact");
    chatwoot.contacts.push(other);
    chatwoot.merge(contact, other);
    accepted(await tenant.incoming(number, { accountId, message: "Halo lagi" }));
    await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 2, "the delivery");
    expect(what(chatwoot)).toEqual(once(["Halo", "Halo lagi"]));
  }
});

test.each(["stored", "not stored"])(
  "a message that Chatwoot answers with 422 for a fault and has %s arrives once",
  async (how) => {
    const { chatwoot, tenant, number } = await scene();
    chatwoot.failNext("message", { status: 422, stored: how === "stored" });
    accepted(await tenant.incoming(number, { message: "Satu" }));
    accepted(await tenant.incoming(number, { message: "Dua" }));
    await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 2, "both");
    expect(what(chatwoot)).toEqual(once(["Satu", "Dua"]));
  },
);

test("a customer whose contact was deleted goes on in a new conversation once Chatwoot has deleted the old one", async () => {
  const { chatwoot, tenant, number } = await scene();
  accepted(await tenant.incoming(number, { message: "Satu" }));
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the conversation");
  const [contact] = chatwoot.contacts;
  const [conversation] = chatwoot.conversations;
  if (!contact || !conversation) throw new Error("there is no conversation");
  await chatwoot.agentResolves(conversation);
  chatwoot.worker.stop();
  chatwoot.deleteContact(contact);
  accepted(await tenant.incoming(number, { message: "Dua" }));
  const refused = () => chatwoot.received.filter(({ path }) => path.endsWith("/messages")).length > 1;
  await poll(() => Promise.resolve(refused()), Boolean, "the refusal");
  chatwoot.worker.start();
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 2, "the delivery");
  expect(chatwoot.conversations.map(({ id }) => id)).not.toContain(conversation.id);
  expect(what(chatwoot)).toEqual(once(["Satu", "Dua"]));
});

test("a blocked customer's conversation, which Chatwoot resolves by itself, is no Close; a bot's stays pending", async () => {
  const { chatwoot, tenant, number } = await scene();
  chatwoot.sendWebhooksTo(`${world.relay().url}/v1/desks/chatwoot/${tenant.owner}`);
  chatwoot.contacts.push({ id: 5, name: "Farhan", phone_number: "+628128778222", blocked: true });
  chatwoot.inbox.hasBot = true;
  const other = newTicketNumber();
  accepted(await tenant.incoming(number));
  accepted(await tenant.incoming(other, { contactId: "lain", accountId: "6281311112222" }));
  for (const one of [number, other]) {
    await tenant.untilTicket(one, ({ lanes }) => lanes.toDesk.delivered === 1, "the delivery");
  }
  await chatwoot.worker.idle();
  expect(chatwoot.conversations.map(({ status }) => status).toSorted()).toEqual(["pending", "resolved"]);
  expect(chatwoot.webhooks.map(({ status }) => status)).toEqual(chatwoot.webhooks.map(() => 200));
  for (const one of [number, other]) {
    expect(await tenant.ticket(one)).toMatchObject({ state: "open", lanes: { toDolphins: { accepted: 0 } } });
  }
});

test.each<[string, Fault]>([
  ["is down", { status: 503 }],
  ["took it and did not say so", { ...silent, stored: true }],
])("a Close and a private note arrive once when Chatwoot %s", async (_what, fault) => {
  const { chatwoot, tenant, number } = await scene(400);
  accepted(await tenant.incoming(number));
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the conversation");
  tenant.engine.answerWith(() => ({ status: 400 }));
  chatwoot.failNext("message", fault);
  accepted(await tenant.reply(number, { message: "Ditolak" }));
  const notes = () => chatwoot.messages.filter(({ isPrivate }) => isPrivate).length;
  await poll(() => Promise.resolve(notes()), Boolean, "the note");
  chatwoot.failNext("toggle", fault);
  accepted(await tenant.engineClose(number));
  await poll(
    () => Promise.resolve(chatwoot.received.filter(({ path }) => path.endsWith("/toggle_status")).length),
    (count) => count === 2,
    "both attempts to close",
  );
  expect(chatwoot.conversations[0]?.status).toBe("resolved");
  expect(notes()).toBe(1);
  expect(chatwoot.misfits).toEqual([]);
});

test("media whose server is down are waited for a little, and then sent as a link", async () => {
  const { chatwoot, tenant, number } = await scene();
  const media = await startFarEnd();
  media.answerWith(() => ({ status: 503 }));
  const mediaLink = `${media.url}/foto.jpg`;
  accepted(await tenant.incoming(number, { messageType: "image", message: "", mediaLink }));
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the delivery");
  expect(media.received).toHaveLength(3);
  const content = `[Pelanggan mengirim gambar yang tidak dapat dilampirkan di sini]\n${mediaLink}`;
  expect(what(chatwoot)).toEqual(once([content]));
  await media.close();
});

test("media that stall are sent as a link in the end, and the next message waits no longer", async () => {
  const { chatwoot, tenant, number } = await scene(600);
  const media = await startFarEnd();
  // Says ten bytes and sends four: to who reads it, it never ends.
  media.answerWith(() => ({ status: 200, body: "JPEG", headers: { "content-length": "10" } }));
  const mediaLink = `${media.url}/foto.jpg`;
  accepted(await tenant.incoming(number, { messageType: "image", message: "", mediaLink }));
  accepted(await tenant.incoming(number, { message: "Sudah terkirim?" }));
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 2, "both delivered");
  const content = `[Pelanggan mengirim gambar yang tidak dapat dilampirkan di sini]\n${mediaLink}`;
  expect(what(chatwoot)).toEqual(once([content, "Sudah terkirim?"]));
  await media.close();
});

test("a conversation that was made when the relay was killed is found again", async () => {
  const { chatwoot, tenant, number } = await scene();
  chatwoot.failNext("conversation", { ...silent, stored: true });
  accepted(await tenant.incoming(number, { message: "Satu" }));
  await poll(
    () => Promise.resolve(chatwoot.conversations.length),
    (count) => count === 1,
    "the conversation",
  );
  await world.killAndRestart();
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the delivery");
  expect(what(chatwoot)).toEqual(once(["Satu"]));
});

test("what an agent shall see at a message is shown after the relay was killed, and of nothing before", async () => {
  const { chatwoot, tenant, number } = await scene();
  const listen = () => chatwoot.sendWebhooksTo(`${world.relay().url}/v1/desks/chatwoot/${tenant.owner}`);
  listen();
  accepted(await tenant.incoming(number));
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the conversation");
  const [conversation] = chatwoot.conversations;
  if (!conversation) throw new Error("there is no conversation");
  const asked = () => chatwoot.received.filter(({ method }) => method === "PATCH").length;
  expect(await chatwoot.agentSays(conversation, "Satu")).toBe(200);
  await poll(
    () => Promise.resolve(chatwoot.messages.at(-1)?.status),
    (status) => status === "delivered",
    "the first to show",
  );
  chatwoot.failNext("status", silent);
  expect(await chatwoot.agentSays(conversation, "Dua")).toBe(200);
  await poll(
    () => Promise.resolve(asked()),
    (count) => count === 2,
    "the second to be asked for",
  );
  // A webhook that comes while the relay is away would mark the message failed.
  chatwoot.worker.stop();
  await world.killAndRestart();
  listen();
  chatwoot.worker.start();
  await tenant.untilTicket(number, () => chatwoot.messages.at(-1)?.status === "delivered", "the second to show");
  expect(asked()).toBe(3);
});
