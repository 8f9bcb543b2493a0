import { afterAll, beforeAll, expect, test } from "vitest";
import type { Answer, Received } from "../../../dev/fakes/far-end.ts";
import { textOf } from "../support/events.ts";
import { accepted } from "../support/http.ts";
import { newTicketNumber, openTicket } from "../support/tenant.ts";
import { type World, startWorld } from "../support/world.ts";

let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const marks = ({ headers }: Received): [string | undefined, string | undefined] => [
  headers["relay-message-id"] ?? headers["webhook-id"],
  headers["relay-attempt"],
];

/** A 2xx that says failure at its very end: who reads less of it takes it for a success. */
const failing = (bytes: number) => {
  const [head, tail] = [`{"padding":"`, `","status":"error"}`];
  return head + "x".repeat(bytes - head.length - tail.length) + tail;
};

test.each([100, 4_095, 4_096, 4_097, 8_192, 65_535, 65_536])(
  "an answer of %d bytes is read to its end",
  async (bytes) => {
    const body = failing(bytes);
    const tenant = await world.tenant();
    for (const [at, headers] of [{}, { "content-length": String(bytes) }].entries()) {
      tenant.desk.answerWith(() => ({ status: 200, body, headers }));
      const number = newTicketNumber();
      expect(await tenant.incoming(number)).toBeAccepted();
      const { messages } = await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.waiting === 0, "its end");
      expect([messages[0]?.state, messages[0]?.attempts[0]?.error?.slice(0, 60)], `with headers ${at}`).toEqual([
        "dead",
        expect.stringContaining("the body says failure"),
      ]);
    }
  },
);

test("an answer of more than 64 KiB is not read to its end, and the next message has its connection", async () => {
  const tenant = await world.tenant();
  tenant.desk.answerWith(() => ({ status: 200, body: failing(65_537) }));
  const number = newTicketNumber();
  for (let n = 0; n < 8; n++) expect(await tenant.incoming(number)).toBeAccepted();
  const { lanes } = await tenant.untilTicket(number, (ticket) => ticket.lanes.toDesk.waiting === 0, "all eight");
  expect(lanes.toDesk).toMatchObject({ delivered: 8, dead: 0 });
});

test("an answer without a body is an answer too", async () => {
  const tenant = await world.tenant();
  const number = newTicketNumber();
  tenant.desk.answerWith((_, index) => ({
    status: index === 0 ? 204 : 200,
    headers: index === 1 ? { "content-length": "0" } : {},
  }));
  for (let n = 0; n < 3; n++) expect(await tenant.incoming(number)).toBeAccepted();
  const { lanes } = await tenant.untilTicket(number, (ticket) => ticket.lanes.toDesk.waiting === 0, "all three");
  expect(lanes.toDesk).toMatchObject({ delivered: 3, dead: 0 });
});

test.each<[string, Answer]>([
  ["503", { status: 503 }],
  ["408", { status: 408 }],
  ["425", { status: 425 }],
  ["429 with Retry-After", { status: 429, headers: { "retry-after": "1" } }],
  ["a status that 2.5 does not name", { status: 409 }],
])(
  "an attempt that fails with %s is tried again under the same id with the next attempt number",
  async (_, failure) => {
    const tenant = await world.tenant();
    const number = await openTicket(tenant);
    tenant.engine.answerWith((_request, index) => (index === 0 ? failure : { status: 200 }));
    const { id } = accepted(await tenant.reply(number, { message: "satu" }));
    expect(await tenant.reply(number, { message: "dua" })).toBeAccepted();
    await tenant.engine.until((received) => received.length === 3, "one failure and two deliveries");
    expect(tenant.engine.received.map(({ body }) => textOf(body))).toEqual(["satu", "satu", "dua"]);
    expect(tenant.engine.received.slice(0, 2).map(marks)).toEqual([
      [id, "1"],
      [id, "2"],
    ]);
    const ticket = await tenant.untilTicket(number, ({ lanes }) => lanes.toDolphins.delivered === 2, "both delivered");
    const retried = ticket.messages.find((message) => message.id === id);
    expect(retried?.attempts.map((attempt) => attempt.status)).toEqual([failure.status, 200]);
  },
);

test("an attempt that fails at the desk is tried again under the same id, signed anew", async () => {
  const tenant = await world.tenant();
  tenant.desk.answerWith((_, index) => ({ status: index === 0 ? 500 : 200 }));
  const { id } = accepted(await tenant.incoming(newTicketNumber()));
  await tenant.desk.until((received) => received.length === 2, "the second attempt");
  expect(tenant.desk.received.map(marks)).toEqual([
    [id, "1"],
    [id, "2"],
  ]);
});

test("while a message waits the timeline says behind what, since when and until when", async () => {
  const tenant = await world.tenant();
  tenant.desk.answerWith(() => ({
    status: 503,
    body: "maintenance",
    headers: { "retry-after": "600" },
  }));
  const number = newTicketNumber();
  const { id } = accepted(await tenant.incoming(number));
  expect(await tenant.incoming(number)).toBeAccepted();
  const { lanes, messages } = await tenant.untilTicket(
    number,
    (ticket) => (ticket.messages[0]?.attempts.length ?? 0) > 0,
    "the first attempt",
  );
  expect(lanes.toDesk).toMatchObject({
    accepted: 2,
    waiting: 2,
    delivered: 0,
    dead: 0,
    blockedBy: id,
  });
  expect(lanes.toDesk.oldestWaitingSince).toBe(messages[0]?.acceptedAt);
  expect(Date.parse(lanes.toDesk.nextAttemptAt ?? "")).toBeGreaterThan(Date.parse(messages[0]?.attempts[0]?.at ?? ""));
  expect(messages[0]?.attempts).toMatchObject([{ status: 503, error: expect.any(String) }]);
  expect(JSON.stringify(messages[0]?.attempts)).toContain("maintenance");
  expect(messages.map(({ state }) => state)).toEqual(["waiting", "waiting"]);
});

