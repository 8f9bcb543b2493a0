import { createExecutionContext, evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { app } from "../../../src/app";
import type { Ticket } from "../../../src/index";
import {
  accepted,
  incoming,
  ok,
  operator,
  outgoing,
  registerTenant,
  status,
  ticketOf,
  tokenOf,
  untilView,
  useFarEnds,
  viewOf,
} from "../world";

/** What becomes of a ticket when the ground moves: its object is reset, its storage fails, its clock is set back. */

const farEnds = useFarEnds();
const HOUR_MS = 3600_000;
const LONGEST_WAIT_MS = 720_000;

/** Answers a request with a TICKET namespace whose next call fails, before or after the object has done what it was asked. */
async function askFailing(request: Request, how: { error: object; isDone: boolean }) {
  let calls = 0;
  const failing = (stub: DurableObjectStub<Ticket>) =>
    new Proxy(stub, {
      get: (_stub, name) => async (argument: never) => {
        const ask = () => stub[name as "accept"](argument);
        if (++calls > 1) return ask();
        if (how.isDone) await ask();
        throw Object.assign(new Error("the object was reset"), how.error);
      },
    });
  const TICKET = { getByName: (name: string) => failing(env.TICKET.getByName(name)) } as unknown as typeof env.TICKET;
  const answer = await app.fetch(request, { ...env, TICKET }, createExecutionContext());
  return { answer, calls: () => calls };
}

const RESET = { retryable: true };
const incomingRequest = (owner: string, message: string, headers: Record<string, string> = {}) =>
  new Request("https://relay.example/v1/dolphins/ingress-key-of-main/incoming", {
    method: "POST",
    headers,
    body: JSON.stringify({
      owner,
      ticketNumber: "t",
      channel: "whatsapp",
      accountId: "628128778222",
      contactId: "c",
      messageType: "text",
      message,
      mediaLink: "",
      customerName: "Farhan Akbar",
      createdDate: "2021-04-28T15:39:37.945",
    }),
  });

test.each([
  { isDone: true, headers: {} },
  { isDone: true, headers: { "idempotency-key": "k" } },
  { isDone: false, headers: {} },
])("an event whose object was reset is stored once and answered as if nothing was: %j", async ({ isDone, headers }) => {
  const owner = await registerTenant();
  const { answer, calls } = await askFailing(incomingRequest(owner, "once", headers), { error: RESET, isDone });
  expect(calls()).toBe(2);
  expect([answer.status, answer.headers.get("relay-sequence")]).toEqual([200, "1"]);
  expect(answer.headers.get("idempotent-replay")).toBeNull();
  const view = await untilView(owner, "t", ({ lanes }) => lanes.toDesk.delivered === 1);
  expect(view.messages.map(({ id }) => id)).toEqual([answer.headers.get("relay-message-id")]);
  expect(view.messages[0]?.suspectedDuplicate).toBe(false);
});

test("a Close whose object was reset is stored once, and is no repeat of itself", async () => {
  const owner = await registerTenant();
  await accepted(incoming(owner, "t", "open"));
  const request = new Request("https://relay.example/v1/dolphins/ingress-key-of-main/command", {
    method: "POST",
    body: JSON.stringify({ owner, ticketNumber: "t", channel: "whatsapp", event: "Close" }),
  });
  const { answer } = await askFailing(request, { error: RESET, isDone: true });
  expect([answer.status, answer.headers.get("relay-sequence")]).toEqual([200, "2"]);
  expect(answer.headers.get("idempotent-replay")).toBeNull();
  expect((await viewOf(owner, "t")).lanes.toDesk.accepted).toBe(2);
});

test("an object that has too much to do is not asked again, and neither is one that fails for another reason", async () => {
  const owner = await registerTenant();
  for (const error of [{ retryable: true, overloaded: true }, {}]) {
    const { answer, calls } = await askFailing(incomingRequest(owner, "no"), { error, isDone: false });
    expect([answer.status, calls()]).toEqual([503, 1]);
  }
});

test("a question to an object that was reset is asked once more", async () => {
  const owner = await registerTenant();
  await accepted(incoming(owner, "t", "open"));
  const headers = { authorization: `Bearer ${await tokenOf(owner)}` };
  const request = new Request(`https://relay.example/v1/tickets/t?owner=${owner}`, { headers });
  const { answer } = await askFailing(request, { error: RESET, isDone: false });
  expect(answer.status).toBe(200);
});

/** From now on every statement fails that begins so, until the returned function is called. */
async function failAt(stub: DurableObjectStub<Ticket>, statement: string): Promise<() => Promise<void>> {
  let isFailing = true;
  await runInDurableObject(stub, (_ticket, { storage }) => {
    const exec = storage.sql.exec.bind(storage.sql);
    Object.assign(storage.sql, {
      exec: (sql: string, ...values: SqlStorageValue[]) => {
        if (isFailing && sql.trimStart().startsWith(statement)) throw new Error("the disk is full");
        return exec(sql, ...values);
      },
    });
  });
  return async () => {
    isFailing = false;
  };
}

test.each(["INSERT INTO idempotency", "INSERT INTO ticket", "INSERT INTO message"])(
  "of a first event nothing is stored when %s fails, and the sender may send it again",
  async (statement) => {
    const owner = await registerTenant();
    const stub = ticketOf(owner, "t");
    const isWellAgain = await failAt(stub, statement);
    const key = { "idempotency-key": "key" };
    const send = () => app.fetch(incomingRequest(owner, "once", key), env, createExecutionContext());
    expect((await send()).status).toBe(503);
    const unknown = await app.fetch(
      new Request(`https://relay.example/admin/tickets/${owner}/t`, {
        headers: { authorization: `Bearer ${env.ADMIN_TOKEN}` },
      }),
      env,
      createExecutionContext(),
    );
    expect(unknown.status).toBe(404);
    expect(farEnds.sent).toEqual([]);
    await isWellAgain();
    const answer = await send();
    expect([answer.status, answer.headers.get("relay-sequence")]).toEqual([200, "1"]);
    await evictDurableObject(stub);
    const again = await send();
    expect(again.headers.get("idempotent-replay")).toBe("true");
    await farEnds.until(1);
    expect(farEnds.texts()).toEqual(["once"]);
  },
);

test("of a reply nothing is stored when its key's row fails, and it is no duplicate when it comes again", async () => {
  const owner = await registerTenant();
  const token = await tokenOf(owner);
  await accepted(incoming(owner, "t", "open"));
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.delivered === 1);
  const stub = ticketOf(owner, "t");
  let isWellAgain = await failAt(stub, "INSERT INTO idempotency");
  expect((await outgoing(token, "t", "ya", { "idempotency-key": "key" })).status).toBe(503);
  await isWellAgain();
  isWellAgain = await failAt(stub, "INSERT INTO message");
  expect((await outgoing(token, "t", "ya")).status).toBe(503);
  await isWellAgain();
  await accepted(outgoing(token, "t", "ya"));
  const { messages } = await untilView(owner, "t", ({ lanes }) => lanes.toDolphins.delivered === 1);
  expect(messages.filter(({ lane }) => lane === "toDolphins")).toMatchObject([
    { sequence: 1, suspectedDuplicate: false },
  ]);
  expect(farEnds.texts()).toEqual(["open", "ya"]);
});

