import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { Ticket } from "../../../src/index";
import {
  accepted,
  alarmOf,
  call,
  close,
  fresh,
  incoming,
  operator,
  outgoing,
  registerTenant,
  status,
  ticketOf,
  tokenOf,
  untilView,
  useFarEnds,
  viewOf,
  type Sent,
} from "../world";

/** What people say is in no row, and is shown and delivered all the same. */

const farEnds = useFarEnds();
/** Longer than an isolate goes by what it has read. */
const FORGET_MS = 31_000;

/** All that an object has stored, as text in which a word is found that stands there in clear, in base64 or in an escaped form. */
async function dump(stub: DurableObjectStub): Promise<string> {
  return runInDurableObject(stub, (_object, { storage }) => {
    const tables = storage.sql
      .exec<{ name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB '_cf_*'")
      .toArray();
    const rows = tables.flatMap(({ name }) => storage.sql.exec(`SELECT * FROM ${name}`).toArray());
    expect(tables.length).toBeGreaterThan(0);
    const values = [...rows.flatMap((row) => Object.values(row)), ...[...storage.kv.list()].flat()];
    return values
      .map((value) => (value instanceof ArrayBuffer ? new TextDecoder("latin1").decode(value) : JSON.stringify(value)))
      .join("\n");
  });
}

async function dumpKv(): Promise<string> {
  const { keys } = await env.DIRECTORY.list();
  const values = await Promise.all(keys.map(async ({ name }) => `${name} ${await env.DIRECTORY.get(name)}`));
  expect(values.length).toBeGreaterThan(0);
  return JSON.stringify(keys) + values.join("\n");
}

/** Every way in which a word may stand in a text. Base64 has three, by where in three bytes the word begins. */
const formsOf = (word: string): string[] => [
  word,
  encodeURIComponent(word),
  word.replaceAll(/./g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`),
  new TextEncoder().encode(word).toHex(),
  ...["", " ", "  "].map((before) => btoa(before + word).slice(before === "" ? 0 : 4, -4)),
];

function expectNoneOf(words: readonly string[], stored: string): void {
  for (const word of words) {
    for (const form of formsOf(word)) expect(stored.toLowerCase()).not.toContain(form.toLowerCase());
  }
}

test("what is looked for in the rows is found there in every form, where it stands in clear", () => {
  const word = "kata-rahasia-1";
  for (const before of ["", "a", "ab"])
    expect(formsOf(word).some((form) => btoa(`${before}${word}!`).includes(form))).toBe(true);
});

const wordsFor = (...names: string[]) => names.map((name) => fresh(`kata-${name}-rahasia`));

test("after a conversation with every kind of message, dead letters, reports and answers that repeat it, no row holds a word that was said", async () => {
  const owner = await registerTenant({
    desk: { type: "native", url: "https://desk.example.com/hook", notifyFailures: true },
  });
  const token = await tokenOf(owner);
  const words = wordsFor("customer", "dead", "waiting", "agent", "lost", "keyed", "partial", "link", "field");
  const [
    customer = "",
    dead = "",
    waiting = "",
    agent = "",
    lost = "",
    keyed = "",
    partial = "",
    link = "",
    field = "",
  ] = words;
  const echo = (code: number, { body }: Sent) => new Response(body, { status: code });
  farEnds.answerWith((sent) => {
    if (sent.body.includes(dead) || (sent.body.includes(lost) && sent.url.includes("bank"))) return echo(422, sent);
    if (sent.body.includes(waiting)) return echo(503, sent);
    return echo(200, sent);
  });
  await accepted(
    incoming(owner, "t", customer, { mediaLink: `https://files.example.com/${link}`, unknown: { field } }),
  );
  await accepted(incoming(owner, "t", dead));
  await accepted(outgoing(token, "t", agent));
  await accepted(outgoing(token, "t", lost));
  await accepted(outgoing(token, "t", keyed, { "idempotency-key": "key" }));
  await accepted(
    call("/v1/outgoing", {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ owner, ticketNumber: "t", messageType: "text", message: partial }),
    }),
  );
  await accepted(close(token, "t"));
  await untilView(owner, "t", ({ lanes, state }) => lanes.toDolphins.waiting === 0 && state === "closed");
  await accepted(incoming(owner, "t", waiting));
  const view = await untilView(owner, "t", ({ lanes }) => lanes.toDesk.nextAttemptAt !== undefined);

  // All of it is there.
  expect(new Set(view.messages.map(({ kind }) => kind))).toEqual(
    new Set(["incoming", "outgoing", "command", "failure"]),
  );
  const shown = JSON.stringify(view);
  for (const word of words) expect(shown).toContain(word);
  expect(view.messages.flatMap(({ attempts }) => attempts).filter(({ answer }) => answer?.includes(dead))).toHaveLength(
    1,
  );
  expect(view.messages.find(({ kind }) => kind === "failure")?.event).toMatchObject({ event: { message: lost } });
  expect(view.messages.find(({ event }) => event["message"] === partial)?.event).toMatchObject({
    channel: "whatsapp",
    customerName: "Farhan Akbar",
  });
  expect(JSON.stringify(await operator("GET", `/tenants/${owner}/dead-letters`))).toContain(lost);
  expect(farEnds.sent.find(({ body }) => body.includes(partial))?.body).toContain("Farhan Akbar");

  await ticketOf(owner, "t").sweep();
  expectNoneOf(words, await dump(ticketOf(owner, "t")));
  expectNoneOf(words, await dump(env.TENANT_INDEX.getByName(owner)));
  expectNoneOf(words, await dumpKv());
  // Who it is about, and what became of it, stays clear.
  expect(await dump(ticketOf(owner, "t"))).toMatch(/Farhan Akbar[^]*"rejected"/);
});

