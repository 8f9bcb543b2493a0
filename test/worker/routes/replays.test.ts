import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { expect, test, vi } from "vitest";
import { fromBase64 } from "../../../src/crypto/bytes";
import { writeTicketReference } from "../../../src/tenants/ticket-reference";
import { accepted, call, incoming, operator, registerTenant, untilView, useFarEnds, viewOf } from "../world";

/** What comes of a request that somebody has seen on its way, and sends once more. */

const farEnds = useFarEnds();

const later = (ms: number) => vi.setSystemTime(Date.now() + ms);
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

async function signingSecretOf(owner: string): Promise<string> {
  const answer = await operator("GET", `/tenants/${owner}/credentials`);
  return (answer as { credentials: { signingSecret: string } }).credentials.signingSecret;
}

type Signed = { headers: Record<string, string>; body: string };

function signed(secret: string, id: string, event: object): Signed {
  const at = new Date(Date.now());
  const body = JSON.stringify(event);
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const signature = new Webhook(secret).sign(id, at, body);
  return { body, headers: { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature } };
}

const post = (path: string, { headers, body }: Signed, more: Record<string, string> = {}) =>
  call(path, { method: "POST", headers: { ...headers, ...more }, body });

const replyOf = (owner: string) => ({
  ticketNumber: "t",
  channel: "whatsapp",
  owner,
  messageType: "text",
  message: "ok",
  mediaLink: "",
  customerName: "Ada",
});
const closeOf = (owner: string) => ({ ticketNumber: "t", channel: "whatsapp", owner, event: "Close" });

async function openTicket(record: Record<string, unknown> = {}): Promise<string> {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  const owner = await registerTenant(record);
  await accepted(incoming(owner, "t", "hello"));
  return owner;
}
const atEngine = () => farEnds.sent.filter(({ url }) => url.startsWith("https://bank.example.com/outgoing"));

test("a signed reply is one message, under however many idempotency keys it comes again, and signed anew as well", async () => {
  const owner = await openTicket();
  const secret = await signingSecretOf(owner);
  const ids: string[] = [];
  for (let n = 0; n < 5; n++) {
    ids.push(
      await accepted(post("/v1/outgoing", signed(secret, "evt_1", replyOf(owner)), { "idempotency-key": `key-${n}` })),
    );
    // Its sender tries again, past the time for which the signature before was good.
    later(10 * MINUTE_MS);
  }
  expect(new Set(ids).size).toBe(1);
  await untilView(owner, "t", (view) => view.lanes.toDolphins.delivered === 1);
  expect(atEngine()).toHaveLength(1);
});

test("a signed reply that somebody has kept is refused after five minutes, under whatever idempotency key", async () => {
  const owner = await openTicket();
  const kept = signed(await signingSecretOf(owner), "evt_1", replyOf(owner));
  await accepted(post("/v1/outgoing", kept));
  later(5 * MINUTE_MS + 1_000);
  expect((await post("/v1/outgoing", kept, { "idempotency-key": "fresh" })).status).toBe(401);
  expect((await viewOf(owner, "t")).lanes.toDolphins.accepted).toBe(1);
});

