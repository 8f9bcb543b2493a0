import { afterAll, beforeAll, expect, test } from "vitest";
import { type FakeChatwoot, startFakeChatwoot } from "../../../dev/fakes/chatwoot.ts";
import { accepted, type Reply, refusal } from "../support/http.ts";
import { type Tenant, newTicketNumber } from "../support/tenant.ts";
import { poll } from "../support/timeline.ts";
import { type World, startWorld } from "../support/world.ts";

let world: World;
const desks: FakeChatwoot[] = [];

beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await world.stop();
  await Promise.all(desks.map((each) => each.close()));
});

type Scene = {
  chatwoot: FakeChatwoot;
  tenant: Tenant;
  connect: (given?: Record<string, unknown>) => Promise<Reply>;
};

/** A Chatwoot without an inbox, and a tenant whose desk is elsewhere. */
async function scene(record: Record<string, unknown> = {}): Promise<Scene> {
  const chatwoot = await startFakeChatwoot();
  desks.push(chatwoot);
  chatwoot.inboxes.splice(0);
  const tenant = await world.tenant({ record });
  const { baseUrl, accountId } = chatwoot.record;
  const given = { baseUrl, accountId, accessToken: chatwoot.tokens.administrator };
  const path = `/admin/tenants/${tenant.owner}/connect/chatwoot`;
  return { chatwoot, tenant, connect: (more = {}) => world.admin("POST", path, { ...given, ...more }) };
}

type Check = { name: string; ok: boolean; message: string };
const checksOf = ({ body }: Reply) =>
  Object.fromEntries((body as { checks: Check[] }).checks.map(({ name, ...rest }) => [name, rest]));
const deskOf = async ({ owner }: Tenant) => {
  const { body } = await world.admin("GET", `/admin/tenants/${owner}`);
  return (body as { tenant: { desk: Record<string, unknown> } }).tenant.desk;
};

test("a Chatwoot without an inbox is connected with one token, and the first message and its answer go through", async () => {
  const { chatwoot, tenant, connect } = await scene({ name: "Bank <ABC>" });
  const connected = await connect({ agentToken: chatwoot.tokens.outsider });
  expect(connected.status, connected.text).toBe(200);
  expect(Object.values(checksOf(connected)).every(({ ok }) => ok)).toBe(true);

  const [inbox] = chatwoot.inboxes;
  const webhookUrl = `${world.relay().url}/v1/desks/chatwoot/${tenant.owner}`;
  expect(inbox).toMatchObject({ name: "Bank ABC", webhookUrl, members: [5] });
  expect(chatwoot.definitions.map(({ key }) => key).toSorted()).toEqual(["channel", "phone", "ticketNumber"]);
  expect((connected.body as { tenant: unknown }).tenant).toMatchObject({
    name: "Bank <ABC>",
    dolphins: { baseUrl: tenant.engine.url },
    desk: { type: "chatwoot", inboxId: inbox?.id, apiAccessToken: "***", webhookSecret: "***" },
  });

  const number = newTicketNumber();
  accepted(await tenant.incoming(number));
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the first message");
  const [conversation] = chatwoot.conversations;
  expect(conversation?.customAttributes).toEqual({
    owner: tenant.owner,
    ticketNumber: number,
    channel: "whatsapp",
    phone: "+628128778222",
  });
  if (!conversation) throw new Error("there is no conversation");
  expect(await chatwoot.agentSays(conversation, "Ada yang bisa dibantu?")).toBe(200);
  await tenant.engine.until((received) => received.length === 1, "the answer");
  // From now on the relay calls as the agent alone.
  const token = chatwoot.received.findLast(({ path }) => path.endsWith("/messages"))?.headers["api-access-token"];
  expect(token).toBe(chatwoot.tokens.outsider);
  expect(chatwoot.misfits).toEqual([]);
});

test("a Chatwoot that is connected again has one inbox still, and the record keeps what else it says", async () => {
  const auth = { type: "login", username: "bank", password: "rahasia" };
  const { chatwoot, tenant, connect } = await scene();
  await world.putTenant(tenant, { dolphins: { auth }, record: { language: "en", retentionDays: 7 } });
  expect((await connect()).status).toBe(200);
  const [inbox] = chatwoot.inboxes;
  expect(inbox?.members).toEqual([1]);
  const desk = { ...(await deskOf(tenant)), templates: false };
  await world.putTenant(tenant, { dolphins: { auth }, record: { language: "en", retentionDays: 7, desk } });
  inbox?.members.push(4);

  const again = await connect({ inboxName: "Another" });
  expect(again.status, again.text).toBe(200);
  expect(checksOf(again)["inbox"]?.message).toContain("Found");
  expect(chatwoot.inboxes).toHaveLength(1);
  expect(inbox?.members).toEqual([1, 4]);
  expect(chatwoot.definitions).toHaveLength(3);
  expect((again.body as { tenant: unknown }).tenant).toMatchObject({
    language: "en",
    retentionDays: 7,
    dolphins: { auth: { type: "login", password: "***" } },
    desk: { templates: false },
  });
  tenant.engine.answerWith(({ body }) => ({ status: 200, body: body.includes("rahasia") ? '{"token":"t"}' : "" }));
  expect((await world.admin("POST", `/admin/tenants/${tenant.owner}/test/engine`)).body).toMatchObject({
    outcome: "delivered",
  });
});

