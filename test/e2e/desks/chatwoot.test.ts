import { afterAll, beforeAll, expect, test } from "vitest";
import { type Conversation, type FakeChatwoot, startFakeChatwoot } from "../../../dev/fakes/chatwoot.ts";
import { type FarEnd, type Received, startFarEnd } from "../../../dev/fakes/far-end.ts";
import { accepted } from "../support/http.ts";
import { gate, newTicketNumber, type Tenant } from "../support/tenant.ts";
import { poll } from "../support/timeline.ts";
import { type World, startWorld } from "../support/world.ts";

let world: World;
let media: FarEnd;
const desks: FakeChatwoot[] = [];

beforeAll(async () => {
  [world, media] = await Promise.all([startWorld(), startFarEnd()]);
});
afterAll(async () => {
  await world.stop();
  await Promise.all([media, ...desks].map((each) => each.close()));
});

type Scene = { chatwoot: FakeChatwoot; tenant: Tenant; number: string };

async function scene(): Promise<Scene> {
  const chatwoot = await startFakeChatwoot();
  desks.push(chatwoot);
  const tenant = await world.tenant({ record: { desk: chatwoot.record } });
  chatwoot.sendWebhooksTo(`${world.relay().url}/v1/desks/chatwoot/${tenant.owner}`);
  return { chatwoot, tenant, number: newTicketNumber() };
}

/** A scene in which the customer has written and Chatwoot has the conversation. */
async function opened(): Promise<Scene & { conversation: Conversation }> {
  const begun = await scene();
  accepted(await begun.tenant.incoming(begun.number));
  await saidBy(begun.chatwoot, 1);
  const [conversation] = begun.chatwoot.conversations;
  if (!conversation) throw new Error("there is no conversation");
  return { ...begun, conversation };
}

const saidBy = (chatwoot: FakeChatwoot, count: number, isPrivate = false) =>
  poll(
    () => Promise.resolve(chatwoot.messages.filter((one) => one.messageType === "incoming" || one.isPrivate)),
    (messages) => messages.filter((one) => one.isPrivate === isPrivate).length >= count,
    `${count} messages in Chatwoot`,
  );

const untilShown = (chatwoot: FakeChatwoot, id: number | undefined, status: string) =>
  poll(
    () => Promise.resolve(chatwoot.messages.find((one) => one.id === id)?.status),
    (now) => now === status,
    `message ${id} to show ${status}`,
  );

const bodyOf = ({ body }: Received) => JSON.parse(body) as Record<string, unknown>;
const receivedBy = ({ engine }: Tenant) => engine.received.map((one) => ({ path: one.path, ...bodyOf(one) }));

test("what the customer writes arrives in one conversation, in order and in the form that Chatwoot has for it", async () => {
  const { chatwoot, tenant, number } = await scene();
  media.answerWith(() => ({
    status: 200,
    body: "GIF89a!",
    headers: { "content-type": "image/png", "content-length": "7" },
  }));
  const mediaLink = `${media.url}/foto.png`;
  accepted(await tenant.incoming(number, { message: "Halo <b>&" }));
  accepted(await tenant.incoming(number, { messageType: "image", message: "Ini fotonya", mediaLink }));
  accepted(await tenant.incoming(number, { messageType: "Location", message: "-6.2088,106.8456" }));
  accepted(await tenant.incoming(number, { messageType: "sticker", message: "" }));

  const messages = await saidBy(chatwoot, 4);
  expect(messages.map(({ content }) => content)).toEqual([
    "Halo <b>&",
    "Ini fotonya",
    "Lokasi: -6.2088,106.8456\nhttps://maps.google.com/?q=-6.2088,106.8456",
    "Stiker",
  ]);
  expect(messages[1]?.attachments).toEqual([{ name: "foto.gif", type: "image/gif", size: 7, text: "GIF89a!" }]);
  expect(chatwoot.contacts).toHaveLength(1);
  expect(chatwoot.contacts[0]).toMatchObject({ name: "Farhan Akbar", phone_number: "+628128778222" });
  expect(chatwoot.conversations).toHaveLength(1);
  expect(chatwoot.conversations[0]?.customAttributes).toEqual({
    owner: tenant.owner,
    ticketNumber: number,
    channel: "whatsapp",
    phone: "+628128778222",
  });
  expect(chatwoot.misfits).toEqual([]);
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 4, "all delivered");
  expect(tenant.engine.received).toEqual([]);
});