test("a delivery of the relay that is sent back is no reply, however it is dressed up", async () => {
  const owner = await openTicket();
  await farEnds.until(1);
  const [delivery] = farEnds.sent;
  const { body = "", headers = new Headers() } = delivery ?? {};
  const standard = ["webhook-id", "webhook-timestamp", "webhook-signature"];
  const back = { body, headers: Object.fromEntries(standard.map((name) => [name, headers.get(name) ?? ""])) };
  const answers = [
    await post("/v1/outgoing", back),
    await post("/v1/command", back),
    await post("/v1/outgoing", { body, headers: Object.fromEntries(headers) }),
    await post("/v1/outgoing", back, { "idempotency-key": "fresh", "user-agent": "curl/8" }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
  const { lanes, state } = await viewOf(owner, "t");
  expect([lanes.toDolphins.accepted, state]).toEqual([0, "open"]);
});

test.each(["/v1/outgoing", "/v1/command"])(
  "a desk that signs under an id as the relay's is told so at %s",
  async (path) => {
    const owner = await openTicket();
    const event = path === "/v1/command" ? closeOf(owner) : replyOf(owner);
    const secret = await signingSecretOf(owner);
    const refused = await post(path, signed(secret, "msg_2b1f", event));
    expect(refused.status).toBe(401);
    expect(await refused.text()).toMatch(/"unauthorized".*msg_/);
    await accepted(post(path, signed(secret, "evt_2b1f", event)));
  },
);

test("whether an id as the relay's is the fault is told to nobody whose signature does not hold", async () => {
  const owner = await openTicket();
  const secret = `whsec_${"A".repeat(43)}=`;
  const answers = ["msg_1", "evt_1"].map(async (id) =>
    (await post("/v1/outgoing", signed(secret, id, replyOf(owner)))).text(),
  );
  const [one, other] = await Promise.all(answers);
  expect(one).toBe(other);
});

const ZENDESK = {
  desk: {
    type: "zendesk",
    baseUrl: "https://acme.zendesk.com/sc",
    appId: "app-1",
    keyId: "app_1",
    keySecret: "key-secret-of-the-app",
    webhookSecret: "webhook-secret-of-the-app",
  },
};

/** A batch as Zendesk sends it: what an agent said, or that the ticket was closed, so long ago. */
async function fromZendesk(
  owner: string,
  id: string,
  createdAt: string | undefined,
  isClose = false,
): Promise<Response> {
  const key = fromBase64(env.MASTER_KEY);
  if (!key) throw new Error("no key");
  const relay = await writeTicketReference([key], owner, {
    ticketNumber: "t",
    channel: "whatsapp",
    customerName: "Ada",
  });
  const conversation = { id: "conversation-1", metadata: { relay } };
  const said = { message: { author: { type: "business" }, content: { type: "text", text: id } } };
  const event = {
    id,
    type: isClose ? "switchboard:releaseControl" : "conversation:message",
    createdAt,
    payload: { conversation, ...(isClose ? { reason: "ticketClosed" } : said) },
  };
  return call(`/v1/desks/zendesk/${owner}`, {
    method: "POST",
    headers: { "x-api-key": ZENDESK.desk.webhookSecret },
    body: JSON.stringify({ app: { id: "app-1" }, webhook: { id: "w", version: "v2" }, events: [event] }),
  });
}
const hoursAgo = (hours: number) => new Date(Date.now() - hours * HOUR_MS).toISOString();

test("a webhook of Zendesk that somebody has kept sends nothing once more, the next minute as on any later day", async () => {
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => lines.push(line));
  const owner = await openTicket(ZENDESK);
  const createdAt = hoursAgo(0);
  await accepted(fromZendesk(owner, "event-1", createdAt));
  for (const hours of [0, 22, 3, 24 * 30]) {
    later(hours * HOUR_MS);
    expect((await fromZendesk(owner, "event-1", createdAt)).status).toBe(200);
    // A customer who writes keeps the ticket.
    await accepted(incoming(owner, "t", "still here"));
  }
  expect(atEngine()).toHaveLength(1);
  const old = lines.filter((line) => line.includes("webhook_too_old")).map((line) => JSON.parse(line) as object);
  expect(old).toMatchObject([
    { owner, key: "event-1" },
    { owner, key: "event-1" },
  ]);
});

test("an old Close of Zendesk closes no ticket that is open again, and one of today does", async () => {
  const owner = await openTicket(ZENDESK);
  expect((await fromZendesk(owner, "close-1", hoursAgo(25), true)).status).toBe(200);
  expect((await viewOf(owner, "t")).state).toBe("open");
  expect((await fromZendesk(owner, "close-2", hoursAgo(0), true)).status).toBe(200);
  expect((await viewOf(owner, "t")).state).not.toBe("open");
});

test.each([
  ["hours late", () => hoursAgo(22)],
  ["from a clock that is ahead", () => hoursAgo(-48)],
  ["with no time", () => undefined],
  ["with a time that is none", () => "yesterday"],
])("a webhook of Zendesk that comes %s is taken", async (_, createdAt) => {
  const owner = await openTicket(ZENDESK);
  await accepted(fromZendesk(owner, "event-1", createdAt()));
  expect((await viewOf(owner, "t")).lanes.toDolphins.accepted).toBe(1);
});