test.each(["profile", "inboxes", "makeInbox", "inbox", "define", "members"] as const)(
  "what was left undone because Chatwoot failed at %s is done by connecting again",
  async (step) => {
    const { chatwoot, tenant, connect } = await scene();
    chatwoot.failNext(step, { status: 503, stored: true });
    const failed = await connect();
    expect(refusal(failed, 502, "delivery_failed").message).toContain("HTTP 503");
    expect(await deskOf(tenant)).toMatchObject({ type: "native" });
    const again = await connect();
    expect(again.status, again.text).toBe(200);
    expect(chatwoot.inboxes).toHaveLength(1);
    expect(chatwoot.definitions).toHaveLength(3);
    expect(chatwoot.inboxes[0]?.members).toEqual([1]);
    expect(await deskOf(tenant)).toMatchObject({ type: "chatwoot", inboxId: chatwoot.inboxes[0]?.id });
  },
);

test.each([
  ["accessToken", "agent", {}],
  ["accessToken", "bot", {}],
  ["accessToken", "nobody", {}],
  ["accessToken", "administrator", { accountId: 999 }],
  ["agentToken", "administrator", { agentToken: "token-of-nobody" }],
] as const)(
  "nothing is made for the wrong %s (%s, %j), and the refusal says whose fault it is",
  async (path, who, more) => {
    const { chatwoot, tenant, connect } = await scene();
    const tokens: Record<string, string> = chatwoot.tokens;
    const accessToken = tokens[who] ?? "token-of-nobody";
    const refused = await connect({ accessToken, ...more });
    expect(refusal(refused, 422, "invalid_request").issues?.map((issue) => issue.path)).toEqual([path]);
    expect(refused.text).not.toContain(accessToken);
    expect(chatwoot.received.map(({ method }) => method)).not.toContain("POST");
    expect(await deskOf(tenant)).toMatchObject({ type: "native" });
  },
);

test("what is no Chatwoot, or the relay itself, is refused as such", async () => {
  const { tenant, connect } = await scene();
  for (const baseUrl of [tenant.desk.url, world.relay().url]) {
    const { issues } = refusal(await connect({ baseUrl }), 422, "invalid_request");
    expect(issues?.map(({ path }) => path)).toEqual(["baseUrl"]);
  }
  const { issues } = refusal(await connect({ accountId: "x", accessToken: "", more: 1 }), 422, "invalid_request");
  expect(issues?.map(({ path }) => path).toSorted()).toEqual(["accessToken", "accountId", "more"]);
  const path = `/admin/tenants/${newTicketNumber()}/connect/chatwoot`;
  const given = { baseUrl: tenant.desk.url, accountId: 3, accessToken: "a" };
  expect(await world.admin("POST", path, given)).toBeRefused(404, "unknown_owner");
});

test("no log line has a token or a secret of a Chatwoot that was connected", async () => {
  const { chatwoot, connect } = await scene();
  await connect({ agentToken: chatwoot.tokens.outsider });
  const { logs } = world.relay();
  await poll(
    () => Promise.resolve(logs),
    (lines) => lines.some((line) => line.includes("desk_connected")),
    "the act",
  );
  const text = logs.join("\n");
  for (const secret of [...Object.values(chatwoot.tokens), chatwoot.inboxes[0]?.secret ?? "none"]) {
    expect(text).not.toContain(secret);
  }
});

const check = async ({ owner }: Tenant) => checksOf(await world.admin("POST", `/admin/tenants/${owner}/test/desk`));

