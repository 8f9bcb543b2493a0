import { afterAll, beforeAll, expect, test } from "vitest";
import type { FarEnd } from "../../../dev/fakes/far-end.ts";
import { closeEvent, incomingEvent, outgoingEvent } from "../support/events.ts";
import { accepted } from "../support/http.ts";
import { type Tenant, bearer, newTicketNumber, openTicket } from "../support/tenant.ts";
import { type World, startWorld } from "../support/world.ts";

let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

/** The body that arrived last, once `count` have arrived. */
async function arrival(far: FarEnd, count = 1): Promise<unknown> {
  const received = await far.until((all) => all.length >= count, `${count} requests`);
  return JSON.parse(received[count - 1]?.body ?? "null");
}

test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
  ["the documented sample as it came", {}, {}],
  ["an unknown channel as it came", { channel: "Kanal Baru/v2" }, { channel: "Kanal Baru/v2" }],
  [
    "location as Location",
    { messageType: "location", message: "-6.2,106.8" },
    { messageType: "Location", message: "-6.2,106.8" },
  ],
  ["TEXT as text", { messageType: "TEXT" }, { messageType: "text" }],
  [
    "Image as image",
    { messageType: "Image", message: "", mediaLink: "https://media.example/a b.jpg" },
    { messageType: "image", message: "", mediaLink: "https://media.example/a%20b.jpg" },
  ],
  ["an emoji and a line break as they came", { message: "baik 👍🏽\nok" }, { message: "baik 👍🏽\nok" }],
])("what the desk receives is %s", async (_, given, expected) => {
  const tenant = await world.tenant();
  const number = newTicketNumber();
  expect(await tenant.incoming(number, given)).toBeAccepted();
  expect(await arrival(tenant.desk)).toEqual(incomingEvent(tenant.owner, number, expected));
  expect(tenant.desk.received[0]?.headers["content-type"]).toMatch(/^application\/json/);
});

test("what the desk receives is groupId and language in the lower-case form where the engine wrote GroupId and Language", async () => {
  const tenant = await world.tenant();
  const number = newTicketNumber();
  const { groupId: _, language: __, ...sample } = incomingEvent(tenant.owner, number);
  const post = (body: unknown) => world.call(`/v1/dolphins/${world.ingressKey}/incoming`, { method: "POST", body });
  expect(await post({ ...sample, GroupId: "vip", Language: "id" })).toBeAccepted();
  expect(await arrival(tenant.desk, 1)).toEqual({ ...sample, groupId: "vip", language: "id" });
  expect(await post(sample)).toBeAccepted();
  expect(await arrival(tenant.desk, 2)).toEqual(sample);
});

test("what the desk receives is the tenant's own word for a sticker, as a text", async () => {
  const tenant = await world.tenant({ record: { stickerText: "Gambar tempel" } });
  const number = newTicketNumber();
  expect(await tenant.incoming(number, { messageType: "Sticker", message: "" })).toBeAccepted();
  expect(await arrival(tenant.desk)).toMatchObject({
    messageType: "text",
    message: "Gambar tempel",
  });
});

test("what the desk receives is every unknown field untouched, nested ones included", async () => {
  const tenant = await world.tenant();
  const number = newTicketNumber();
  const unknown = {
    Priority: "high",
    extra: { a: [1, { b: null, ü: "é" }], empty: {}, GroupId: "inner", messageType: "TEXT" },
    flags: [true, false, 1.5, -0.25, "💬"],
    nothing: null,
  };
  expect(await tenant.incoming(number, unknown)).toBeAccepted();
  expect(await arrival(tenant.desk)).toEqual(incomingEvent(tenant.owner, number, unknown));
});

test("what the desk receives comes the same way when the path is spelt with an escape", async () => {
  const tenant = await world.tenant();
  const body = incomingEvent(tenant.owner, newTicketNumber());
  const path = `/v1/%64olphins/${world.ingressKey}/incoming`;
  expect(await world.call(path, { method: "POST", body })).toBeAccepted();
  expect(await arrival(tenant.desk)).toEqual(body);
});

test("what the desk receives comes the same way by sendMessage and incomingMessage", async () => {
  const tenant = await world.tenant();
  const number = newTicketNumber();
  for (const [index, route] of ["sendMessage", "incomingMessage"].entries()) {
    const body = incomingEvent(tenant.owner, number, { message: route });
    expect(await world.call(`/v1/dolphins/${world.ingressKey}/${route}`, { method: "POST", body })).toBeAccepted();
    expect(await arrival(tenant.desk, index + 1)).toEqual(body);
  }
});

