import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { brokenSample, closeEvent, incomingEvent, outgoingEvent } from "../support/events.ts";
import { accepted, issuePaths, refusal } from "../support/http.ts";
import { type Tenant, bearer, newTicketNumber, openTicket } from "../support/tenant.ts";
import { type World, startWorld } from "../support/world.ts";

const MAX_BODY_BYTES = 256 * 1_024;

let world: World;
let tenant: Tenant;

beforeAll(async () => {
  world = await startWorld();
  tenant = await world.tenant();
});
afterAll(() => world.stop());

const incomingPath = (): string => `/v1/dolphins/${world.ingressKey}/incoming`;
const incoming = (body: unknown) => world.call(incomingPath(), { method: "POST", body });

/** The number names no ticket: nothing of what was refused has been stored. */
async function expectNoTicket(ticketNumber: string): Promise<void> {
  expect(await world.admin("GET", `/admin/tickets/${tenant.owner}/${ticketNumber}`)).toBeRefused(404, "unknown_ticket");
}

describe("400 invalid_json", () => {
  test("the documentation's broken sample is told line, column and smart quotes", async () => {
    const number = newTicketNumber();
    const error = refusal(await incoming(brokenSample(number)), 400, "invalid_json");
    expect(error.message).toMatch(/line 2\b.*column 3\b/i);
    expect(error.message).toMatch(/smart quotes/i);
    await expectNoTicket(number);
  });

  test("a missing comma is told its place, and nothing about quotes", async () => {
    const number = newTicketNumber();
    const body = `{\n  "ticketNumber": "${number}"\n  "channel": "whatsapp"\n}`;
    const error = refusal(await incoming(body), 400, "invalid_json");
    expect(error.message).toMatch(/line 3\b.*column 3\b/i);
    expect(error.message).not.toMatch(/smart/i);
    await expectNoTicket(number);
  });

  test.each([
    '{"a":1,}',
    "{'a':1}",
    "{a:1}",
    '{"a":NaN}',
    '{"a":01}',
    '{"a":1.}',
    '{"a":.5}',
    '{"a":+1}',
    '{"a":"one\ntwo"}',
    '{"a":"\\x"}',
    '{"a":1} {"b":2}',
    '// note\n{"a":1}',
    '{"a":1',
    '{\u00a0"a":1}',
  ])("the fault of %j is told its line and column", async (body) => {
    expect(refusal(await incoming(body), 400, "invalid_json").message).toMatch(/line \d+, column \d+/);
  });

  test("smart quotes inside a well formed text are no fault", async () => {
    expect(await tenant.incoming(newTicketNumber(), { message: "dia bilang “halo”" })).toBeAccepted();
  });

  test.each(["", "   ", "{", "status=success"])(
    "the body %j is refused on every route that takes events",
    async (body) => {
      const number = await openTicket(tenant);
      expect(await incoming(body)).toBeRefused(400, "invalid_json");
      for (const path of ["/v1/outgoing", "/v1/command"]) {
        expect(await world.call(path, { method: "POST", body, headers: bearer(tenant.token) })).toBeRefused(
          400,
          "invalid_json",
        );
      }
      const { lanes } = await tenant.ticket(number);
      expect([lanes.toDesk.accepted, lanes.toDolphins.accepted]).toEqual([1, 0]);
    },
  );

  test("a tenant record that is not JSON is refused and changes nothing", async () => {
    const before = await world.admin("GET", `/admin/tenants/${tenant.owner}`);
    expect(await world.admin("PUT", `/admin/tenants/${tenant.owner}`, "{”name”: 1}")).toBeRefused(400, "invalid_json");
    expect((await world.admin("GET", `/admin/tenants/${tenant.owner}`)).text).toBe(before.text);
  });
});

describe("422 invalid_event", () => {
  test("an empty Incoming Event gets one issue for each mandatory field", async () => {
    const error = refusal(await incoming({}), 422, "invalid_event");
    expect(issuePaths(error)).toEqual([
      "accountId",
      "channel",
      "contactId",
      "createdDate",
      "customerName",
      "mediaLink",
      "message",
      "messageType",
      "owner",
      "ticketNumber",
    ]);
  });

  test("an empty Outgoing Event and Command get one issue for each mandatory field, the owner excepted", async () => {
    const headers = bearer(tenant.token);
    const outgoing = refusal(
      await world.call("/v1/outgoing", { method: "POST", body: {}, headers }),
      422,
      "invalid_event",
    );
    expect(issuePaths(outgoing)).toEqual(["channel", "message", "messageType", "ticketNumber"]);
    const command = refusal(
      await world.call("/v1/command", { method: "POST", body: {}, headers }),
      422,
      "invalid_event",
    );
    expect(issuePaths(command)).toEqual(["channel", "event", "ticketNumber"]);
  });

  test("an engine's Command without owner is refused for it", async () => {
    const number = await openTicket(tenant);
    const reply = await world.call(`/v1/dolphins/${world.ingressKey}/command`, {
      method: "POST",
      body: closeEvent(undefined, number),
    });
    expect(issuePaths(refusal(reply, 422, "invalid_event"))).toEqual(["owner"]);
    expect((await tenant.ticket(number)).state).toBe("open");
  });

  test("a field with two faults still gets one issue", async () => {
    const error = refusal(await incoming(incomingEvent(tenant.owner, `\n${"9".repeat(200)}`)), 422, "invalid_event");
    expect(issuePaths(error)).toEqual(["ticketNumber"]);
  });

  test.each([
    ["channel", "c".repeat(129)],
    ["channel", "web\nchat"],
    ["channel", ""],
    ["owner", "o".repeat(129)],
    ["message", "m".repeat(65_537)],
    ["mediaLink", `https://media.example/${"l".repeat(8_192)}`],
    ["customerName", "n".repeat(1_025)],
    ["accountId", "a".repeat(1_025)],
    ["contactId", "a".repeat(1_025)],
    ["messageType", "fax"],
    ["messageType", 7],
    ["message", null],
  ])("a %s beyond what is allowed is named, and no ticket is opened", async (field, value) => {
    const number = newTicketNumber();
    const error = refusal(await tenant.incoming(number, { [field]: value }), 422, "invalid_event");
    expect(issuePaths(error)).toEqual([field]);
    await expectNoTicket(number);
  });

  test("fields exactly as long as is allowed are accepted", async () => {
    expect(
      await tenant.incoming("T".repeat(128), {
        channel: "c".repeat(128),
        message: "m".repeat(8_192),
        mediaLink: "https://media.example/".padEnd(2_048, "l"),
        customerName: "n".repeat(1_024),
      }),
    ).toBeAccepted();
  });

  test.each([[[]], ["Halo"], [7], [null]])("the JSON body %j, no object, is refused", async (body) => {
    expect(await incoming(JSON.stringify(body))).toBeRefused(422, "invalid_event");
  });

  test("a Command other than Close is refused and the ticket stays open", async () => {
    const number = await openTicket(tenant);
    const body = closeEvent(tenant.owner, number, { event: "Transfer" });
    const reply = await world.call("/v1/command", {
      method: "POST",
      body,
      headers: bearer(tenant.token),
    });
    expect(issuePaths(refusal(reply, 422, "invalid_event"))).toEqual(["event"]);
    expect((await tenant.ticket(number)).state).toBe("open");
  });
});

