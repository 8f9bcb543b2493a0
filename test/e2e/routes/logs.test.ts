import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { closeEvent, incomingEvent, outgoingEvent } from "../support/events.ts";
import { accepted, refusal } from "../support/http.ts";
import { sendRaw } from "../support/raw.ts";
import { type Tenant, bearer, newTicketNumber } from "../support/tenant.ts";
import { type Ticket, poll } from "../support/timeline.ts";
import { type World, startWorld } from "../support/world.ts";

/** What a busy relay writes to its log: ids enough to follow each event, and nothing that is anybody's secret. */

const mark = (what: string): string => `${what}-${randomBytes(6).toString("hex")}`;
const PRIVATE = {
  message: mark("customers-words"),
  customerName: mark("customers-name"),
  accountId: mark("account"),
  mediaLink: `https://media.example/${mark("media")}`,
  unknownField: mark("field"),
  password: mark("password"),
  username: mark("user"),
  engineToken: mark("engine-token"),
  answer: mark("far-ends-answer"),
  deskPath: mark("hook"),
  enginePath: mark("engine-path"),
  idempotencyKey: mark("key"),
  wrongToken: mark("wrong-token"),
  wrongKey: mark("wrong-key"),
  path: mark("path"),
};
type Line = { event: string } & Record<string, unknown>;

let world: World;
let tenant: Tenant;
let number: string;
let refusedNumber: string;
let lines: Line[];
let logged: string;
/** What the relay has answered, and what it has sent to the far ends: what stands in here did come so far. */
const reached: string[] = [];
/** Message ids by what became of them. */
let ids: { toDesk: string; failing: string; queued: string; dead: string; reply: string };

const of = (event: string): Line[] => lines.filter((line) => line.event === event);

/** Sends what the relay refuses. */
async function refused(status: number, code: string, path: string, request: Parameters<World["call"]>[1]) {
  refusal(await world.call(path, request), status, code);
  reached.push(path, JSON.stringify(request));
}

