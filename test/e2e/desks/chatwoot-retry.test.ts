import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Conversation, type FakeChatwoot, startFakeChatwoot } from "../../../dev/fakes/chatwoot.ts";
import { incomingEvent } from "../support/events.ts";
import { accepted } from "../support/http.ts";
import { newTicketNumber, type Tenant } from "../support/tenant.ts";
import { poll } from "../support/timeline.ts";
import { type World, startWorld } from "../support/world.ts";

/** "Retry" at a message that Chatwoot shows as failed, and what else is told by the same webhook. */

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

type Scene = { chatwoot: FakeChatwoot; tenant: Tenant; number: string; conversation: Conversation };

/** The customer has written, and Chatwoot has the conversation. */
async function opened(): Promise<Scene> {
  const chatwoot = await startFakeChatwoot();
  desks.push(chatwoot);
  const tenant = await world.tenant({ record: { desk: chatwoot.record } });
  const number = newTicketNumber();
  reachable({ chatwoot, tenant });
  accepted(await tenant.incoming(number));
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the conversation");
  const [conversation] = chatwoot.conversations;
  if (!conversation) throw new Error("there is no conversation");
  return { chatwoot, tenant, number, conversation };
}

/** Where the relay listens now: after a restart it is another port. */
const reachable = ({ chatwoot, tenant }: Pick<Scene, "chatwoot" | "tenant">) =>
  chatwoot.sendWebhooksTo(`${world.relay().url}/v1/desks/chatwoot/${tenant.owner}`);

/** The newest message, once it shows so. */
const untilShown = async (chatwoot: FakeChatwoot, status: string, of = chatwoot.messages.at(-1)) => {
  const shown = () => Promise.resolve(of?.status);
  await poll(shown, (now) => now === status, `the message to show ${status}`);
  if (!of) throw new Error("there is no message");
  return of;
};

const told = ({ engine }: Tenant) =>
  engine.received.map(({ body }) => (JSON.parse(body) as { message: string }).message);
const links = ({ engine }: Tenant) =>
  engine.received.map(({ body }) => (JSON.parse(body) as { mediaLink: string }).mediaLink);
const askedBack = ({ received }: FakeChatwoot) => received.filter(({ path }) => path.includes("?after=")).length;
const tellsOf = ({ webhooks }: FakeChatwoot, event: string) => webhooks.filter((one) => one.event === event);

/** Every webhook sent so far has been answered, and with 200. */
const untilTold = async ({ webhooks }: FakeChatwoot, count: number) => {
  const updates = () => Promise.resolve(webhooks.filter(({ event }) => event === "message_updated"));
  const all = await poll(updates, (sent) => sent.length >= count, `${count} webhooks of changes`);
  expect(all.map(({ status }) => status)).toEqual(all.map(() => 200));
};

test("a reply that 3Dolphins refused goes out once when its agent retries, and shows what becomes of it", async () => {
  const { chatwoot, tenant, number, conversation } = await opened();
  tenant.engine.answerWith((_request, index) => ({ status: index < 2 ? 422 : 200 }));
  await chatwoot.agentSays(conversation, "Sudah kami kirim");
  const message = await untilShown(chatwoot, "failed");
  // It is refused once more.
  expect(await chatwoot.agentRetries(message)).toEqual([200, 200]);
  await untilShown(chatwoot, "failed");
  expect(await chatwoot.agentRetries(message)).toEqual([200, 200]);
  await untilShown(chatwoot, "delivered");
  await chatwoot.agentSays(conversation, "Ada lagi?");
  await tenant.engine.until((received) => received.length === 4, "the next");
  expect(told(tenant)).toEqual(["Sudah kami kirim", "Sudah kami kirim", "Sudah kami kirim", "Ada lagi?"]);
  const ticket = await tenant.ticket(number);
  expect(ticket.lanes.toDolphins).toMatchObject({ accepted: 2, dead: 0 });
  expect(chatwoot.misfits).toEqual([]);
});

