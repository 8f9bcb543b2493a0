import { afterAll, beforeAll, expect, test } from "vitest";
import { type Conversation, type FakeChatwoot, startFakeChatwoot } from "../../../dev/fakes/chatwoot.ts";
import { type FarEnd, type Received, startFarEnd } from "../../../dev/fakes/far-end.ts";
import { accepted } from "../support/http.ts";
import { newTicketNumber } from "../support/tenant.ts";
import { poll } from "../support/timeline.ts";
import { type World, startWorld } from "../support/world.ts";

let world: World;
let chatwoot: FakeChatwoot;
let media: FarEnd;

beforeAll(async () => {
  [world, chatwoot, media] = await Promise.all([startWorld(), startFakeChatwoot(), startFarEnd()]);
});
afterAll(async () => {
  await world.stop();
  await Promise.all([chatwoot.close(), media.close()]);
});

const bodyOf = ({ body }: Received) => JSON.parse(body) as Record<string, unknown>;

/** What the customer sees, of either ticket. */
const saidIn = (received: Received[], number: string) =>
  received
    .map(bodyOf)
    .filter(({ ticketNumber }) => ticketNumber === number)
    .map(({ event, message }) => event ?? message);

/** What stands in a conversation, for the agents too. */
const standsIn = ({ id }: Conversation) =>
  chatwoot.messages.filter(({ conversationId, isPrivate }) => conversationId === id && !isPrivate);

const shown = (content: string) => {
  const found = chatwoot.messages.find((one) => one.content.startsWith(content));
  return [found?.status, found?.externalError];
};

test("a day of a customer with two tickets and of the agent who answers them", async () => {
  const tenant = await world.tenant({ record: { desk: chatwoot.record } });
  const { engine } = tenant;
  chatwoot.sendWebhooksTo(`${world.relay().url}/v1/desks/chatwoot/${tenant.owner}`);
  chatwoot.inbox.greeting = "Selamat datang di Toko Contoh";
  const [first, second] = [newTicketNumber(), newTicketNumber()];
  const delivered = (number: string, count: number) =>
    tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === count, `${count} delivered`);

  // Four messages and a picture. Chatwoot greets, which the customer gets.
  const picture = { "content-type": "image/png", "content-length": "7" };
  media.answerWith(() => ({ status: 200, body: "GIF89a!", headers: picture }));
  for (const message of ["Halo", "Kartu saya tertelan", "Di ATM <Sudirman> & sekitarnya", "Tolong"]) {
    accepted(await tenant.incoming(first, { message }));
  }
  const mediaLink = `${media.url}/struk.png`;
  accepted(await tenant.incoming(first, { messageType: "image", message: "Ini struknya", mediaLink }));
  await delivered(first, 5);
  const [one] = chatwoot.conversations;
  if (!one) throw new Error("there is no conversation");
  expect(standsIn(one).map(({ content, messageType }) => `${messageType}: ${content}`)).toEqual([
    "incoming: Halo",
    "template: Selamat datang di Toko Contoh",
    "incoming: Kartu saya tertelan",
    "incoming: Di ATM <Sudirman> & sekitarnya",
    "incoming: Tolong",
    "incoming: Ini struknya",
  ]);
  expect(standsIn(one).at(-1)?.attachments).toMatchObject([{ name: "struk.gif", type: "image/gif" }]);

  // Bold text and a list, in WhatsApp's marks.
  expect(await chatwoot.agentSays(one, "**Baik**, kami perlu:\n\n1. KTP\n2. Nomor kartu\n\n*Segera* ya")).toBe(200);
  await engine.until((received) => received.length === 2, "greeting and reply");

  // One that the engine refuses, which the agent sees, and the one behind it.
  engine.answerWith(({ body }) => ({ status: body.includes("Ditolak") ? 422 : 200 }));
  expect(await chatwoot.agentSays(one, "Ditolak oleh kanal")).toBe(200);
  expect(await chatwoot.agentSays(one, "Kami tunggu")).toBe(200);
  await poll(
    () => Promise.resolve([shown("Ditolak")[0], shown("Kami tunggu")[0]]),
    (status) => status.join(" ") === "failed delivered",
    "both to show",
  );
  expect(shown("Ditolak")[1]).toBe("3Dolphins menolaknya (HTTP 422)");

  // The customer's other ticket is another conversation of the same contact.
  delete chatwoot.inbox.greeting;
  accepted(await tenant.incoming(second, { message: "Soal lain" }));
  await delivered(second, 1);
  const [, two] = chatwoot.conversations;
  if (!two) throw new Error("there is no second conversation");
  expect([chatwoot.contacts.length, two.contactId]).toEqual([1, one.contactId]);
  expect(await chatwoot.agentSays(two, "Untuk yang lain")).toBe(200);
  await engine.until((received) => saidIn(received, second).length === 1, "the other reply");

  // Resolved, and opened again by the customer.
  expect(await chatwoot.agentResolves(one)).toBe(200);
  await tenant.untilTicket(first, ({ state }) => state === "closed", "the ticket closed");
  expect(await tenant.ticket(second)).toMatchObject({ state: "open" });
  accepted(await tenant.incoming(first, { message: "Satu lagi" }));
  await delivered(first, 6);
  await poll(
    () => Promise.resolve(one.status),
    (status) => status === "open",
    "the conversation to be open again",
  );
  expect(await chatwoot.agentSays(one, "Silakan")).toBe(200);
  await engine.until((received) => saidIn(received, first).includes("Silakan"), "the last reply");

  expect(saidIn(engine.received, first)).toEqual([
    "Selamat datang di Toko Contoh",
    "*Baik*, kami perlu:\n\n1. KTP\n2. Nomor kartu\n\n_Segera_ ya",
    "Ditolak oleh kanal",
    "Kami tunggu",
    "Close",
    "Silakan",
  ]);
  expect(saidIn(engine.received, second)).toEqual(["Untuk yang lain"]);
  expect(chatwoot.conversations).toHaveLength(2);
  await chatwoot.worker.idle();
  expect(chatwoot.webhooks.map(({ status }) => status)).toEqual(chatwoot.webhooks.map(() => 200));
  expect(chatwoot.misfits).toEqual([]);
});
