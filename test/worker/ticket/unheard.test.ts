import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { beforeEach, expect, test, vi } from "vitest";
import { meter } from "../meter";
import {
  accepted,
  alarmOf,
  call,
  incoming,
  registerTenant,
  ticketOf,
  untilView,
  useFarEnds,
  viewOf,
  type Sent,
} from "../world";

/** What a desk's webhooks did not tell, since Chatwoot sends each of them once; and a retry that is told at an awkward time. */

const farEnds = useFarEnds();
const QUIET_MS = 120_000;
const LONGEST_LYING_MS = 3_000;
const desk = {
  type: "chatwoot",
  baseUrl: "https://chatwoot.example.com",
  accountId: 1,
  inboxId: 7,
  apiAccessToken: "token",
  webhookSecret: "secret-of-the-inbox",
};

type Said = { id: number; content: string; [field: string]: unknown };
/** What stands in the conversation, as a list shows it. */
let said: Said[];
let lastId: number;
let sourceId: string;
let fault: Response | undefined;
/** What the desk is told of a message's status is answered after this. */
let statusAnswered: Promise<void>;
let owner: string;
let stub: ReturnType<typeof ticketOf>;

const REPLY = { message_type: 1, status: "sent", private: false, content_type: "text", content_attributes: {} };
const standing = (content: string, more: Record<string, unknown> = {}): Said => {
  const one = { id: ++lastId, content, ...REPLY, ...more };
  said.push(one);
  return one;
};

const asked = () => farEnds.sent.map(({ url }) => url).filter((url) => url.includes("/messages?after="));
const told = () =>
  farEnds.sent.filter(({ url }) => url.endsWith("/outgoing")).map(({ body }) => (JSON.parse(body) as Said)["message"]);
const statuses = () =>
  farEnds.sent.flatMap(({ url, body }) => {
    const id = /\/messages\/(\d+)$/.exec(url)?.[1];
    return id === undefined ? [] : [`${id} ${(JSON.parse(body) as { status: string }).status}`];
  });

async function chatwoot({ url, body }: Sent): Promise<Response> {
  const path = url.replace(`${desk.baseUrl}/api/v1/accounts/1`, "");
  if (path === "/contacts/filter") return Response.json({ payload: [] });
  if (path === "/contacts") return Response.json({ payload: { contact: { id: 31 } } });
  if (path === "/contacts/31/conversations") return Response.json({ payload: [] });
  if (path === "/conversations") {
    sourceId = (JSON.parse(body) as { source_id: string }).source_id;
    return Response.json({ id: 5, meta: { sender: { id: 31 } } });
  }
  const [, shown] = /\?after=(\d+)&before=\d+$/.exec(path) ?? [];
  if (shown !== undefined) return Response.json({ payload: said.filter(({ id }) => id === Number(shown)) });
  if (/\/messages\/\d+$/.test(path)) await statusAnswered;
  const after = /\/conversations\/5\/messages\?after=(\d+)$/.exec(path)?.[1];
  if (after !== undefined)
    return fault ?? Response.json({ payload: said.filter(({ id }) => id > Number(after)).slice(0, 100) });
  if (path === "/conversations/5/messages") return Response.json({ id: standing("", { message_type: 0 }).id });
  return Response.json({});
}

/** The webhook of a message that stands there. */
const webhookOf = async ({ id, content }: Said, event = "message_created"): Promise<void> => {
  const conversation = { id: 5, inbox_id: 7, contact_inbox: { source_id: sourceId } };
  const body = { event, id, content, message_type: "outgoing", private: false, conversation };
  const path = `/v1/desks/chatwoot/${owner}?token=${desk.webhookSecret}`;
  await accepted(call(path, { method: "POST", body: JSON.stringify(body) }));
};

/** An agent resolves the conversation. */
const closed = async (): Promise<void> => {
  const body = { event: "conversation_status_changed", id: 5, inbox_id: 7, status: "resolved", updated_at: 1.5 };
  const json = JSON.stringify({ ...body, contact_inbox: { source_id: sourceId } });
  await accepted(call(`/v1/desks/chatwoot/${owner}?token=${desk.webhookSecret}`, { method: "POST", body: json }));
};

