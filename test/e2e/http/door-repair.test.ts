import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { closeEvent, incomingEvent, outgoingEvent } from "../support/events.ts";
import { accepted, issuePaths, refusal } from "../support/http.ts";
import { sendRaw } from "../support/raw.ts";
import { type Tenant, bearer, newTicketNumber, openTicket } from "../support/tenant.ts";
import { type World, startWorld } from "../support/world.ts";

/** Events as Java senders write them, and what the far end then receives. */

let world: World;
let tenant: Tenant;
beforeAll(async () => {
  world = await startWorld();
  tenant = await world.tenant();
});
afterAll(() => world.stop());

type Fields = Record<string, unknown>;

/** Sends the sample with these fields, and with others as JSON text, and gives what the desk receives, parsed and as text. */
async function received(fields: Fields, json = ""): Promise<{ event: Fields; text: string }> {
  const number = newTicketNumber();
  const sample = JSON.stringify(incomingEvent(tenant.owner, number, fields)).slice(0, -1);
  const body = `${sample}${json === "" ? "" : `,${json}`}}`;
  expect(await sendRaw(world.relay().url, { path: `/v1/dolphins/${world.ingressKey}/incoming`, body })).toBeAccepted();
  const all = await tenant.desk.until((some) => some.some((one) => one.body.includes(number)), "the event");
  const text = all.find((one) => one.body.includes(number))?.body ?? "";
  return { event: JSON.parse(text) as Fields, text };
}

async function problems(fields: Fields): Promise<string[]> {
  return issuePaths(refusal(await tenant.incoming(newTicketNumber(), fields), 422, "invalid_event"));
}

const OPTIONAL = ["accountId", "contactId", "mediaLink", "customerName", "createdDate", "groupId", "language"];
const KEPT = ["ticketNumber", "channel", "owner", "messageType"];

describe("an Incoming Event", () => {
  test("an Incoming Event may have null for an empty field", async () => {
    const fields = Object.fromEntries(OPTIONAL.map((field) => [field, null]));
    const { event } = await received(fields);
    expect(event).toMatchObject(Object.fromEntries(OPTIONAL.map((field) => [field, ""])));
    const image = { messageType: "image", message: null, mediaLink: "https://m.example/1" };
    expect((await received(image)).event["message"]).toBe("");
    for (const field of KEPT) expect(await problems({ [field]: null })).toEqual([field]);
  });

  test("an Incoming Event may have numbers and booleans for texts, which keep every digit", async () => {
    const { event } = await received(
      {},
      '"accountId":628128778222123456789,"contactId":7,"customerName":true,"message":1.50',
    );
    expect(event).toMatchObject({
      accountId: "628128778222123456789",
      contactId: "7",
      customerName: "true",
      message: "1.50",
    });
    for (const field of KEPT) expect(await problems({ [field]: 7 })).toEqual([field]);
  });

  test("an Incoming Event may have a text that no store can hold", async () => {
    const unknown = String.raw`"more":{"k\u0000":["\u0001x","\ud800"]}`;
    const { event, text } = await received({ message: "a\u0000b\u001f\ud83d c\n👍" }, unknown);
    expect(event).toMatchObject({ message: "ab\ufffd c\n👍", more: { k: ["x", "\ufffd"] } });
    expect(text).not.toMatch(/\\u00[01]|\\ud[89a-f]/i);
  });

  test.each([
    ["-5.0E-4,109.3222", "-0.0005,109.3222"],
    ["1.0E-5, +1.093222E2", "0.00001,109.3222"],
    ["-0.0E0,9.0E-9", "0,0.000000009"],
    ["-6.2088, 106.8456", "-6.2088, 106.8456"],
  ])("an Incoming Event may have a place as Java prints doubles: %s", async (message, plain) => {
    expect((await received({ messageType: "Location", message })).event["message"]).toBe(plain);
  });

  test.each([
    [" https://m.example/Surat Kuasa (1).pdf ", "https://m.example/Surat%20Kuasa%20(1).pdf"],
    ['HTTPS://M.example:443/"a"|b?c=d e', "https://m.example/%22a%22|b?c=d%20e"],
    ["https://bücher.example/é", "https://xn--bcher-kva.example/%C3%A9"],
  ])("an Incoming Event may have a link with signs that no URL has: %s", async (mediaLink, written) => {
    expect((await received({ messageType: "file", mediaLink })).event["mediaLink"]).toBe(written);
  });

  test("an Incoming Event may be as long as an e-mail with a presigned link, in UTF-16 units, and no longer", async () => {
    const link = (length: number) => "https://m.example/".padEnd(length, "x");
    const most = { messageType: "file", message: "👍".repeat(32_768), mediaLink: link(8_192) };
    expect((await received(most)).event).toMatchObject(most);
    expect(await problems({ ...most, message: `${most.message}x` })).toEqual(["message"]);
    expect(await problems({ ...most, mediaLink: link(8_193) })).toEqual(["mediaLink"]);
    expect(await problems({ customerName: "👍".repeat(513) })).toEqual(["customerName"]);
    expect(await problems({ channel: "👍".repeat(65) })).toEqual(["channel"]);
  });
});