describe("404 not_found and 405 method_not_allowed", () => {
  test.each(["/v1", "/v2/outgoing", "/v1/outgoing/more", "/admin", "/healthz/deep"])(
    "the route %s is there for nobody",
    async (path) => {
      expect(await world.admin("GET", path)).toBeRefused(404, "not_found");
    },
  );

  test("an unknown path behind a good ingress key is not found, and opens nothing", async () => {
    const number = newTicketNumber();
    const body = incomingEvent(tenant.owner, number);
    expect(await world.call(`/v1/dolphins/${world.ingressKey}/inbox`, { method: "POST", body })).toBeRefused(
      404,
      "not_found",
    );
    await expectNoTicket(number);
  });

  test.each([
    ["DELETE", "/healthz", ["GET"]],
    ["GET", "/v1/outgoing", ["POST"]],
    ["PUT", "/v1/command", ["POST"]],
    ["POST", "/v1/tickets/any", ["GET"]],
    ["GET", "INGRESS/incoming", ["POST"]],
    ["GET", "INGRESS/command", ["POST"]],
    ["POST", "/admin/tenants", ["GET"]],
    ["POST", "/admin/tenants/any", ["DELETE", "GET", "PUT"]],
    ["PUT", "/admin/tenants/any/credentials", ["GET"]],
    ["GET", "/admin/tenants/any/credentials/rotate", ["POST"]],
    ["DELETE", "/admin/tickets/any/any", ["GET"]],
    ["GET", "/admin/tickets/any/any/replay", ["POST"]],
  ])("%s %s is answered 405 with the methods there are", async (method, path, allowed) => {
    const headers = bearer(path.startsWith("/admin") ? world.settings.ADMIN_TOKEN : tenant.token);
    const url = path.replace("INGRESS", `/v1/dolphins/${world.ingressKey}`);
    const reply = await world.call(url, { method, headers });
    expect(reply).toBeRefused(405, "method_not_allowed");
    const allow = (reply.headers.get("allow") ?? "").split(/\s*,\s*/);
    expect(allow.filter((name) => name !== "HEAD" && name !== "OPTIONS").toSorted()).toEqual(allowed);
  });
});

describe("413 too_large", () => {
  const padded = (event: unknown, bytes: number): string => JSON.stringify(event).padEnd(bytes, " ");
  const inChunks = (text: string): ReadableStream<Uint8Array> => {
    const bytes = new TextEncoder().encode(text);
    let at = 0;
    return new ReadableStream({
      pull(controller) {
        if (at >= bytes.length) return controller.close();
        controller.enqueue(bytes.subarray(at, (at += 16_384)));
      },
    });
  };

  test("a body of exactly 256 KiB is accepted, with and without a Content-Length", async () => {
    const number = newTicketNumber();
    const body = padded(incomingEvent(tenant.owner, number), MAX_BODY_BYTES);
    expect(accepted(await incoming(body)).sequence).toBe(1);
    expect(accepted(await incoming(inChunks(body))).sequence).toBe(2);
  });

  test("one byte more is refused by its Content-Length, before any credential is looked at", async () => {
    const number = await openTicket(tenant);
    const body = padded(outgoingEvent(tenant.owner, number), MAX_BODY_BYTES + 1);
    for (const token of [tenant.token, "wrong"]) {
      const reply = await world.call("/v1/outgoing", {
        method: "POST",
        body,
        headers: bearer(token),
      });
      expect(reply).toBeRefused(413, "too_large");
    }
    expect(await world.call("/v1/dolphins/wrong/incoming", { method: "POST", body })).toBeRefused(413, "too_large");
    expect((await tenant.ticket(number)).lanes.toDolphins.accepted).toBe(0);
  });

  test("one byte more is refused in a chunked body too", async () => {
    const number = newTicketNumber();
    const body = padded(incomingEvent(tenant.owner, number), MAX_BODY_BYTES + 1);
    expect(await incoming(inChunks(body))).toBeRefused(413, "too_large");
    await expectNoTicket(number);
  });
});