test("what the engine receives is the desk's event with unknown fields, at the tenant's own paths", async () => {
  const tenant = await world.tenant({
    dolphins: { outgoingPath: "/dolphin/in?x=1", commandPath: "/dolphin/cmd" },
  });
  const number = await openTicket(tenant);
  const fields = {
    messageType: "LOCATION",
    message: "-6.2,106.8",
    channel: "Kanal Baru",
    agent: { id: 7 },
  };
  const reply = accepted(await tenant.reply(number, fields));
  expect(await arrival(tenant.engine, 1)).toEqual(
    outgoingEvent(tenant.owner, number, { ...fields, messageType: "Location" }),
  );
  expect(await tenant.close(number)).toBeAccepted();
  expect(await arrival(tenant.engine, 2)).toEqual(closeEvent(tenant.owner, number));
  expect(tenant.engine.received.map(({ path }) => path)).toEqual(["/dolphin/in?x=1", "/dolphin/cmd"]);
  expect(tenant.engine.received[0]).toMatchObject({
    method: "POST",
    headers: { "relay-message-id": reply.id, "relay-sequence": "1", "relay-attempt": "1" },
  });
});

test("what the engine receives has the owner that the desk left out", async () => {
  const tenant = await world.tenant();
  const number = await openTicket(tenant);
  const headers = bearer(tenant.token);
  expect(
    await world.call("/v1/outgoing", {
      method: "POST",
      body: outgoingEvent(undefined, number),
      headers,
    }),
  ).toBeAccepted();
  expect(await arrival(tenant.engine, 1)).toEqual(outgoingEvent(tenant.owner, number));
  expect(
    await world.call("/v1/command", {
      method: "POST",
      body: closeEvent(undefined, number),
      headers,
    }),
  ).toBeAccepted();
  expect(await arrival(tenant.engine, 2)).toEqual(closeEvent(tenant.owner, number));
});

test.each<[string, Record<string, unknown>, Record<string, string | undefined>]>([
  ["none", { type: "none" }, { authorization: undefined }],
  ["bearer", { type: "bearer", token: "rahasia" }, { authorization: "Bearer rahasia" }],
  [
    "basic",
    { type: "basic", username: "bank", password: "pä:ss" },
    { authorization: `Basic ${Buffer.from("bank:pä:ss").toString("base64")}` },
  ],
  [
    "header",
    { type: "header", name: "X-Api-Key", value: "rahasia" },
    { "x-api-key": "rahasia", authorization: undefined },
  ],
])("dolphins.auth %s is what the engine sees on replies and commands", async (_, auth, expected) => {
  const tenant = await world.tenant({ dolphins: { auth } });
  const number = await openTicket(tenant);
  expect(await tenant.reply(number)).toBeAccepted();
  expect(await tenant.close(number)).toBeAccepted();
  const received = await tenant.engine.until((all) => all.length === 2, "reply and Close");
  for (const { headers } of received) {
    for (const [name, value] of Object.entries(expected)) expect(headers[name]).toBe(value);
  }
});

const LOGIN = "/dolphin/apiv1/graph/auth";
const IN_AN_HOUR = new Date(Date.now() + 3_600_000 + 7 * 3_600_000).toISOString().replace("Z", "+07:00[Asia/Jakarta]");
const auth = { type: "login", username: "bank", password: "rahasia" };

/** An engine that issues token-1, token-2 … and takes those that `good` names. */
async function tenantWithLogin(
  good: (token: string) => boolean,
  { expireAt = IN_AN_HOUR, refusal = 401 } = {},
): Promise<Tenant> {
  const tenant = await world.tenant({ dolphins: { auth } });
  let issued = 0;
  tenant.engine.answerWith(({ path, headers }) => {
    if (path === LOGIN) {
      issued += 1;
      return { status: 200, body: JSON.stringify({ token: `token-${issued}`, expireAt }) };
    }
    return { status: good(headers["authorization"]?.replace("Bearer ", "") ?? "") ? 200 : refusal };
  });
  return tenant;
}
const paths = ({ engine }: Tenant): string[] => engine.received.map(({ path }) => path);
const tokens = ({ engine }: Tenant) =>
  engine.received.filter(({ path }) => path !== LOGIN).map(({ headers }) => headers["authorization"]);