test("what the customer writes of another ticket is another conversation of the same contact", async () => {
  const { chatwoot, tenant, conversation } = await opened();
  accepted(await tenant.incoming(newTicketNumber()));
  await saidBy(chatwoot, 2);
  expect(chatwoot.contacts).toHaveLength(1);
  expect(chatwoot.conversations.map(({ contactId }) => contactId)).toEqual([
    conversation.contactId,
    conversation.contactId,
  ]);
});

test("what the customer writes in a conversation that an agent has deleted opens a new one at once", async () => {
  const { chatwoot, tenant, number, conversation } = await opened();
  chatwoot.delete(conversation);
  accepted(await tenant.incoming(number, { message: "Masih di sana?" }));
  await saidBy(chatwoot, 2);
  expect(chatwoot.conversations).toHaveLength(1);
  expect(chatwoot.conversations[0]?.id).not.toBe(conversation.id);
  const ticket = await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 2, "both delivered");
  expect(ticket.messages.map(({ attempts }) => attempts.length)).toEqual([1, 1]);
});

test("what the customer writes with a file of many megabytes goes through whole, with a length or without", async () => {
  const { chatwoot, tenant, number } = await opened();
  const body = `\0\0\0\x20ftypisom${"0123456789abcdef".repeat(640 * 1024)}`;
  for (const headers of [{ "content-length": String(body.length) }, {}]) {
    media.answerWith(() => ({ status: 200, body, headers: { "content-type": "video/mp4", ...headers } }));
    const before = chatwoot.messages.length;
    const mediaLink = `${media.url}/film.mp4`;
    accepted(await tenant.incoming(number, { messageType: "video", message: "", mediaLink }));
    await saidBy(chatwoot, before + 1);
    const [file] = chatwoot.messages.at(-1)?.attachments ?? [];
    expect(file?.size).toBe(body.length);
    expect(file?.text === body).toBe(true);
  }
});

test("what the customer writes with files that are too large arrives as the links to them, and none of them holds a connection", async () => {
  const { chatwoot, tenant, number } = await opened();
  const body = "x".repeat(25 * 1024 * 1024 + 1);
  const mediaLink = `${media.url}/film.mp4`;
  // An object has six connections.
  const count = 8;
  media.answerWith((_request, index) => {
    const length = index % 2 === 0 ? { "content-length": String(body.length) } : {};
    return { status: 200, body, headers: { "content-type": "video/mp4", ...length } };
  });
  for (let at = 0; at < count; at += 1) {
    accepted(await tenant.incoming(number, { messageType: "video", message: "Lihat", mediaLink }));
  }
  const [, ...messages] = await saidBy(chatwoot, 1 + count);
  const content = `Lihat\n[Pelanggan mengirim video yang tidak dapat dilampirkan di sini]\n${mediaLink}`;
  for (const message of messages) expect(message).toMatchObject({ content, attachments: [] });
});

test("the agent is spared the echo of the engine's Close when the customer has come back meanwhile", async () => {
  const { chatwoot, tenant, number } = await opened();
  chatwoot.failNext("toggle", { status: 503 });
  accepted(await tenant.engineClose(number));
  accepted(await tenant.incoming(number, { message: "Saya kembali" }));
  await saidBy(chatwoot, 2);
  const isTold = () => chatwoot.webhooks.filter(({ event }) => event === "conversation_status_changed").length === 2;
  await poll(() => Promise.resolve(isTold()), Boolean, "both webhooks");
  expect((await tenant.ticket(number)).state).toBe("open");
  expect(tenant.engine.received).toEqual([]);
});

test("the agent answers the customer, with words and with files, and nothing that is between agents", async () => {
  const { chatwoot, tenant, conversation, number } = await opened();
  expect(await chatwoot.agentSays(conversation, "Ada yang bisa <dibantu> & dijelaskan?")).toBe(200);
  const mediaLink = `${chatwoot.url}/rails/active_storage/blobs/redirect/e/formulir.pdf`;
  const attachments = [{ id: 1, message_id: 1, file_type: "file", data_url: mediaLink, file_size: 10 }];
  expect(await chatwoot.agentSays(conversation, "Ini formulirnya", { attachments })).toBe(200);
  expect(await chatwoot.agentSays(conversation, "Nasabah lama", { private: true })).toBe(200);
  await tenant.engine.until((received) => received.length === 2, "both replies");
  const common = { path: "/outgoing", ticketNumber: number, channel: "whatsapp", customerName: "Farhan Akbar" };
  expect(receivedBy(tenant)).toEqual([
    expect.objectContaining({
      ...common,
      messageType: "text",
      message: "Ada yang bisa <dibantu> & dijelaskan?",
      mediaLink: "",
    }),
    expect.objectContaining({
      ...common,
      messageType: "file",
      message: "Ini formulirnya",
      mediaLink: expect.stringContaining(`${world.relay().url}/v1/media/`) as string,
    }),
  ]);
  expect(chatwoot.webhooks.map(({ status }) => status)).toEqual(chatwoot.webhooks.map(() => 200));
});