test("a connection test says what is set up at Chatwoot, and writes nothing there", async () => {
  const { chatwoot, tenant, connect } = await scene();
  await connect();
  const before = chatwoot.received.length;
  const checks = await check(tenant);
  expect(Object.entries(checks).map(([name, { ok }]) => [name, ok])).toEqual([
    ["version", true],
    ["token", true],
    ["inbox", true],
    ["webhook", true],
    ["webhookSecret", true],
    ["attributes", true],
    ["reached", true],
  ]);
  expect(checks["version"]?.message).toContain("4.15.1");
  expect(checks["reached"]?.message).toContain("Not known yet");
  expect(chatwoot.received.slice(before).map(({ method }) => method)).toEqual(Array(5).fill("GET"));

  const number = newTicketNumber();
  accepted(await tenant.incoming(number));
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the conversation");
  const [conversation] = chatwoot.conversations;
  const [inbox] = chatwoot.inboxes;
  if (!conversation || !inbox) throw new Error("there is no conversation");
  tenant.engine.answerWith(() => ({ status: 422 }));
  await chatwoot.agentSays(conversation, "Ditolak");
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDolphins.dead === 1, "the refusal");
  await poll(
    () => check(tenant),
    ({ reached }) => reached?.message === "The newest reply came through.",
    "the reply to be shown as failed by the relay",
  );
  inbox.webhookUrl = `${tenant.desk.url}/v1/desks/chatwoot/${tenant.owner}?token=x`;
  tenant.desk.answerWith(() => ({ status: 404 }));
  inbox.secret = "another";
  chatwoot.definitions.splice(0, 1);
  await chatwoot.agentSays(conversation, "Tersesat");
  const broken = await check(tenant);
  expect(broken["reached"]).toMatchObject({ ok: false, message: expect.stringContaining("404 Not Found") as string });
  expect(broken["webhook"]).toEqual({
    ok: false,
    message: `It goes to ${tenant.desk.url}/v1/desks/chatwoot/${tenant.owner}, and not to ${world.relay().url}/v1/desks/chatwoot/${tenant.owner}.`,
  });
  expect(broken["webhookSecret"]).toMatchObject({ ok: false });
  expect(broken["attributes"]).toMatchObject({ ok: false });
});

test.each([
  ["agent", { token: true, inbox: true, webhookSecret: true }],
  ["outsider", { token: true, inbox: false }],
  ["bot", { token: false }],
  ["nobody", { token: false }],
] as const)("a connection test says what the token of this one may see: %s", async (who, expected) => {
  const { chatwoot, tenant } = await scene();
  chatwoot.inboxes.push(chatwoot.inbox);
  const apiAccessToken = who === "nobody" ? "token-of-nobody" : chatwoot.tokens[who];
  await world.putTenant(tenant, { record: { desk: { ...chatwoot.record, apiAccessToken } } });
  const checks = await check(tenant);
  expect(Object.fromEntries(Object.entries(checks).map(([name, { ok }]) => [name, ok]))).toMatchObject(expected);
  const { webhookSecret } = checks;
  expect(webhookSecret?.message ?? "Not known").toContain("Not known");
});

test("an upgrade to 4.13 changes nothing while the record's secret is the token in the webhook's URL, and the test says what to do", async () => {
  const { chatwoot, tenant } = await scene();
  chatwoot.inboxes.push(chatwoot.inbox);
  const desk = { ...chatwoot.record, webhookSecret: "the-token-in-the-url" };
  await world.putTenant(tenant, { record: { desk } });
  const url = `${world.relay().url}/v1/desks/chatwoot/${tenant.owner}`;
  const number = newTicketNumber();
  accepted(await tenant.incoming(number));
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the conversation");
  const [conversation] = chatwoot.conversations;
  if (!conversation) throw new Error("there is no conversation");
  // Signed with the inbox's secret, of which the record knows nothing.
  chatwoot.sendWebhooksTo(`${url}?token=a-guess`);
  expect(await chatwoot.agentSays(conversation, "Siapa ini?")).toBe(401);
  chatwoot.sendWebhooksTo(`${url}?token=the-token-in-the-url`);
  expect(await chatwoot.agentSays(conversation, "Masih tersambung")).toBe(200);
  await tenant.engine.until((received) => received.length === 1, "the reply");
  const { logs } = world.relay();
  await poll(
    () => Promise.resolve(logs),
    (lines) => lines.some((line) => line.includes("webhook_secret_outdated") && line.includes(tenant.owner)),
    "the advice in the log",
  );
  const advised = await check(tenant);
  expect(advised["webhookSecret"]).toMatchObject({ ok: false, message: expect.stringContaining("copy") as string });
});

test("an agent's file opens by the relay's own link, which follows Chatwoot to its store without a credential", async () => {
  const { chatwoot, tenant, connect } = await scene();
  await connect();
  const number = newTicketNumber();
  accepted(await tenant.incoming(number));
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the conversation");
  const [conversation] = chatwoot.conversations;
  if (!conversation) throw new Error("there is no conversation");
  const files = [{ name: "Surat (final).pdf", type: "application/pdf", text: "%PDF-1.7 isi" }];
  expect(await chatwoot.agentSends(conversation, "Suratnya", files)).toBe(200);
  const [received] = await tenant.engine.until((all) => all.length > 0, "the file");
  const { mediaLink } = JSON.parse(received?.body ?? "") as { mediaLink: string };
  expect(mediaLink.startsWith(`${world.relay().url}/v1/media/`)).toBe(true);
  // It is not in the store yet when the engine asks for it.
  chatwoot.failNext("storedFile", { status: 404 });
  const opened = await fetch(mediaLink, { redirect: "manual" });
  expect([opened.status, await opened.text()]).toEqual([200, "%PDF-1.7 isi"]);
  const asked = chatwoot.received.filter(({ path }) => path.startsWith("/rails/"));
  expect(asked.map(({ headers }) => headers["api-access-token"])).toEqual(Array(4).fill(undefined));
});
