import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type Call, type Fault, type FakeZendesk, startFakeZendesk } from "../../../dev/fakes/zendesk.ts";
import { textOf } from "../support/events.ts";
import { accepted } from "../support/http.ts";
import { type Tenant, newTicketNumber } from "../support/tenant.ts";
import { poll } from "../support/timeline.ts";
import { type World, startWorld } from "../support/world.ts";

const AFTER_RESTART_MS = 45_000;

type Conversation = FakeZendesk["conversations"][number];

let persist: string;
let world: World;
const opened: FakeZendesk[] = [];
beforeAll(async () => {
  persist = await mkdtemp(join(tmpdir(), "dolphin-relay-zendesk-"));
  world = await startWorld({ persist });
});
afterEach(() => {
  const problems = opened.flatMap(({ refused }) => refused);
  if (problems.length > 0) throw new Error(`What Zendesk's description does not have:\n${problems.join("\n")}`);
});
afterAll(async () => {
  await world.stop();
  await Promise.all(opened.map(({ close }) => close()));
  await rm(persist, { recursive: true, force: true });
});

async function makeDesk(timeoutMs: number): Promise<{ tenant: Tenant; zendesk: FakeZendesk }> {
  const zendesk = await startFakeZendesk();
  opened.push(zendesk);
  const owner = randomUUID().replaceAll("-", "");
  const record = { desk: zendesk.record, delivery: { timeoutMs } };
  const tenant = await world.tenant({ owner, record });
  zendesk.subscribe(`${world.relay().url}/v1/desks/zendesk/${owner}`);
  return { tenant, zendesk };
}

/** The ticket that a user is of: each has users of its own. */
const ticketOf = (userExternalId: string): string => userExternalId.split(":")[2] ?? "";

/** The conversations of a ticket, and what was said in each. */
const saidIn = ({ conversations }: FakeZendesk, number: string): string[][] =>
  conversations
    .filter(({ userExternalId }) => ticketOf(userExternalId) === number)
    .map(({ messages }) => messages.map(({ content }) => content.text ?? content.type));

const isSettled = (ticket: Awaited<ReturnType<Tenant["ticket"]>>): boolean => ticket.lanes.toDesk.waiting === 0;

const STEPS = ["createUser", "listConversations", "createConversation", "postMessage"] as const;
const PASSING: Record<string, Fault> = {
  "429": { status: 429, headers: { "retry-after": "1" } },
  "503": { status: 503 },
  "a lost request": { silent: true, done: false },
  "a lost answer": { silent: true, done: true },
};

test("a fault that passes, in whatever step, loses nothing and makes nothing twice", async () => {
  const { tenant, zendesk } = await makeDesk(700);
  const faults = new Map<string, (call: Call) => Fault | undefined>();
  for (const step of STEPS) {
    for (const [what, fault] of Object.entries(PASSING)) {
      faults.set(`${step} ${what}`, (call) => (call.step === step && call.count === 1 ? fault : undefined));
    }
  }
  faults.set("the second part, and the look for it", ({ step, count }) => {
    if (step === "postMessage" && count === 2) return { silent: true, done: true };
    return step === "listMessages" && count === 1 ? { status: 503 } : undefined;
  });
  const text = `${"a".repeat(4000)} ${"b".repeat(4000)}`;
  const tickets = [...faults.keys()].map((contactId) => ({ contactId, number: newTicketNumber() }));
  zendesk.faultWith((call) => {
    const ticket = tickets.find(({ number }) => number === ticketOf(call.userExternalId));
    return faults.get(ticket?.contactId ?? "")?.(call);
  });
  for (const { contactId, number } of tickets) {
    accepted(await tenant.incoming(number, { contactId, message: text }));
    accepted(await tenant.incoming(number, { contactId, message: "dua" }));
  }
  for (const { contactId, number } of tickets) {
    const { messages } = await tenant.untilTicket(number, isSettled, `${contactId} to be over`);
    expect(messages[0]?.attempts.length, contactId).toBeGreaterThan(1);
    expect(saidIn(zendesk, number), contactId).toEqual([[`${"a".repeat(4000)} `, "b".repeat(4000), "dua"]]);
  }
  expect(zendesk.users.size).toBe(tickets.length);
  expect(new Set(await zendesk.ownWebhooks())).toEqual(new Set([200]));
  expect(tenant.engine.received).toEqual([]);
});