test("the agent resolves, which closes the ticket; the customer's next message opens it and the same conversation", async () => {
  const { chatwoot, tenant, conversation, number } = await opened();
  expect(await chatwoot.agentResolves(conversation)).toBe(200);
  await tenant.untilTicket(number, ({ state }) => state === "closed", "the ticket closed");
  expect(receivedBy(tenant)).toEqual([
    expect.objectContaining({ path: "/command", event: "Close", ticketNumber: number }),
  ]);
  // The webhook is answered 200: any other answer would take the place of the reason.
  expect(await chatwoot.agentSays(conversation, "Satu lagi")).toBe(200);
  expect(chatwoot.messages.at(-1)).toMatchObject({
    status: "failed",
    externalError: expect.stringContaining("sudah ditutup di 3Dolphins") as string,
  });

  accepted(await tenant.incoming(number, { message: "Saya kembali" }));
  await saidBy(chatwoot, 2);
  expect(chatwoot.conversations).toHaveLength(1);
  await poll(
    () => Promise.resolve(conversation.status),
    (status) => status === "open",
    "Chatwoot to open it again",
  );
  expect(await chatwoot.agentSays(conversation, "Selamat datang kembali")).toBe(200);
  await tenant.engine.until((received) => received.length === 2, "the reply");
  expect(await chatwoot.agentResolves(conversation)).toBe(200);
  await tenant.untilTicket(number, ({ state }) => state === "closed", "the ticket closed again");
  expect(receivedBy(tenant)).toHaveLength(3);
});

test("the agent is spared the echo of a Close by the engine", async () => {
  const { chatwoot, tenant, conversation, number } = await opened();
  accepted(await tenant.engineClose(number));
  const isTold = () => chatwoot.webhooks.some(({ event }) => event === "conversation_status_changed");
  await poll(() => Promise.resolve(isTold()), Boolean, "the webhook of it");
  expect(conversation.status).toBe("resolved");
  const ticket = await tenant.untilTicket(number, ({ state }) => state === "closed", "the ticket closed");
  expect(ticket.lanes.toDolphins.accepted).toBe(0);
  expect(tenant.engine.received).toEqual([]);
});

test("the agent is shown at each message what became of it, of several files when all have arrived", async () => {
  const { chatwoot, tenant, conversation } = await opened();
  const held = gate();
  tenant.engine.answerWith(async (_request, index) => {
    if (index === 2) await held.opened;
    return { status: index === 3 ? 422 : 200 };
  });
  const file = (id: number) => ({ id, file_type: "file", data_url: `${chatwoot.url}/${id}.pdf` });
  expect(await chatwoot.agentSays(conversation, "Halo juga")).toBe(200);
  const [, first] = chatwoot.messages;
  await untilShown(chatwoot, first?.id, "delivered");
  // Two files, out of their order.
  expect(await chatwoot.agentSays(conversation, "Berkasnya", { attachments: [file(9), file(8)] })).toBe(200);
  expect(await chatwoot.agentSays(conversation, "Yang ini ditolak")).toBe(200);
  const [, , files, refused] = chatwoot.messages;
  await tenant.engine.until((received) => received.length === 3, "both files");
  expect(tenant.engine.received.map(bodyOf).map(({ message, mediaLink }) => [message, mediaLink])).toEqual([
    ["Halo juga", ""],
    ["Berkasnya", `${chatwoot.url}/8.pdf`],
    ["", `${chatwoot.url}/9.pdf`],
  ]);
  expect(files?.status).toBeUndefined();
  held.open();
  await untilShown(chatwoot, files?.id, "delivered");
  await untilShown(chatwoot, refused?.id, "failed");
  expect(refused?.externalError).toBe("3Dolphins menolaknya (HTTP 422)");
  expect(chatwoot.messages.filter(({ isPrivate }) => isPrivate)).toEqual([]);
  expect(chatwoot.misfits).toEqual([]);
});

test("the agent is shown it later when Chatwoot is down, and the customer's messages do not wait for that", async () => {
  const { chatwoot, tenant, conversation, number } = await opened();
  chatwoot.failNext("status", { status: 503 });
  expect(await chatwoot.agentSays(conversation, "Sebentar ya")).toBe(200);
  accepted(await tenant.incoming(number, { message: "Baik" }));
  await saidBy(chatwoot, 2);
  await untilShown(chatwoot, chatwoot.messages.find(({ messageType }) => messageType === "outgoing")?.id, "delivered");
});