test("a row that was moved to another message, lane or ticket is shown as one that does not open, and is delivered to nobody", async () => {
  const owner = await registerTenant();
  farEnds.answerWith(status(503));
  await accepted(incoming(owner, "t", "one"));
  await accepted(incoming(owner, "t", "two"));
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.nextAttemptAt !== undefined);
  const stub = ticketOf(owner, "t");
  await runInDurableObject(stub, (_ticket, { storage }) =>
    storage.sql.exec("UPDATE message SET event = (SELECT event FROM message WHERE sequence = 2) WHERE sequence = 1"),
  );
  await evictDurableObject(stub);
  farEnds.answerWith(() => Response.json({}));
  farEnds.sent.length = 0;
  await operator("POST", `/tickets/${owner}/t/replay`, { all: true });
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
  const { messages } = await untilView(owner, "t", ({ lanes }) => lanes.toDesk.delivered === 1);
  expect(messages).toMatchObject([
    {
      state: "dead",
      event: {},
      unreadable: "it was changed, or is another message's",
      attempts: [
        {},
        { outcome: "rejected", error: "the message cannot be read: it was changed, or is another message's" },
      ],
    },
    { state: "delivered", event: { message: "two" } },
  ]);
  expect(farEnds.texts()).toEqual(["two"]);
});

test("when a tenant's key is destroyed, what waits ends among the dead letters, and what is there is shown without its words", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const owner = await registerTenant({ delivery: { whenExhausted: "hold" } });
  farEnds.answerWith((sent) => new Response(sent.body, { status: 503 }));
  await accepted(incoming(owner, "t", "Halo"));
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.nextAttemptAt !== undefined);
  await env.REGISTRAR.getByName(`tenant:${owner}`).destroyDataKeys(owner);
  vi.setSystemTime(Date.now() + FORGET_MS);
  const before = farEnds.sent.length;
  const { messages } = await untilView(owner, "t", ({ lanes }) => lanes.toDesk.dead === 1);
  const why = "it is sealed with a key that is no more";
  expect(messages).toMatchObject([
    { unreadable: why, event: {}, attempts: [{ status: 503, error: `HTTP 503: (${why})` }, { outcome: "rejected" }] },
  ]);
  expect(farEnds.sent).toHaveLength(before);
  const { deadLetters } = (await operator("GET", `/tenants/${owner}/dead-letters`)) as { deadLetters: unknown };
  expect(deadLetters).toMatchObject([{ unreadable: why }]);
  // The next message is sealed with another key.
  farEnds.answerWith(() => Response.json({}));
  await accepted(incoming(owner, "t", "Halo lagi"));
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.delivered === 1);
});

test("a message whose key is not to be had waits, and says why", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const owner = await registerTenant();
  farEnds.answerWith(status(503));
  await accepted(incoming(owner, "t", "Halo"));
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.nextAttemptAt !== undefined);
  const stub = ticketOf(owner, "t");
  const kept = (await env.DIRECTORY.get(`key:${owner}`)) ?? "";
  await env.DIRECTORY.delete(`key:${owner}`);
  await evictDurableObject(env.REGISTRAR.getByName(`tenant:${owner}`));
  vi.setSystemTime(Date.now() + FORGET_MS);
  farEnds.answerWith(() => Response.json({}));
  await runDurableObjectAlarm(stub);
  await vi.waitFor(async () => expect(await alarmOf(stub)).not.toBeNull());
  expect(
    (await call(`/admin/tickets/${owner}/t`, { headers: { authorization: `Bearer ${env.ADMIN_TOKEN}` } })).status,
  ).toBe(503);
  await env.DIRECTORY.put(`key:${owner}`, kept);
  const { messages } = await untilView(owner, "t", ({ lanes }) => lanes.toDesk.waiting === 1);
  expect(messages[0]?.attempts.at(-1)).toMatchObject({
    outcome: "retry",
    error: "the relay itself failed: KV does not show the data key",
  });
  vi.setSystemTime(Date.now() + FORGET_MS);
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.delivered === 1);
});

