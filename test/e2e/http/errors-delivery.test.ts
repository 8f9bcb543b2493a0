import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type Settings, startRelay, throwawaySettings } from "../../../dev/harness/relay.ts";
import { closeEvent, incomingEvent, outgoingEvent } from "../support/events.ts";
import { accepted, call, refusal } from "../support/http.ts";
import { bearer, newTicketNumber, openTicket } from "../support/tenant.ts";
import { poll } from "../support/timeline.ts";
import { type World, startWorld } from "../support/world.ts";

const LANE_LIMIT = 1_000;
const SENDERS = 20;

let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

describe("409 ticket_closed", () => {
  test("a reply after a Close from either side is refused and not stored", async () => {
    const tenant = await world.tenant();
    for (const close of [tenant.close, tenant.engineClose]) {
      const number = await openTicket(tenant);
      expect(await tenant.reply(number)).toBeAccepted();
      expect(await close(number)).toBeAccepted();
      const before = (await tenant.ticket(number)).lanes.toDolphins.accepted;
      expect(await tenant.reply(number)).toBeRefused(409, "ticket_closed");
      expect(await tenant.signed("/v1/outgoing", outgoingEvent(tenant.owner, number))).toBeRefused(
        409,
        "ticket_closed",
      );
      await tenant.untilTicket(number, ({ state }) => state === "closed", "the ticket to be closed");
      expect(await tenant.reply(number)).toBeRefused(409, "ticket_closed");
      expect((await tenant.ticket(number)).lanes.toDolphins.accepted).toBe(before);
    }
  });

  test("a repeat of a reply accepted before the Close gets its first answer, not 409", async () => {
    const tenant = await world.tenant();
    const number = await openTicket(tenant);
    const headers = { "idempotency-key": "reply-1" };
    const first = accepted(await tenant.reply(number, {}, headers));
    expect(await tenant.close(number)).toBeAccepted();
    const repeat = await tenant.reply(number, {}, headers);
    expect(accepted(repeat)).toEqual(first);
    expect(repeat.headers.get("idempotent-replay")).toBe("true");
  });
});