test("a refusal for good, in whatever step, ends among the dead letters, and a replay brings the message once", async () => {
  const { tenant, zendesk } = await makeDesk(10_000);
  const tickets = STEPS.flatMap((step) =>
    // A message that is refused by 403 may be of a user who was merged, who is looked for first.
    (step === "postMessage" ? [401, 422] : [401, 403, 422]).map((status) => ({
      step,
      status,
      contactId: `${step}-${status}`,
      number: newTicketNumber(),
    })),
  );
  zendesk.faultWith(({ step, userExternalId, count }) => {
    const ticket = tickets.find(({ number }) => number === ticketOf(userExternalId));
    return ticket?.step === step && count === 1 ? { status: ticket.status } : undefined;
  });
  for (const { contactId, status, number } of tickets) {
    accepted(await tenant.incoming(number, { contactId, message: "satu" }));
    accepted(await tenant.incoming(number, { contactId, message: "dua" }));
    const { lanes, messages } = await tenant.untilTicket(number, isSettled, "both to be settled");
    expect(lanes.toDesk).toMatchObject({ delivered: 1, dead: 1 });
    expect(messages[0]?.attempts).toMatchObject([{ status }]);
    await tenant.replay(number, { all: true });
    await tenant.untilTicket(number, ({ lanes: { toDesk } }) => toDesk.delivered === 2, "the replay");
    expect(saidIn(zendesk, number)).toEqual([["dua", "satu"]]);
  }
});

test("a key that is refused between two parts of a text leaves the rest of it for the replay", async () => {
  const { tenant, zendesk } = await makeDesk(10_000);
  zendesk.faultWith(({ step, count }) => (step === "postMessage" && count === 2 ? { status: 401 } : undefined));
  const number = newTicketNumber();
  const text = `${"a".repeat(4000)} ${"b".repeat(4000)}`;
  accepted(await tenant.incoming(number, { message: text }));
  const { messages } = await tenant.untilTicket(number, isSettled, "the refusal");
  expect(messages).toMatchObject([{ state: "dead", attempts: [{ status: 401 }] }]);
  await tenant.replay(number, { all: true });
  await tenant.untilTicket(number, ({ lanes: { toDesk } }) => toDesk.delivered === 1, "the replay");
  expect(saidIn(zendesk, number).map((said) => said.join(""))).toEqual([text]);
});

test("a key that may not write is looked into once, and the message ends among the dead letters", async () => {
  const { tenant, zendesk } = await makeDesk(10_000);
  zendesk.faultWith(({ step }) => (step === "postMessage" ? { status: 403 } : undefined));
  const number = newTicketNumber();
  accepted(await tenant.incoming(number));
  const { messages } = await tenant.untilTicket(number, isSettled, "the refusal");
  expect(messages).toMatchObject([{ state: "dead", attempts: [{ status: 403 }] }]);
  const lookups = zendesk.received.filter(({ method, path }) => method === "GET" && path.includes("/users/"));
  expect(lookups.length).toBe(1);
});

test("where a conversation was deleted, with its user or without, is full, or its user was merged, the ticket goes on in the same attempt", async () => {
  const { tenant, zendesk } = await makeDesk(10_000);
  const endings: Record<string, (conversation: Conversation) => void> = {
    deleted: (conversation) => zendesk.delete(conversation),
    forgotten: (conversation) => zendesk.delete(conversation, { user: true }),
    full: (conversation) => {
      conversation.isFull = true;
    },
    merged: (conversation) => zendesk.merge(conversation),
  };
  const left: Record<string, string[][]> = { full: [["satu"], ["dua"]], merged: [["satu", "dua"]] };
  for (const [contactId, end] of Object.entries(endings)) {
    const number = newTicketNumber();
    await tenant.incoming(number, { contactId, message: "satu" });
    await tenant.untilTicket(number, isSettled, "the first message");
    const first = zendesk.conversations.at(-1);
    if (!first) throw new Error(`there is no conversation of ${contactId}`);
    end(first);
    await tenant.incoming(number, { contactId, message: "dua" });
    const { messages } = await tenant.untilTicket(number, isSettled, "the second message");
    expect(messages.map(({ state, attempts }) => [state, attempts.length])).toEqual([
      ["delivered", 1],
      ["delivered", 1],
    ]);
    expect(saidIn(zendesk, number), contactId).toEqual(left[contactId] ?? [["dua"]]);
    const newest = zendesk.conversations.at(-1);
    if (!newest) throw new Error("there is no conversation");
    const reply = zendesk.agentMessage(newest, { content: { type: "text", text: `untuk ${contactId}` } });
    expect(await zendesk.send([reply])).toEqual([200]);
    await tenant.engine.until(
      (all) => all.some(({ body }) => textOf(body) === `untuk ${contactId}` && body.includes(number)),
      "a reply out of the next conversation",
    );
  }
});

test("a kill -9 before the answer to a new conversation makes no second one", async () => {
  const { tenant, zendesk } = await makeDesk(60_000);
  zendesk.faultWith(({ step, count }) =>
    step === "createConversation" && count === 1 ? { silent: true, done: true } : undefined,
  );
  const number = newTicketNumber();
  accepted(await tenant.incoming(number, { contactId: "crash", message: "satu" }));
  accepted(await tenant.incoming(number, { contactId: "crash", message: "dua" }));
  await poll(
    () => Promise.resolve(zendesk.conversations.length),
    (count) => count === 1,
    "the conversation",
  );
  await world.killAndRestart();
  await poll(
    () => Promise.resolve(saidIn(zendesk, number)),
    ([said]) => said?.length === 2,
    "both messages",
    AFTER_RESTART_MS,
  );
  expect(saidIn(zendesk, number)).toEqual([["satu", "dua"]]);
  expect(zendesk.users.size).toBe(1);
});