const passed = (ms: number) => vi.setSystemTime(Date.now() + ms);
/** The alarm rings as long as something is due. */
const ring = async () => {
  for (let n = 0; n < 5 && ((await alarmOf(stub)) ?? Infinity) <= Date.now(); n++) await runDurableObjectAlarm(stub);
};
const delivered = (count: number) => untilView(owner, "t", ({ lanes }) => lanes.toDolphins.delivered === count);
const pass = async (ms: number) => {
  passed(ms);
  await ring();
};
const quiet = () => pass(QUIET_MS);

beforeEach(async () => {
  said = [];
  lastId = 100;
  fault = undefined;
  statusAnswered = Promise.resolve();
  farEnds.answerWith((sent) => (sent.url.startsWith(desk.baseUrl) ? chatwoot(sent) : Response.json({})));
  owner = await registerTenant({ desk });
  stub = ticketOf(owner, "t");
  vi.useFakeTimers({ toFake: ["Date"] });
  await accepted(incoming(owner, "t", "the first"));
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.delivered === 1);
});

test("a reply that no webhook told goes out after two quiet minutes, and shows as delivered", async () => {
  const one = standing("told by nobody");
  await pass(QUIET_MS - 1000);
  expect(asked()).toEqual([]);
  expect(await alarmOf(stub)).toBeLessThanOrEqual(Date.now() + 1000);
  await pass(1000);
  await delivered(1);
  expect(told()).toEqual(["told by nobody"]);
  expect(asked()).toHaveLength(1);
  await vi.waitFor(() => expect(statuses()).toEqual([`${one.id} delivered`]));
});

test("a quiet period is asked about once, also after the object has started anew, and one in which nothing happened not at all", async () => {
  await quiet();
  await vi.waitFor(() => expect(asked()).toHaveLength(1));
  await evictDurableObject(stub);
  await viewOf(owner, "t");
  await quiet();
  await quiet();
  await viewOf(owner, "t");
  expect(asked()).toHaveLength(1);
  await accepted(incoming(owner, "t", "the second"));
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.delivered === 2);
  await quiet();
  await vi.waitFor(() => expect(asked()).toHaveLength(2));
});

test("the quiet of an object that has gone is asked about when its alarm brings it back", async () => {
  standing("told by nobody");
  await evictDurableObject(stub);
  await quiet();
  await delivered(1);
  expect(told()).toEqual(["told by nobody"]);
});

test("what a late webhook tells after all goes out once, and so does what a webhook told before", async () => {
  const early = standing("told in time");
  await webhookOf(early);
  await delivered(1);
  // The conversation has the name of its first day.
  await accepted(incoming(owner, "t", "the second", { customerName: "Farhan A." }));
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.delivered === 2);
  const late = standing("told **late**");
  await quiet();
  await delivered(2);
  await webhookOf(late);
  await webhookOf(early);
  await quiet();
  const view = await viewOf(owner, "t");
  expect(view.lanes.toDolphins).toMatchObject({ accepted: 2, delivered: 2 });
  expect(told()).toEqual(["told in time", "told *late*"]);
});

test("a reply that was lost between two others is found, a day later as well", async () => {
  const lost = standing("lost");
  await webhookOf(standing("after it"));
  await delivered(1);
  passed(24 * 3600_000 + 1);
  await accepted(incoming(owner, "t", "anybody there?"));
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.delivered === 2);
  await quiet();
  await delivered(2);
  expect(told()).toEqual(["after it", "lost"]);
  await vi.waitFor(() => expect(statuses()).toContain(`${lost.id} delivered`));
});

test("notes, failed and deleted messages, the customer's own and a survey without its link are left alone", async () => {
  standing("a note", { private: true });
  standing("failed", { status: "failed", content_attributes: { external_error: "503 Service Unavailable" } });
  standing("This message was deleted", { content_attributes: { deleted: true } });
  standing("resolved by Dewi", { message_type: 2 });
  standing("Please rate the conversation", { message_type: 3, content_type: "input_csat" });
  standing("we are closed", { message_type: 3 });
  await quiet();
  await delivered(1);
  expect(told()).toEqual(["we are closed"]);
});

