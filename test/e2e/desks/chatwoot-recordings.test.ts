import { createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Answer, type FarEnd, type Received, startFarEnd } from "../../../dev/fakes/far-end.ts";
import {
  readRecordings,
  secretIn,
  type RecordedRequest,
  type RecordedWebhook,
} from "../../contracts/chatwoot/recordings.ts";
import { accepted, type Reply } from "../support/http.ts";
import { newTicketNumber, type Tenant } from "../support/tenant.ts";
import { type World, startWorld } from "../support/world.ts";

/**
 * The 50 webhooks of a running Chatwoot, into the built Worker. Their own signatures are held elsewhere, each at its own time
 * (test/worker/desks): here they are signed once more, with the same secret and the present time.
 */

let world: World;
let desk: FarEnd;
let requests: RecordedRequest[];
let webhooks: RecordedWebhook[];

beforeAll(async () => {
  const file = new URL("../../contracts/chatwoot/recordings.jsonl", import.meta.url);
  ({ requests, webhooks } = readRecordings(await readFile(file, "utf8")));
  [world, desk] = await Promise.all([startWorld(), startFarEnd()]);
  desk.answerWith(answerOf);
});
afterAll(() => Promise.all([world.stop(), desk.close()]));

/** Chatwoot answers what it was recorded with; only the numbers of the conversations are in the order that they open in. */
let opened = 0;
function answerOf({ method, path }: Received): Answer {
  const json = (answer: unknown): Answer => ({ status: 200, body: JSON.stringify(answer) });
  const recorded = (name: string) => requests.find((one) => one.name === name)?.answer as Record<string, unknown>;
  if (path.endsWith("/contacts/filter")) return json(recorded("look for a contact: none"));
  if (path.endsWith("/contacts")) return json(recorded("make a contact"));
  if (path.endsWith("/conversations")) {
    const conversation = recorded("open a conversation");
    return json(method === "GET" ? { payload: [] } : { ...conversation, id: [1, 3, 4][opened++ % 3] });
  }
  if (/messages\?|messages$/.test(path)) {
    // Of the first conversation, the message whose status was read back.
    const payload = path.includes("/conversations/1/") ? [recorded("read")] : [];
    return json(method === "GET" ? { meta: {}, payload } : recorded("the customer says"));
  }
  return json({});
}

const bodyOf = ({ body }: Received) => JSON.parse(body) as Record<string, unknown>;

async function newTenant(): Promise<Tenant> {
  const inbox = { accountId: 2, inboxId: 2, apiAccessToken: "token-of-an-agent", webhookSecret: secretIn(requests) };
  return world.tenant({ record: { desk: { type: "chatwoot", baseUrl: desk.url, ...inbox } } });
}

function play({ owner }: Tenant, { headers }: RecordedWebhook, body: string): Promise<Reply> {
  const now = String(Math.floor(Date.now() / 1000));
  const mac = createHmac("sha256", secretIn(requests)).update(`${now}.${body}`).digest("hex");
  const signed = { "x-chatwoot-timestamp": now, "x-chatwoot-signature": `sha256=${mac}` };
  return world.call(`/v1/desks/chatwoot/${owner}`, { method: "POST", headers: { ...headers, ...signed }, body });
}

test("a webhook that was signed long ago is refused, whatever it says", async () => {
  const { owner } = await newTenant();
  for (const { headers, raw } of webhooks) {
    const reply = await world.call(`/v1/desks/chatwoot/${owner}`, { method: "POST", headers, body: raw });
    expect(reply).toBeRefused(401, "unauthorized");
  }
});

test("of conversations that another relay opened nothing reaches the engine, and each agent's reply shows why", async () => {
  const tenant = await newTenant();
  const before = desk.received.length;
  const refused: string[] = [];
  for (const webhook of webhooks) {
    const reply = await play(tenant, webhook, webhook.raw);
    if (reply.status !== 200) refused.push(`${reply.status} ${webhook.name}`);
  }
  expect(refused).toEqual(["404 resolved", "404 resolved by an agent bot", "404 resolved, and the survey"]);
  expect(tenant.engine.received).toEqual([]);
  const marked = desk.received.slice(before).filter(({ method }) => method === "PATCH");
  // One for each reply, and for each file of it.
  expect([...new Set(marked.map(({ path }) => Number(path.split("/").at(-1))))]).toEqual([
    762, 763, 765, 766, 767, 768, 769, 770, 780, 783,
  ]);
});

test("of the relay's own conversations every reply reaches the engine once, and each Close closes its ticket", async () => {
  const tenant = await newTenant();
  const sourceIds = [...new Set(webhooks.flatMap(({ raw }) => /"source_id":"(WyJ[^"]+)"/.exec(raw)?.[1] ?? []))];
  const numbers = sourceIds.map(newTicketNumber);
  const [first = "", second = "", blocked = ""] = numbers;
  opened = 0;
  const before = desk.received.length;
  for (const number of numbers) {
    accepted(await tenant.incoming(number));
    await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the conversation");
  }
  const references = desk.received
    .slice(before)
    .filter(({ method, path }) => method === "POST" && path.endsWith("/conversations"))
    .map((request) => String(bodyOf(request)["source_id"]));
  const ofTheRelay = (raw: string) =>
    sourceIds.reduce((body, sourceId, index) => body.replaceAll(sourceId, references[index] ?? ""), raw);

  const closed = (number: string) => tenant.untilTicket(number, ({ state }) => state === "closed", "the Close");
  for (const webhook of webhooks) {
    // The customer's message that opened the conversation again.
    if (webhook.name === "the customer opens it again" && webhook.event === "conversation_status_changed") {
      await closed(first);
      accepted(await tenant.incoming(first, { message: "balik lagi" }));
    }
    expect(await play(tenant, webhook, ofTheRelay(webhook.raw)), webhook.name).toMatchObject({ status: 200 });
  }
  await Promise.all([closed(first), closed(second)]);
  expect(await tenant.ticket(blocked)).toMatchObject({ state: "open", lanes: { toDolphins: { accepted: 0 } } });

  const said = (number: string) =>
    tenant.engine.received
      .map(bodyOf)
      .filter(({ ticketNumber }) => ticketNumber === number)
      .map(({ event, messageType, message }) => event ?? (messageType === "text" ? message : [messageType, message]));
  expect(said(first)).toEqual([
    "Saya robot",
    "*Halo* pak, _miring_, ~coret~ dan `kode`:\n\n1. satu\n2. dua\n\n- a\n- b\n\nsitus (https://bank.example/x_y)\n\n1. bukan daftar",
    "soal ini",
    ["image", "dua berkas *tebal*"],
    ["file", ""],
    ["audio", ""],
    "Pilih cabang\n- Jakarta\n- Bandung",
    "Produk\n- Tabungan - Bunga 3% - https://bank.example/t.png - Buka: https://bank.example/t - Pilih",
    "Bantuan\n- Lupa PIN - Cara - https://bank.example/pin",
    "ditolak",
    "Close",
    "Close",
  ]);
  const survey = "https://chatwoot.example/survey/responses/82bd9bf7-8aa1-423e-ad68-2ce1026c1856";
  expect(said(second)).toEqual(["Kami tutup", `Please rate this conversation, ${survey}`, "Close"]);
});