test("dolphins.auth login logs in once with user name and password and uses the token for what follows", async () => {
  const tenant = await tenantWithLogin(() => true);
  const number = await openTicket(tenant);
  expect(await tenant.reply(number)).toBeAccepted();
  expect(await tenant.reply(number, { message: "lagi" })).toBeAccepted();
  await tenant.engine.until((received) => received.length === 3, "one login and two replies");
  expect(paths(tenant)).toEqual([LOGIN, "/outgoing", "/outgoing"]);
  expect(tokens(tenant)).toEqual(["Bearer token-1", "Bearer token-1"]);
  const [login] = tenant.engine.received;
  expect(login?.method).toBe("POST");
  expect(JSON.parse(login?.body ?? "")).toEqual({ username: "bank", password: "rahasia" });
});

test.each([401, 403, 419, 498, 302])(
  "a token refused by %i is replaced by a fresh one and the reply tried once more, at once and under its id",
  async (refusal) => {
    const tenant = await tenantWithLogin((token) => token !== "token-1", { refusal });
    const number = await openTicket(tenant);
    const reply = await tenant.reply(number, {}, { prefer: "wait=10" });
    expect(reply.headers.get("relay-delivery")).toBe("delivered");
    expect(paths(tenant)).toEqual([LOGIN, "/outgoing", LOGIN, "/outgoing"]);
    expect(tokens(tenant)).toEqual(["Bearer token-1", "Bearer token-2"]);
    const ids = tenant.engine.received.flatMap(({ headers }) => headers["relay-message-id"] ?? []);
    expect(ids).toEqual([accepted(reply).id, accepted(reply).id]);
  },
);

test("an engine that refuses every token is not logged in to for every reply", async () => {
  const tenant = await tenantWithLogin(() => false, { refusal: 403 });
  const number = await openTicket(tenant);
  for (const message of ["satu", "dua", "tiga"]) accepted(await tenant.reply(number, { message }));
  const ticket = await tenant.untilTicket(number, ({ lanes }) => lanes.toDolphins.dead === 3, "the dead letters");
  expect(paths(tenant)).toEqual([LOGIN, "/outgoing", LOGIN, "/outgoing", "/outgoing", "/outgoing"]);
  const replies = ticket.messages.filter(({ lane }) => lane === "toDolphins");
  expect(replies.map(({ attempts }) => attempts.map(({ status }) => status))).toEqual([[403], [403], [403]]);
});

test("a fresh token that is refused as well puts the reply among the dead letters", async () => {
  const tenant = await tenantWithLogin(() => false);
  const number = await openTicket(tenant);
  expect(await tenant.reply(number)).toBeAccepted();
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDolphins.dead === 1, "the dead letter");
  expect(paths(tenant)).toEqual([LOGIN, "/outgoing", LOGIN, "/outgoing"]);
});

test.each([
  ["in the past", -3_600_000],
  ["now", 0],
  ["a minute ahead", 60_000],
])("a token that expires %s is used all the same: some clock or zone is wrong", async (_when, aheadMs) => {
  const expireAt = new Date(Date.now() + aheadMs).toISOString();
  const tenant = await tenantWithLogin(() => true, { expireAt });
  const number = await openTicket(tenant);
  for (const message of ["satu", "dua"]) {
    const reply = await tenant.reply(number, { message }, { prefer: "wait=10" });
    expect(reply.headers.get("relay-delivery")).toBe("delivered");
  }
  expect(tokens(tenant)).toEqual(["Bearer token-1", "Bearer token-1"]);
});

test("a login service that is down only delays the reply", async () => {
  const tenant = await world.tenant({ dolphins: { auth } });
  tenant.engine.answerWith(({ path }, index) => {
    if (path !== LOGIN) return { status: 200 };
    return index === 0
      ? { status: 503 }
      : { status: 200, body: JSON.stringify({ token: "token-1", expireAt: IN_AN_HOUR }) };
  });
  const number = await openTicket(tenant);
  expect(await tenant.reply(number)).toBeAccepted();
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDolphins.delivered === 1, "the delivery");
  expect(paths(tenant)).toEqual([LOGIN, LOGIN, "/outgoing"]);
});