test("a reply that died before the relay was killed goes out once when its agent retries after that", async () => {
  const { chatwoot, tenant, conversation } = await opened();
  tenant.engine.answerWith((_request, index) => ({ status: index < 1 ? 422 : 200 }));
  await chatwoot.agentSays(conversation, "Sudah kami kirim");
  const message = await untilShown(chatwoot, "failed");
  // The webhook of that: Chatwoot marks a message as failed where the relay does not answer it.
  await untilTold(chatwoot, 1);
  await world.killAndRestart();
  reachable({ chatwoot, tenant });
  expect(await chatwoot.agentRetries(message)).toEqual([200, 200]);
  await untilShown(chatwoot, "delivered");
  expect(told(tenant)).toEqual(["Sudah kami kirim", "Sudah kami kirim"]);
});

test("of three files of which one died, a retry sends that one alone", async () => {
  const { chatwoot, tenant, conversation } = await opened();
  tenant.engine.answerWith((_request, index) => ({ status: index === 1 ? 422 : 200 }));
  const attachments = ["a", "b", "c"].map((name) => ({ file_type: "file", data_url: `${chatwoot.url}/${name}.pdf` }));
  await chatwoot.agentSays(conversation, "Berkasnya", { attachments });
  const message = await untilShown(chatwoot, "failed");
  expect(await chatwoot.agentRetries(message)).toEqual([200, 200]);
  await untilShown(chatwoot, "delivered");
  expect(links(tenant)).toEqual(["a", "b", "c", "b"].map((name) => `${chatwoot.url}/${name}.pdf`));
});

test("a reply to a closed ticket goes out when the customer has come back and its agent retries", async () => {
  const { chatwoot, tenant, number, conversation } = await opened();
  await chatwoot.agentResolves(conversation);
  await tenant.untilTicket(number, ({ state }) => state === "closed", "the ticket closed");
  await chatwoot.agentSays(conversation, "Satu lagi");
  const message = await untilShown(chatwoot, "failed");
  // It is still closed, and the agent sees so again.
  await chatwoot.agentRetries(message);
  await untilShown(chatwoot, "failed");
  accepted(await tenant.incoming(number, { message: "Saya kembali" }));
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 2, "the message");
  expect(await chatwoot.agentRetries(message)).toEqual([200, 200]);
  await untilShown(chatwoot, "delivered", message);
  expect(told(tenant)).toEqual([undefined, "Satu lagi"]);
});

test("a reply whose webhook the relay never took goes out once when its agent retries", async () => {
  const { chatwoot, tenant, number, conversation } = await opened();
  await world.killAndRestart(() => chatwoot.sendWebhooksTo("http://127.0.0.1:1/"));
  await chatwoot.agentSays(conversation, "Masih di sini?");
  const message = await untilShown(chatwoot, "failed");
  reachable({ chatwoot, tenant });
  expect(await chatwoot.agentRetries(message)).toEqual([200, 200]);
  await untilShown(chatwoot, "delivered");
  expect(told(tenant)).toEqual(["Masih di sini?"]);
  expect((await tenant.ticket(number)).lanes.toDolphins.accepted).toBe(1);
});

test("a retry that Chatwoot's own answer cannot confirm shows as failed, and the next one is taken", async () => {
  const { chatwoot, tenant, conversation } = await opened();
  tenant.engine.answerWith((_request, index) => ({ status: index < 1 ? 422 : 200 }));
  await chatwoot.agentSays(conversation, "Sudah kami kirim");
  const message = await untilShown(chatwoot, "failed");
  chatwoot.failNext("messages", { status: 503 });
  chatwoot.failNext("messages", { status: 503 });
  expect(await chatwoot.agentRetries(message)).toEqual([503, 503]);
  await untilShown(chatwoot, "failed");
  await chatwoot.agentRetries(message);
  await untilShown(chatwoot, "delivered");
  expect(told(tenant)).toEqual(["Sudah kami kirim", "Sudah kami kirim"]);
});