test("the same key with the same event in another order is a repeat, with another event a refusal, also after a restart", async () => {
  const owner = await registerTenant();
  const token = await tokenOf(owner);
  await accepted(incoming(owner, "t", "open"));
  const reply = (fields: Record<string, string>) =>
    call("/v1/outgoing", {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "idempotency-key": "key" },
      body: JSON.stringify(fields),
    });
  const fields = { owner, ticketNumber: "t", messageType: "text", message: "ya" };
  const id = await accepted(reply(fields));
  await evictDurableObject(ticketOf(owner, "t"));
  const again = await reply(Object.fromEntries(Object.entries(fields).toReversed()));
  expect([again.status, again.headers.get("idempotent-replay"), again.headers.get("relay-message-id")]).toEqual([
    200,
    "true",
    id,
  ]);
  expect((await reply({ ...fields, message: "tidak" })).status).toBe(422);
});

/** A row as release 0.1.0 wrote it, under a key. */
async function withRowInClear(message: string) {
  const owner = await registerTenant();
  await accepted(incoming(owner, "t", "open"));
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.delivered === 1);
  const event = JSON.stringify({ owner, ticketNumber: "t", channel: "whatsapp", messageType: "text", message });
  await runInDurableObject(ticketOf(owner, "t"), (_ticket, { storage }) => {
    storage.sql.exec(
      `INSERT INTO message (lane, sequence, id, kind, event, acceptedAtMs, suspectedDuplicate, idempotencyKey)
       VALUES ('toDesk', 2, 'msg_2', 'incoming', ?, ?, 0, 'key')`,
      event,
      Date.now(),
    );
    storage.sql.exec("INSERT INTO idempotency VALUES ('toDesk', 'key', 2, ?)", Date.now() + 60_000);
  });
  await evictDurableObject(ticketOf(owner, "t"));
  return owner;
}

test("a row that a release before stored in clear is shown and delivered, and its key is taken at its word", async () => {
  const owner = await withRowInClear("lama");
  const again = await call("/v1/dolphins/ingress-key-of-main/incoming", {
    method: "POST",
    headers: { "idempotency-key": "key" },
    body: JSON.stringify({ ...JSON.parse(farEnds.sent[0]?.body ?? ""), message: "lama" }),
  });
  expect([again.status, again.headers.get("relay-message-id")]).toEqual([200, "msg_2"]);
  const { messages } = await untilView(owner, "t", ({ lanes }) => lanes.toDesk.delivered === 2);
  expect(messages.at(-1)).toMatchObject({ id: "msg_2", event: { message: "lama" } });
  expect(farEnds.texts()).toEqual(["open", "lama"]);
});

test("while a deploy is under way, an object of the release before is given the event in clear, and a Worker of it is understood", async () => {
  const owner = await registerTenant();
  await accepted(incoming(owner, "t", "by both of today"));
  const acceptSealed = Object.getOwnPropertyDescriptor(Ticket.prototype, "acceptSealed") ?? {};
  // The tests' own stand-in for an object words it otherwise than the platform does, but both name the method.
  Reflect.deleteProperty(Ticket.prototype, "acceptSealed");
  try {
    await accepted(incoming(owner, "t", "to an object of before"));
  } finally {
    Object.defineProperty(Ticket.prototype, "acceptSealed", acceptSealed);
  }
  const event = { owner, ticketNumber: "t", channel: "whatsapp", contactId: "c", customerName: "F" };
  const stored = await ticketOf(owner, "t").accept({
    ...event,
    deskId: owner,
    lane: "toDesk",
    kind: "incoming",
    event: JSON.stringify({ ...event, messageType: "text", message: "from a Worker of before" }),
    idempotencyKey: undefined,
    fromWebhook: false,
  });
  expect(stored).toMatchObject({ ok: true, value: { sequence: 3 } });
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.delivered === 3);
  expect(farEnds.texts()).toEqual(["by both of today", "to an object of before", "from a Worker of before"]);
  expect((await viewOf(owner, "t")).messages.map(({ event: shown }) => shown["message"])).toEqual(farEnds.texts());
});