test.each<[string, Answer]>([
  ["422", { status: 422 }],
  ["404", { status: 404 }],
  ["a redirect", { status: 302, headers: { location: "/elsewhere" } }],
  ["401 from an engine without login", { status: 401 }],
  ["a 200 that says failed", { status: 200, body: '{"status":"FAILED"}' }],
  ["a 200 that says success false", { status: 200, body: '{"success":false}' }],
  ["a 200 that says 400", { status: 200, body: '{"status":400}' }],
])(
  "a refusal for good (%s) goes to the dead letters after one attempt, and the next message goes through",
  async (_, refused) => {
    const tenant = await world.tenant();
    const number = await openTicket(tenant);
    tenant.engine.answerWith((_request, index) => (index === 0 ? refused : { status: 200 }));
    const { id } = accepted(await tenant.reply(number, { message: "satu" }));
    expect(await tenant.reply(number, { message: "dua" })).toBeAccepted();
    const ticket = await tenant.untilTicket(
      number,
      ({ lanes }) => lanes.toDolphins.delivered === 1,
      "the second reply",
    );
    expect(tenant.engine.received.map(({ body, path }) => [path, textOf(body)])).toEqual([
      ["/outgoing", "satu"],
      ["/outgoing", "dua"],
    ]);
    expect(ticket.lanes.toDolphins).toEqual({ accepted: 2, delivered: 1, waiting: 0, dead: 1 });
    const dead = ticket.messages.find((message) => message.id === id);
    expect(dead).toMatchObject({
      state: "dead",
      attempts: [{ status: refused.status, error: expect.any(String) }],
    });
  },
);

test.each<[string, Answer]>([
  ["no body", { status: 204 }],
  ["a text", { status: 200, body: "error", headers: { "content-type": "text/plain" } }],
  ["a JSON text", { status: 200, body: '"failed"' }],
  ["another word", { status: 202, body: '{"status":"queued"}' }],
  ["a number below 400", { status: 201, body: '{"status":201,"success":true}' }],
])("a 2xx with %s is no refusal", async (_, answer) => {
  const tenant = await world.tenant();
  const number = await openTicket(tenant);
  tenant.engine.answerWith(() => answer);
  expect((await tenant.reply(number, {}, { prefer: "wait=10" })).headers.get("relay-delivery")).toBe("delivered");
});

test("dead letters are replayed in the original order, under the original ids, ahead of what waits", async () => {
  const tenant = await world.tenant();
  const number = await openTicket(tenant);
  tenant.engine.answerWith(({ body }) => (textOf(body).startsWith("mati") ? { status: 422 } : { status: 200 }));
  const dead: string[] = [];
  for (const message of ["mati 1", "mati 2"]) dead.push(accepted(await tenant.reply(number, { message })).id);
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDolphins.dead === 2, "two dead letters");

  tenant.engine.answerWith(() => ({ status: 503, headers: { "retry-after": "600" } }));
  expect(await tenant.reply(number, { message: "menunggu" })).toBeAccepted();
  await tenant.engine.until((received) => received.length === 3, "the attempt that puts the lane to sleep");
  await tenant.untilTicket(number, ({ messages }) => messages.at(-1)?.attempts.length === 1, "its outcome");
  tenant.engine.answerWith(() => ({ status: 200 }));
  expect((await tenant.replay(number, { ids: dead.toReversed() })).body).toMatchObject({
    status: "success",
  });

  await tenant.engine.until((received) => received.length === 6, "both replayed and the one that waited");
  const arrived = tenant.engine.received.slice(3);
  expect(arrived.map(({ body }) => textOf(body))).toEqual(["mati 1", "mati 2", "menunggu"]);
  expect(arrived.slice(0, 2).map((each) => marks(each)[0])).toEqual(dead);
  const { lanes } = await tenant.untilTicket(number, (ticket) => ticket.lanes.toDolphins.waiting === 0, "all settled");
  expect(lanes.toDolphins).toEqual({ accepted: 3, delivered: 3, waiting: 0, dead: 0 });
});

test("all: true replays the dead letters, and what was delivered is not sent again", async () => {
  const tenant = await world.tenant();
  const number = newTicketNumber();
  tenant.desk.answerWith((_, index) => ({ status: index === 1 ? 410 : 200 }));
  for (const message of ["satu", "dua", "tiga"]) accepted(await tenant.incoming(number, { message }));
  await tenant.untilTicket(
    number,
    ({ lanes }) => lanes.toDesk.dead === 1 && lanes.toDesk.delivered === 2,
    "one dead letter",
  );
  expect((await tenant.replay(number, { all: true })).body).toMatchObject({ status: "success" });
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 3, "the replayed one");
  expect(tenant.desk.received.map(({ body }) => textOf(body))).toEqual(["satu", "dua", "tiga", "dua"]);
});