test("of several replies that died each goes out when its agent retries it, and what others show is left alone", async () => {
  const { chatwoot, tenant, conversation } = await opened();
  const texts = ["Satu", "Dua", "Tiga"];
  tenant.engine.answerWith((_request, index) => ({ status: index < texts.length ? 422 : 200 }));
  for (const text of texts) await chatwoot.agentSays(conversation, text);
  const messages = chatwoot.messages.slice(-texts.length);
  for (const message of messages) await untilShown(chatwoot, "failed", message);
  const [first, ...others] = messages;
  if (!first) throw new Error("there is no message");
  const shown = () => chatwoot.received.filter(({ method }) => method === "PATCH").length;
  const before = shown();
  expect(await chatwoot.agentRetries(first)).toEqual([200, 200]);
  await untilShown(chatwoot, "delivered", first);
  for (const answers of await Promise.all(others.map((one) => chatwoot.agentRetries(one)))) {
    expect(answers).toEqual([200, 200]);
  }
  for (const message of others) await untilShown(chatwoot, "delivered", message);
  expect(told(tenant).toSorted((a, b) => a.localeCompare(b))).toEqual(["Dua", "Dua", "Satu", "Satu", "Tiga", "Tiga"]);
  expect(shown() - before).toBe(texts.length);
});

test("a retry of a failure that the relay does not know to be shown fails again, and the next one is taken", async () => {
  const { chatwoot, tenant, conversation } = await opened();
  tenant.engine.answerWith((_request, index) => ({ status: index < 1 ? 422 : 200 }));
  const asked = () => chatwoot.received.filter(({ method }) => method === "PATCH").length;
  chatwoot.failNext("status", { status: 503, stored: true });
  await chatwoot.agentSays(conversation, "Sudah kami kirim");
  const message = await untilShown(chatwoot, "failed");
  expect(await chatwoot.agentRetries(message)).toContain(503);
  await poll(
    () => Promise.resolve(asked()),
    (count) => count === 2,
    "the failure to be shown again",
  );
  await untilShown(chatwoot, "failed");
  await chatwoot.agentRetries(message);
  await untilShown(chatwoot, "delivered");
  expect(told(tenant)).toEqual(["Sudah kami kirim", "Sudah kami kirim"]);
});

test("a retry in a conversation that reaches nobody fails again", async () => {
  const { chatwoot, tenant, conversation } = await opened();
  const own = { ...conversation, id: 9001, sourceId: "8d0a1f5e-2a55-4b6e-9a35-3c1b8f0f6a11" };
  chatwoot.conversations.push(own);
  await chatwoot.agentSays(own, "Halo");
  const message = await untilShown(chatwoot, "failed");
  await chatwoot.agentRetries(message);
  await untilShown(chatwoot, "failed");
  expect(tenant.engine.received).toEqual([]);
});

test("what the relay itself shows at a message, and what its webhook tells, is no retry", async () => {
  const { chatwoot, tenant, number, conversation } = await opened();
  tenant.engine.answerWith((_request, index) => ({ status: index === 1 ? 422 : 200 }));
  await chatwoot.agentSays(conversation, "Satu");
  await untilShown(chatwoot, "delivered");
  await chatwoot.agentSays(conversation, "Dua");
  const dead = await untilShown(chatwoot, "failed");
  // A voice message is told of once more right behind its first webhook.
  await chatwoot.agentSends(conversation, "", [{ name: "suara.ogg", type: "audio/ogg", text: "OggS" }]);
  await untilShown(chatwoot, "delivered");
  // One that has failed is deleted, and one that is delivered was read.
  await chatwoot.agentDeletes(dead);
  await chatwoot.mark(chatwoot.messages.at(-1) ?? dead, "read");
  // Two receipts, the failure, the voice, its receipt, the deletion and the reading.
  await untilTold(chatwoot, 6);
  expect(tenant.engine.received).toHaveLength(3);
  expect((await tenant.ticket(number)).lanes.toDolphins).toMatchObject({ accepted: 3, delivered: 2, dead: 1 });
  expect(askedBack(chatwoot)).toBe(0);
});