/** What the engine receives of the reply that `send` makes to a new ticket. */
async function arrived(number: string): Promise<Fields> {
  const all = await tenant.engine.until((some) => some.some((one) => one.body.includes(number)), "the reply");
  return JSON.parse(all.findLast((one) => one.body.includes(number))?.body ?? "{}") as Fields;
}
const reply = (event: unknown, headers: Record<string, string> = {}) =>
  world.call("/v1/outgoing", { method: "POST", body: event, headers: { ...bearer(tenant.token), ...headers } });

describe("a reply", () => {
  test("a reply gets from its ticket what it leaves out", async () => {
    const number = await openTicket(tenant);
    expect(await tenant.incoming(number, { channel: "telegrambot", customerName: "Siti" })).toBeAccepted();
    const least = { ticketNumber: number, owner: tenant.owner, messageType: "text", message: "ok" };
    expect(await reply(least)).toBeAccepted();
    const complete = { ...least, channel: "telegrambot", customerName: "Siti", mediaLink: "" };
    expect(await arrived(number)).toEqual(complete);
    const { messages } = await tenant.ticket(number, "?lane=toDolphins");
    expect(messages.at(-1)?.event).toEqual(complete);
    expect(await tenant.signed("/v1/outgoing", { ...least, message: "signed" })).toBeAccepted();
  });

  test("a reply keeps what it says itself, though it is empty", async () => {
    const number = await openTicket(tenant);
    const event = outgoingEvent(tenant.owner, number, { channel: "x", customerName: null });
    expect(await reply(event)).toBeAccepted();
    expect(await arrived(number)).toEqual({ ...event, customerName: "" });
  });

  test("a reply without an owner names its channel, and with a file its link", async () => {
    const number = await openTicket(tenant);
    const least = { ticketNumber: number, messageType: "text", message: "ok" };
    expect(issuePaths(refusal(await reply(least), 422, "invalid_event"))).toEqual(["channel"]);
    expect(await reply({ ...least, channel: "whatsapp" })).toBeAccepted();
    const file = { ...least, owner: tenant.owner, messageType: "file" };
    expect(issuePaths(refusal(await reply(file), 422, "invalid_event"))).toEqual(["mediaLink"]);
  });

  test("a reply of an unknown ticket opens none by leaving out its channel", async () => {
    const least = { ticketNumber: newTicketNumber(), owner: tenant.owner, messageType: "text", message: "ok" };
    expect(await reply(least)).toBeRefused(404, "unknown_ticket");
  });
});

describe("an idempotency key", () => {
  test("the same event in other words may come again under its idempotency key", async () => {
    const number = await openTicket(tenant);
    const key = { "idempotency-key": `key-${number}` };
    const event = outgoingEvent(tenant.owner, number, { more: { a: 1, b: [{ c: 2, d: 3 }] }, groupId: null });
    const first = accepted(await reply(event, key));
    const { channel: _, customerName: __, mediaLink: ___, ...partial } = event;
    const again: Fields[] = [
      Object.fromEntries(Object.entries(event).toReversed()),
      { ...event, more: { b: [{ d: 3, c: 2 }], a: 1 } },
      { ...event, message: `\u0000${String(event["message"])}`, mediaLink: "  ", groupId: "" },
      partial,
    ];
    for (const same of again) {
      const replay = await reply(same, key);
      expect(accepted(replay)).toEqual(first);
      expect(replay.headers.get("idempotent-replay")).toBe("true");
    }
    expect(await tenant.incoming(number, { customerName: "Another" })).toBeAccepted();
    expect(accepted(await reply(partial, key))).toEqual(first);
    const others: Fields[] = [
      { ...event, message: "something else" },
      { ...event, more: { a: 1, b: [{ c: 2, d: 4 }] } },
    ];
    for (const other of others) expect(await reply(other, key)).toBeRefused(422, "idempotency_mismatch");
    expect((await tenant.ticket(number)).lanes.toDolphins.accepted).toBe(1);
  });

  test("what the repair makes the same may come again under its idempotency key at the engine's door", async () => {
    const number = newTicketNumber();
    const key = { "idempotency-key": `key-${number}` };
    const place = { messageType: "Location", message: "-5.0E-4,109.3222" };
    const first = accepted(await tenant.incoming(number, place, key));
    const same = { messageType: "location", message: "-0.0005,109.3222", groupId: null };
    expect(accepted(await tenant.incoming(number, same, key))).toEqual(first);
  });
});

test("a Close with a null and controls in it is a Close", async () => {
  const number = await openTicket(tenant);
  const close = closeEvent(tenant.owner, number, { customerName: null, event: "clo\u0000se" });
  expect(
    await world.call("/v1/command", { method: "POST", body: close, headers: bearer(tenant.token) }),
  ).toBeAccepted();
  expect(await arrived(number)).toEqual({ ...close, customerName: "", event: "Close" });
});