beforeAll(async () => {
  world = await startWorld();
  tenant = await world.tenant();
  const { desk, engine, owner } = tenant;
  const { message, customerName, accountId, unknownField, answer } = PRIVATE;
  await world.putTenant(tenant, {
    dolphins: {
      outgoingPath: `/${PRIVATE.enginePath}`,
      auth: { type: "login", username: PRIVATE.username, password: PRIVATE.password },
    },
    record: {
      desk: { type: "native", url: `${desk.url}/${PRIVATE.deskPath}?k=${PRIVATE.deskPath}`, notifyFailures: true },
    },
  });
  engine.answerWith(({ path }) =>
    path.endsWith("/graph/auth")
      ? { status: 200, body: JSON.stringify({ token: PRIVATE.engineToken }) }
      : { status: 422, body: answer },
  );
  const fields = { message, customerName, accountId, [unknownField]: unknownField };
  number = newTicketNumber();
  refusedNumber = newTicketNumber();

  const toDesk = accepted(await tenant.incoming(number, fields, { "idempotency-key": PRIVATE.idempotencyKey })).id;
  await desk.until((all) => all.length === 1, "the first");
  const repeat = await tenant.incoming(number, fields, { "idempotency-key": PRIVATE.idempotencyKey });
  if (repeat.headers.get("idempotent-replay") === "true") reached.push(PRIVATE.idempotencyKey);
  const failed = await tenant.reply(
    number,
    { message, customerName, mediaLink: PRIVATE.mediaLink },
    { prefer: "wait=10" },
  );
  reached.push(failed.text);
  const dead = failed.headers.get("relay-message-id");
  // The desk has it: else what comes next waits behind that report.
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 2, "the report of the dead reply");
  desk.answerWith((_, index) => ({ status: index < 4 ? 503 : 200, body: answer }));
  const failing = accepted(await tenant.incoming(number, fields)).id;
  const queued = accepted(await tenant.incoming(number, fields)).id;
  await desk.until(
    (all) => all.filter(({ headers }) => headers["webhook-id"] === failing).length === 2,
    "another attempt",
  );
  engine.answerWith(() => ({
    status: 200,
    body: JSON.stringify({ status: "success", token: PRIVATE.engineToken, note: answer }),
  }));
  await tenant.replay(number, { all: true });
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDolphins.delivered === 1, "the dead reply");
  const reply = accepted(await tenant.reply(number, { message })).id;
  ids = { toDesk, failing, queued, dead: dead ?? "", reply };

  await poll(
    async () =>
      (await world.admin("GET", `/admin/tickets/${owner}/${number}`)).body as { ticket: Pick<Ticket, "lanes"> },
    ({ ticket }) => ticket.lanes.toDolphins.delivered === 2 && ticket.lanes.toDesk.waiting === 0,
    "all of it delivered",
  );

  // Refusals of every kind.
  const fromEngine = `/v1/dolphins/${world.ingressKey}`;
  const post = (body: unknown, headers = {}) => ({ method: "POST", body, headers });
  const incoming = incomingEvent(owner, number, fields);
  const outgoing = outgoingEvent(owner, number, fields);
  const broken = incomingEvent(owner, refusedNumber, { ...fields, messageType: unknownField });
  await refused(422, "invalid_event", `${fromEngine}/incoming`, post(broken));
  await refused(401, "unauthorized", `/v1/dolphins/${PRIVATE.wrongKey}/incoming`, post(incoming));
  await refused(404, "not_found", `${fromEngine}/${PRIVATE.path}`, post(fields));
  await refused(400, "invalid_json", `${fromEngine}/incoming`, post(`{"a":"${message}`));
  const unknown = outgoingEvent(owner, refusedNumber, fields);
  await refused(404, "unknown_ticket", "/v1/outgoing", post(unknown, bearer(tenant.token)));
  await refused(401, "unauthorized", "/v1/outgoing", post(outgoing, bearer(PRIVATE.wrongToken)));
  await refused(403, "wrong_owner", "/v1/command", post(closeEvent("nobody", number), bearer(tenant.token)));
  const secret = `whsec_${randomBytes(24).toString("base64")}`;
  refusal(await tenant.signed("/v1/outgoing", outgoing, { secret }), 401, "unauthorized");
  const lost = { method: "GET", path: `/${PRIVATE.path}?token=${tenant.token}` };
  refusal(await sendRaw(world.relay().url, lost), 404, "not_found");
  const record = await world.admin("PUT", `/admin/tenants/${owner}`, { [unknownField]: PRIVATE.password });
  refusal(record, 422, "invalid_tenant");
  reached.push(JSON.stringify([desk.received, engine.received]));
  await world.admin("POST", `/admin/tenants/${owner}/credentials/rotate`);
  await world.admin("GET", `/admin/tenants/${owner}/credentials`);
  await world.admin("DELETE", `/admin/tenants/${owner}`);

  const { logs } = world.relay();
  await poll(
    () => Promise.resolve(logs),
    (all) => all.some((line) => line.includes("tenant_deleted")),
    "the last line",
  );
  logged = logs.join("\n");
  lines = logs.map((line) => JSON.parse(line) as Line);
});
afterAll(() => world.stop());

test.each(Object.entries(PRIVATE))("no log line holds the %s, though it was there to be logged", (_, marker) => {
  expect(reached.join("\n")).toContain(marker);
  expect(logged).not.toContain(marker);
});

test("no log line holds a credential of anybody, nor the beginning of one", () => {
  const { ADMIN_TOKEN, MASTER_KEY } = world.settings;
  const secrets = [tenant.token, tenant.signingSecret, ADMIN_TOKEN, MASTER_KEY, world.ingressKey];
  for (const secret of secrets) expect(logged).not.toContain(secret.slice(0, 20));
  expect(logged).not.toMatch(/whsec_|desk_|sealed:|Bearer|v1,/);
});

test("no log line holds a path or a URL", () => {
  expect(logged).not.toMatch(/https?:|\/v1\/|\/admin|\/dolphins|hooks/);
});