test("a reply that is found and is too long for 3Dolphins shows as failed", async () => {
  const long = standing("x".repeat(65_537));
  const short = standing("short");
  await quiet();
  await delivered(1);
  await vi.waitFor(() => expect(statuses().toSorted()).toEqual([`${long.id} failed`, `${short.id} delivered`]));
});

test("more than one page of lost replies comes whole and in order", async () => {
  const texts = Array.from({ length: 205 }, (_, n) => `reply ${n}`);
  for (const text of texts) standing(text);
  await quiet();
  await delivered(texts.length);
  expect(told()).toEqual(texts);
});

test("while a Close lies its conversation is asked about once, and what is found goes out ahead of it", async () => {
  standing("told by nobody");
  await closed();
  await delivered(1);
  expect((await viewOf(owner, "t")).state).toBe("closing");
  await closed();
  await pass(LONGEST_LYING_MS);
  await delivered(2);
  expect(told()).toEqual(["told by nobody"]);
  expect(
    farEnds.sent.filter(({ url }) => url.includes("bank.example")).map(({ url }) => url.split("/").at(-1)),
  ).toEqual(["outgoing", "command"]);
  expect(asked()).toHaveLength(1);
});

test("a Close whose object has gone while it lay goes out behind what is found when the object is back", async () => {
  standing("told by nobody");
  fault = new Response("", { status: 503 });
  await closed();
  await vi.waitFor(() => expect(asked()).toHaveLength(1));
  await evictDurableObject(stub);
  fault = undefined;
  await pass(LONGEST_LYING_MS);
  await delivered(2);
  expect(
    farEnds.sent.filter(({ url }) => url.includes("bank.example")).map(({ url }) => url.split("/").at(-1)),
  ).toEqual(["outgoing", "command"]);
});

test("a ticket that 3Dolphins has closed is not asked about", async () => {
  const body = JSON.stringify({ ticketNumber: "t", channel: "whatsapp", owner, event: "Close" });
  await accepted(call("/v1/dolphins/ingress-key-of-main/command", { method: "POST", body }));
  await untilView(owner, "t", ({ state }) => state === "closed");
  await quiet();
  expect(asked()).toEqual([]);
});

test("a closed ticket is not asked about, and the customer's return is", async () => {
  await closed();
  await pass(LONGEST_LYING_MS);
  await untilView(owner, "t", ({ state }) => state === "closed");
  await quiet();
  expect(asked()).toHaveLength(1);
  await accepted(incoming(owner, "t", "I am back"));
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.delivered === 2);
  await quiet();
  await vi.waitFor(() => expect(asked()).toHaveLength(2));
});

test("a Chatwoot that is down is asked again half a minute later, and what it has then goes out", async () => {
  standing("told by nobody");
  fault = new Response("", { status: 503 });
  await quiet();
  await vi.waitFor(() => expect(asked()).toHaveLength(1));
  fault = undefined;
  await pass(30_000);
  await delivered(1);
  expect(asked()).toHaveLength(2);
});

test("a retry that is told before the failure's receipt is answered waits for that, and is taken", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  statusAnswered = promise;
  let isRefused = true;
  farEnds.answerWith((sent) => {
    if (sent.url.startsWith(desk.baseUrl)) return chatwoot(sent);
    return isRefused ? new Response("", { status: 422 }) : Response.json({});
  });
  const one = standing("refused at first");
  await webhookOf(one);
  await vi.waitFor(() => expect(statuses()).toEqual([`${one.id} failed`]));
  isRefused = false;
  const retried = webhookOf(one, "message_updated");
  // The webhook is with the ticket by then.
  await viewOf(owner, "t");
  resolve();
  await retried;
  await delivered(1);
  expect(told()).toEqual(["refused at first", "refused at first"]);
});

test("a quiet period costs two rows and one alarm, and one in which nothing happened nothing", async () => {
  await quiet();
  await vi.waitFor(() => expect(asked()).toHaveLength(1));
  await accepted(incoming(owner, "t", "the second"));
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.delivered === 2);
  await ring();
  const cost = await meter(stub);
  await quiet();
  await vi.waitFor(() => expect(asked()).toHaveLength(2));
  await ring();
  await quiet();
  const { written, alarms } = await cost();
  expect(alarms).toBeLessThanOrEqual(1);
  expect(written).toBeLessThanOrEqual(2);
});