/** A ticket of which a message waits for its second attempt, when the clock is set back by an hour. */
async function setBack({ restarts }: { restarts: boolean }) {
  vi.useFakeTimers({ toFake: ["Date"] });
  const owner = await registerTenant();
  farEnds.answerWith(status(503));
  await accepted(incoming(owner, "t", "waits"));
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.nextAttemptAt !== undefined);
  const stub = ticketOf(owner, "t");
  vi.setSystemTime(Date.now() - HOUR_MS);
  if (restarts) await evictDurableObject(stub);
  return { owner, stub };
}

test.each([{ restarts: false }, { restarts: true }])(
  "when the clock is set back, what waits is tried again as soon as anything touches the ticket: %j",
  async (how) => {
    const { owner, stub } = await setBack(how);
    await farEnds.until(1);
    await stub.sweep();
    await farEnds.until(2);
    const { lanes } = await untilView(owner, "t", (view) => view.lanes.toDesk.nextAttemptAt !== undefined);
    const waitMs = Date.parse(lanes.toDesk.nextAttemptAt ?? "") - Date.now();
    expect(waitMs).toBeLessThanOrEqual(LONGEST_WAIT_MS);
  },
);

test("when the clock is set back, the sweep finds what waits, and the index hears of it", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const owner = await registerTenant();
  farEnds.answerWith(status(503));
  await accepted(incoming(owner, "t", "waits"));
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.nextAttemptAt !== undefined);
  const stub = ticketOf(owner, "t");
  vi.setSystemTime(Date.now() + 6_000);
  await runDurableObjectAlarm(stub);
  const listed = async () =>
    (await operator("GET", `/tenants/${owner}/tickets?state=waiting`)) as { tickets: { toldAt: string }[] };
  await vi.waitFor(async () => expect((await listed()).tickets).toHaveLength(1));
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.nextAttemptAt !== undefined);
  farEnds.answerWith(ok);
  vi.setSystemTime(Date.now() - HOUR_MS);
  expect(await env.TENANT_INDEX.getByName(owner).sweep(owner, 30 * 24 * HOUR_MS)).toMatchObject({ woken: 1 });
  await vi.waitFor(async () => expect((await viewOf(owner, "t")).lanes.toDesk.delivered).toBe(1));
  await vi.waitFor(async () => {
    vi.setSystemTime(Date.now() + 3_000);
    await runDurableObjectAlarm(stub);
    expect((await listed()).tickets).toEqual([]);
  });
});