test("the agent hears in a private note of a reply that died, where Chatwoot shows no status", async () => {
  const { chatwoot, tenant, conversation } = await opened();
  chatwoot.lacks("status");
  tenant.engine.answerWith(() => ({ status: 410 }));
  expect(await chatwoot.agentSays(conversation, "Sebentar ya")).toBe(200);
  const note = (await saidBy(chatwoot, 1, true)).find(({ isPrivate }) => isPrivate);
  expect(note).toMatchObject({ messageType: "outgoing", isPrivate: true });
  expect(note?.content).toContain("3Dolphins menolaknya (HTTP 410)");
  expect(note?.content).toContain("Sebentar ya");
  expect(chatwoot.misfits).toEqual([]);
});

test("the agent hears that a conversation of their own reaches nobody", async () => {
  const { chatwoot, tenant, conversation } = await opened();
  const own = { ...conversation, id: 9001, sourceId: "8d0a1f5e-2a55-4b6e-9a35-3c1b8f0f6a11" };
  chatwoot.conversations.push(own);
  expect(await chatwoot.agentSays(own, "Halo")).toBe(200);
  expect(chatwoot.messages.at(-1)).toMatchObject({ status: "failed" });
  expect(tenant.engine.received).toEqual([]);
});

test("Chatwoot's own texts go to the customer, unless the record keeps them back", async () => {
  const { chatwoot, tenant, conversation } = await opened();
  expect(await chatwoot.agentSays(conversation, "Kami tutup", { message_type: "template", sender: null })).toBe(200);
  await tenant.engine.until((received) => received.length === 1, "the text");
  expect(receivedBy(tenant)).toMatchObject([{ message: "Kami tutup" }]);
  const desk = { ...chatwoot.record, templates: false };
  await world.admin("PUT", `/admin/tenants/${tenant.owner}`, { dolphins: { baseUrl: tenant.engine.url }, desk });
  expect(await chatwoot.agentSays(conversation, "Kami tutup", { message_type: "template", sender: null })).toBe(200);
  expect(receivedBy(tenant)).toHaveLength(1);
});

test("an older Chatwoot, which signs nothing, is known by the token in its webhook's URL alone", async () => {
  const { chatwoot, tenant, conversation } = await opened();
  expect(await chatwoot.agentSays(conversation, "Ditandatangani")).toBe(200);
  const said = chatwoot.webhooks.findLast(({ event }) => event === "message_created");
  const body = said?.body.replaceAll(`"id":${chatwoot.messages.at(-1)?.id},`, '"id":9000,') ?? "";
  const path = `/v1/desks/chatwoot/${tenant.owner}`;
  const post = (query: string) => world.call(path + query, { method: "POST", body });
  expect(await post("")).toBeRefused(401, "unauthorized");
  expect(await post("?token=guess")).toBeRefused(401, "unauthorized");
  await tenant.engine.until((received) => received.length === 1, "the one that was signed");
  expect(await post(`?token=${String(chatwoot.record["webhookSecret"])}`)).toBeAccepted();
  await tenant.engine.until((received) => received.length === 2, "the one with the token");
});

test("the record's secrets are not shown, and stay when the record is put again without them", async () => {
  const { chatwoot, tenant, conversation, number } = await opened();
  const shown = await world.admin("GET", `/admin/tenants/${tenant.owner}`);
  const desk = { ...chatwoot.record, apiAccessToken: "***", webhookSecret: "***" };
  expect(shown.body).toMatchObject({ tenant: { desk } });
  for (const secret of ["apiAccessToken", "webhookSecret"]) {
    expect(shown.text).not.toContain(String(chatwoot.record[secret]));
  }
  const again = await world.admin("PUT", `/admin/tenants/${tenant.owner}`, {
    dolphins: { baseUrl: tenant.engine.url },
    desk: { ...desk, baseUrl: `${chatwoot.url}/`, accountId: "3", inboxId: "7" },
  });
  expect(again.status).toBe(200);
  expect(await world.admin("GET", `/admin/tenants/${tenant.owner}`)).toMatchObject({ body: { tenant: { desk } } });
  expect(await chatwoot.agentSays(conversation, "Masih tersambung")).toBe(200);
  accepted(await tenant.incoming(number, { message: "Ya" }));
  await saidBy(chatwoot, 2);
});