describe("429 backlog_full", () => {
  test("behind a failing desk a lane takes 1,000 messages and no more, and every other lane goes on", async () => {
    const tenant = await world.tenant();
    tenant.desk.answerWith(() => ({ status: 503, headers: { "retry-after": "600" } }));
    const number = newTicketNumber();
    const first = accepted(await tenant.incoming(number, {}, { "idempotency-key": "first" }));
    let sent = 1;
    const send = async (): Promise<void> => {
      while (sent < LANE_LIMIT) {
        sent += 1;
        expect(await tenant.incoming(number, { message: `pesan ${sent}` })).toBeAccepted();
      }
    };
    await Promise.all(Array.from({ length: SENDERS }, send));

    const full = await tenant.incoming(number, { message: "satu lagi" });
    expect(full).toBeRefused(429, "backlog_full");
    expect(full.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
    const { toDesk } = (await tenant.ticket(number)).lanes;
    expect(toDesk).toMatchObject({
      accepted: LANE_LIMIT,
      waiting: LANE_LIMIT,
      delivered: 0,
      dead: 0,
      blockedBy: first.id,
    });

    const repeat = await tenant.incoming(number, {}, { "idempotency-key": "first" });
    expect(accepted(repeat)).toEqual(first);
    expect(accepted(await tenant.reply(number)).sequence).toBe(1);
    expect(accepted(await tenant.incoming(newTicketNumber())).sequence).toBe(1);
  });
});

describe("502 delivery_failed", () => {
  test("a reply that waits is told the engine's refusal with its status and the beginning of its body", async () => {
    const tenant = await world.tenant();
    const number = await openTicket(tenant);
    const said = `no such contact ${"x".repeat(5_000)}`;
    tenant.engine.answerWith(() => ({
      status: 422,
      body: said,
      headers: { "content-type": "text/plain" },
    }));
    const headers = { prefer: "wait=5", "idempotency-key": "reply-1" };
    const error = refusal(await tenant.reply(number, {}, headers), 502, "delivery_failed");
    expect(error.message).toContain("422");
    expect(error.message).toContain("no such contact");
    expect(error.message.length).toBeLessThan(said.length);

    const dead = (await tenant.ticket(number)).messages.find((message) => message.lane === "toDolphins");
    expect(dead).toMatchObject({ state: "dead", attempts: [{ status: 422 }] });
    expect(await tenant.reply(number, {}, headers)).toBeRefused(502, "delivery_failed");
    expect(tenant.engine.received).toHaveLength(1);
  });

  test("a Close that waits is told of a failure in the body of a 200, and the ticket stays open", async () => {
    const tenant = await world.tenant();
    const number = await openTicket(tenant);
    tenant.engine.answerWith(() => ({
      status: 200,
      body: '{"status":"error","message":"ticket locked"}',
    }));
    const error = refusal(await tenant.close(number, { prefer: "wait=5" }), 502, "delivery_failed");
    expect(error.message).toContain("200");
    expect(error.message).toContain("ticket locked");
    expect((await tenant.ticket(number)).state).toBe("open");
  });
});

describe("503 unavailable", () => {
  const owner = randomUUID();
  const asOperator = (settings: Settings) => ({
    method: "PUT",
    headers: bearer(settings.ADMIN_TOKEN),
    body: {
      dolphins: { baseUrl: "http://127.0.0.1:9", auth: { type: "bearer", token: "hush-hush" } },
      desk: { type: "native", url: "http://127.0.0.1:9/" },
    },
  });
  const asDesk = () => ({
    method: "POST",
    headers: bearer("any"),
    body: outgoingEvent(owner, newTicketNumber()),
  });
  const asDeskByCommand = () => ({
    method: "POST",
    headers: bearer("any"),
    body: closeEvent(owner, newTicketNumber()),
  });
  const asEngine = () => ({ method: "POST", body: incomingEvent(owner, newTicketNumber()) });

  type Requests = (settings: Settings) => [path: string, request: Parameters<typeof call>[1]][];
  const operator: Requests = (settings) => [[`/admin/tenants/${owner}`, asOperator(settings)]];
  const sealed: Requests = (settings) => [
    ...operator(settings),
    ["/v1/outgoing", asDesk()],
    ["/v1/command", asDeskByCommand()],
  ];
  const engine: Requests = (settings) => [
    [`/v1/dolphins/${settings.INGRESS_KEYS.slice("main=".length) || "any"}/incoming`, asEngine()],
  ];

  test.each<[keyof Settings, string | undefined, string, Requests]>([
    ["ADMIN_TOKEN", undefined, "missing", operator],
    ["ADMIN_TOKEN", "", "empty", operator],
    ["MASTER_KEY", undefined, "missing", sealed],
    ["MASTER_KEY", "c2hvcnQta2V5LW9mLXNpeHRlZW4=", "not 32 bytes long", sealed],
    ["MASTER_KEY", "!!! no base64 !!!", "not base64", sealed],
    ["INGRESS_KEYS", undefined, "missing", engine],
    ["INGRESS_KEYS", "a-key-without-a-name", "malformed", engine],
    ["INGRESS_KEYS", "main=fifteen-letters", "too short", engine],
    ["INGRESS_KEYS", "main=a-key-that-is-long-enough,branch=b", "too short in one place", engine],
  ])("while %s is %j (%s), requests that need it fail and the log names it", async (name, value, _, requests) => {
    const settings = throwawaySettings();
    const { [name]: __, ...others } = settings;
    const relay = await startRelay({
      bundle: inject("bundle"),
      settings: value === undefined ? others : { ...others, [name]: value },
    });
    const ingressKey = settings.INGRESS_KEYS.slice("main=".length);
    const known = [settings.ADMIN_TOKEN, settings.MASTER_KEY, ingressKey, "hush-hush", ...(value ? [value] : [])];
    const secretsIn = (text: string): string[] => known.filter((secret) => text.includes(secret));
    try {
      for (const [path, request] of requests({
        ...settings,
        ...(value ? { [name]: value } : {}),
      })) {
        const reply = await call(relay.url + path, request);
        expect(reply).toBeRefused(503, "unavailable");
        expect(secretsIn(reply.text)).toEqual([]);
      }
      expect((await call(`${relay.url}/healthz`)).body).toEqual({ status: "success" });
      // A log line reaches the test by another way than the answer does.
      const read = async (): Promise<string> => relay.logs.join("\n");
      const logged = await poll(read, (lines) => lines.includes(name), `a log line that names ${name}`);
      expect(secretsIn(logged)).toEqual([]);
    } finally {
      await relay.stop();
    }
  });
});