test("a merge of contacts, which tells of each of the customer's messages, sends nothing", async () => {
  const { chatwoot, tenant, number } = await opened();
  accepted(await tenant.incoming(number, { message: "Halo lagi" }));
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 2, "both messages");
  const [contact] = chatwoot.contacts;
  if (!contact) throw new Error("there is no contact");
  const other = { id: 5001, name: "Farhan A." };
  chatwoot.contacts.push(other);
  chatwoot.merge(contact, other);
  await untilTold(chatwoot, 2);
  expect(tellsOf(chatwoot, "message_updated")).toHaveLength(2);
  expect(tenant.engine.received).toEqual([]);
  expect(askedBack(chatwoot)).toBe(0);
});

test("an old reply of a ticket that the relay has forgotten is not sent when something about it changes", async () => {
  const { chatwoot, tenant, number, conversation } = await opened();
  await chatwoot.agentSays(conversation, "Dari dulu");
  const old = await untilShown(chatwoot, "delivered");
  // Another relay takes over: it finds the conversation by its attributes, and knows nothing of what was said there.
  const heir = await startWorld({ settings: world.settings });
  const { owner, desk, engine } = tenant;
  await heir.putTenant({ owner, desk, engine }, { record: { desk: chatwoot.record } });
  chatwoot.sendWebhooksTo(`${heir.relay().url}/v1/desks/chatwoot/${owner}`);
  const before = chatwoot.messages.length;
  const body = incomingEvent(owner, number);
  accepted(await heir.call(`/v1/dolphins/${heir.ingressKey}/incoming`, { method: "POST", body }));
  await poll(
    () => Promise.resolve(chatwoot.messages.length),
    (count) => count > before,
    "the message",
  );
  await chatwoot.mark(old, "failed", "Dari orang lain");
  await chatwoot.agentRetries(old);
  await chatwoot.agentSays(conversation, "Yang baru");
  await engine.until((received) => received.length === 2, "the new one");
  expect(told(tenant)).toEqual(["Dari dulu", "Yang baru"]);
  await heir.stop();
});

test("replies that a killed worker of Chatwoot's never told go out ahead of the Close, in order and once", async () => {
  const { chatwoot, tenant, number, conversation } = await opened();
  await chatwoot.agentSays(conversation, "0");
  chatwoot.worker.stop();
  const sent = Array.from({ length: 14 }, (_, n) => chatwoot.agentSays(conversation, String(n + 1)));
  // They were written while it stood for seconds. Ten of them are gone; the rest, and the Close, come in another order.
  for (const message of chatwoot.messages) message.createdMs = (message.createdMs ?? 0) - 10_000;
  expect(chatwoot.worker.kill()).toBe(10);
  const closed = chatwoot.agentResolves(conversation);
  chatwoot.worker.start((jobs) => jobs.toReversed());
  await Promise.all([...sent, closed]);
  const ticket = await tenant.untilTicket(number, ({ state }) => state === "closed", "the ticket closed");
  const said = tenant.engine.received.map(({ body }) => (JSON.parse(body) as { message?: string }).message);
  expect(said).toEqual([...Array.from({ length: 15 }, (_, n) => String(n)), undefined]);
  expect(ticket.lanes.toDolphins).toMatchObject({ accepted: 16, delivered: 16, dead: 0 });
  await untilShown(chatwoot, "delivered");
  expect(chatwoot.messages.flatMap(({ status }) => (status === "failed" ? [status] : []))).toEqual([]);
  expect(askedBack(chatwoot)).toBe(1);
});

test("replies that were lost with the relay killed while a Close lay go out all the same", async () => {
  const { chatwoot, tenant, number, conversation } = await opened();
  chatwoot.worker.stop();
  void chatwoot.agentSays(conversation, "Hilang");
  expect(chatwoot.worker.kill()).toBeGreaterThan(0);
  chatwoot.failNext("messages", { silent: true });
  const closed = chatwoot.agentResolves(conversation);
  chatwoot.worker.start();
  expect(await closed).toBe(200);
  await world.killAndRestart();
  reachable({ chatwoot, tenant });
  await tenant.untilTicket(number, ({ state }) => state === "closed", "the ticket closed");
  const said = tenant.engine.received.map(({ body }) => (JSON.parse(body) as { message?: string }).message);
  expect(said).toEqual(["Hilang", undefined]);
});