const id = expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown;
const ms = expect.any(Number) as unknown;

test("the log shows each accepted event: one that waits at once, any other at the end of its first attempt", () => {
  const about = { owner: tenant.owner, ticketNumber: number, requestId: id, ms };
  expect(of("accepted")).toEqual([
    { event: "accepted", ...about, lane: "toDesk", kind: "incoming", messageId: ids.queued, sequence: 4 },
  ]);
  const firstOf = (messageId: string) => lines.find((line) => line["messageId"] === messageId && "attempt" in line);
  expect(firstOf(ids.toDesk)).toMatchObject({ event: "delivered", attempt: 1 });
  expect(firstOf(ids.dead)).toMatchObject({ event: "dead_letter", attempt: 1 });
  expect(firstOf(ids.failing)).toMatchObject({ event: "attempt_failed", attempt: 1 });
  expect(firstOf(ids.reply)).toMatchObject({ event: "delivered", attempt: 1 });
  expect(of("repeated")).toEqual([
    { event: "repeated", ...about, lane: "toDesk", kind: "incoming", messageId: ids.toDesk, sequence: 1 },
  ]);
  // A refusal under Prefer: wait is of the same request that was accepted before.
  const others = of("refused").filter(({ code }) => code !== "delivery_failed");
  const requests = [...of("accepted"), ...of("repeated"), ...others].map(({ requestId }) => requestId);
  expect(new Set(requests).size).toBe(requests.length);
});

test("the log shows each attempt, with its ids, its number, its status and how long it took", () => {
  const about = { owner: tenant.owner, ticketNumber: number, ms };
  const first = { ...about, lane: "toDesk", messageId: ids.toDesk, sequence: 1, attempt: 1, status: 200 };
  expect(of("delivered")).toContainEqual({ event: "delivered", ...first });
  const letter = { ...about, lane: "toDolphins", messageId: ids.dead, sequence: 1, attempt: 1, status: 422 };
  expect(of("dead_letter")).toEqual([{ event: "dead_letter", ...letter, error: "HTTP 422", reason: "rejected" }]);
  const failed = of("attempt_failed").filter(({ lane }) => lane === "toDesk");
  expect(failed.length).toBeGreaterThan(0);
  for (const line of failed) {
    expect(line).toMatchObject({
      ...about,
      status: 503,
      error: "HTTP 503",
      nextAttemptAt: expect.any(String) as unknown,
    });
    expect(line["messageId"]).toMatch(/^msg_/);
  }
});

test("the log shows each refusal, with its status and code, and of whose ticket once the caller is known", () => {
  const codes = of("refused").map(({ status, code }) => `${String(status)} ${String(code)}`);
  const expected = ["422 invalid_event", "401 unauthorized", "404 not_found", "400 invalid_json", "404 unknown_ticket"];
  expected.push("401 unauthorized", "403 wrong_owner", "401 unauthorized", "404 not_found", "422 invalid_tenant");
  expected.push("502 delivery_failed");
  expect(codes.toSorted()).toEqual(expected.toSorted());
  for (const line of of("refused"))
    expect(line).toMatchObject({ requestId: id, ms, method: expect.any(String) as unknown });
  const whose = (code: string): unknown =>
    of("refused")
      .filter((line) => line["code"] === code)
      .map(({ owner, ticketNumber }) => [owner, ticketNumber]);
  expect(whose("unknown_ticket")).toEqual([[tenant.owner, refusedNumber]]);
  expect(whose("wrong_owner")).toEqual([["nobody", number]]);
  expect(whose("delivery_failed")).toEqual([[tenant.owner, number]]);
});

test("the log shows each act of the operator, with the owner", () => {
  for (const act of ["tenant_put", "tenant_deleted", "credentials_shown", "credentials_rotated", "replayed"]) {
    expect(of(act)).toContainEqual(expect.objectContaining({ requestId: id, owner: tenant.owner }));
  }
});
