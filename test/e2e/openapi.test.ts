import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { startFakeChatwoot } from "../../dev/fakes/chatwoot.ts";
import { startRelay } from "../../dev/harness/relay.ts";
import { type Reply, call } from "./support/http.ts";
import { REFUSALS } from "./openapi/refusals.ts";
import { type Walk, schemesOf, startWalk } from "./openapi/walk.ts";
import { newTicketNumber } from "./support/tenant.ts";

/** Walks the document over HTTP: each operation is called as its example says, and made to refuse in every way there is. */

let walk: Walk;

beforeAll(async () => {
  walk = await startWalk();
});
afterAll(() => walk.stop());

const codeIn = ({ body }: Reply): string => (body as { error?: { code: string } }).error?.code ?? "none";

/** In an order in which each can succeed. */
const SUCCESSES =
  "home alive openapi incoming sendMessage incomingMessage outgoing ticket history contact deskWebhook signIn session me audit verifyAudit health listTenants retryTicket retryTenant pauseTenant getTenant getCredentials overview listTickets listDeadLetters adminTicket resumeTenant testDesk testEngine discardDeadLetters replayTicket replayDeadLetters rotateCredentials putTenant".split(
    " ",
  );
/** With a test of their own. */
const ALONE = [
  "watch",
  "command",
  "engineCommand",
  "signOut",
  "deleteTenant",
  "media",
  "connectChatwoot",
  "exportCustomer",
  "eraseCustomer",
  "getPurge",
];
/** The second credential is another desk's; a second rotation ends the credentials that the walk goes on with. */
const ONCE = new Set(["deskWebhook", "rotateCredentials"]);

test("every operation of the document is called", () => {
  const documented = walk.api.operations.map(({ operationId }) => operationId);
  expect([...SUCCESSES, ...ALONE].toSorted()).toEqual(documented.toSorted());
});

describe("as its examples say, by each credential it takes", () => {
  test.each(SUCCESSES)("%s", async (id) => {
    const { api, named, bodyOf, credentialFor, send } = walk;
    const operation = named(id);
    const schemes = schemesOf(operation).slice(0, ONCE.has(id) ? 1 : undefined);
    const examples = Object.keys(operation.requestBody?.content?.["application/json"].examples ?? { none: {} });
    for (const scheme of schemes.length > 0 ? schemes : [undefined]) {
      for (const example of examples) {
        const body = bodyOf(operation, example);
        const reply = await send(operation, { body, headers: credentialFor(operation, body, scheme) });
        expect(reply.status, `${id} by ${scheme}: ${reply.text}`).toBe(200);
        api.expectDescribed(operation, reply, `${id} by ${scheme}`);
      }
    }
  });

  test.each([
    ["listTickets", "waitingSince"],
    ["overview", "lagMeanMs"],
    ["adminTicket", "attempts"],
    ["ticket", "nextAttemptAt"],
  ])("%s, which has something to show: %s", async (id, field) => {
    expect((await walk.send(walk.named(id))).text).toContain(`"${field}":`);
  });

  test("watch, which tells what it says", async () => {
    const { world, api, tenant, pathOf, named, credentialFor } = walk;
    const operation = named("watch");
    const url = world.relay().url.replace("http", "ws") + pathOf(operation);
    const socket = new WebSocket(url, { headers: credentialFor(operation) });
    const next = (type: "open" | "message") =>
      new Promise<unknown>((fulfil) => {
        socket.addEventListener(type, (event) => fulfil("data" in event ? event.data : undefined), { once: true });
      });
    await next("open");
    const told = next("message");
    await tenant.incoming(newTicketNumber());
    const event: unknown = JSON.parse(String(await told));
    socket.close();
    expect(event).toMatchObject({ type: "ticket" });
    api.expectSchema("LiveEvent", event);
  });
});

describe("refused", () => {
  test.each(REFUSALS)("$what", async ({ what, statuses, of, provoke }) => {
    // The document itself is a static asset: nothing of it is the Worker's to refuse.
    const some = walk.api.operations.filter((operation) => operation.operationId !== "openapi" && of(operation));
    expect(some.length).toBeGreaterThan(0);
    for (const operation of some) {
      const reply = await provoke(walk, operation);
      expect(statuses, `${operation.operationId}: ${reply.status} ${reply.text}`).toContain(reply.status);
      walk.api.expectDescribed(operation, reply, what);
    }
  });
});

test("a delivery that was waited for and failed, the Close, and what comes too late are described", async () => {
  const { api, tenant, named, send, credentialFor } = walk;
  const outgoing = named("outgoing");
  const number = newTicketNumber();
  await tenant.incoming(number);
  const of = (id: string) => JSON.stringify({ ...(api.example(named(id)) as object), ticketNumber: number });
  const login = ({ path }: { path: string }) => path.endsWith("/graph/auth");
  tenant.engine.answerWith((sent) =>
    login(sent) ? { status: 200, body: '{"token":"t"}' } : { status: 400, body: "no" },
  );
  const headers = { ...credentialFor(outgoing), prefer: "wait=10" };
  const failed = await send(outgoing, { body: of("outgoing"), headers });
  expect([failed.status, codeIn(failed)]).toEqual([502, "delivery_failed"]);
  api.expectDescribed(outgoing, failed, "waited for");

  tenant.engine.answerWith(() => ({ status: 200, body: '{"status":"success","token":"t"}' }));
  for (const id of ["command", "engineCommand"]) {
    const reply = await send(named(id), { body: of(id) });
    expect([reply.status, codeIn(reply)]).toEqual([200, "none"]);
    api.expectDescribed(named(id), reply, "Close");
  }
  const late = await send(outgoing, { body: of("outgoing") });
  expect([late.status, codeIn(late)]).toEqual([409, "ticket_closed"]);
  api.expectDescribed(outgoing, late, "after Close");
});

test("a Chatwoot that is connected, and one that is away, are described", async () => {
  const { api, named, send } = walk;
  const operation = named("connectChatwoot");
  const chatwoot = await startFakeChatwoot();
  const { baseUrl, accountId } = chatwoot.record;
  const body = JSON.stringify({ baseUrl, accountId, accessToken: chatwoot.tokens.administrator });
  // The tenant that the walk goes on with keeps its desk.
  const path = walk.pathOf(operation).replace(walk.tenant.owner, walk.otherOwner);
  chatwoot.failNext("inboxes", { status: 503 });
  for (const [status, code] of [
    [502, "delivery_failed"],
    [200, "none"],
  ]) {
    const reply = await send(operation, { path, body });
    expect([reply.status, codeIn(reply)]).toEqual([status, code]);
    api.expectDescribed(operation, reply, "connect");
  }
  await chatwoot.close();
});

test("an export, each of its lines, an erasure, a purge and its progress are described", async () => {
  const { world, api, tenant, named, pathOf, send } = walk;
  const number = newTicketNumber();
  await tenant.incoming(number);
  const operation = named("exportCustomer");
  const exported = await send(operation, { path: `${pathOf(operation)}?ticketNumber=${number}` });
  expect(exported.status).toBe(200);
  api.expectDescribed(operation, exported, "an export");
  const lines = exported.text.trim().split("\n");
  expect(lines).toHaveLength(3);
  for (const line of lines) api.expectSchema("ExportLine", JSON.parse(line));

  const { owner } = await world.tenant();
  const erasure = named("eraseCustomer");
  for (const body of [{ ticketNumber: number }, { contactId: "nobody" }]) {
    const erased = await send(erasure, { body: JSON.stringify(body) });
    expect(erased.status).toBe(200);
    api.expectDescribed(erasure, erased, "an erasure");
  }
  for (const [id, query] of [
    ["deleteTenant", "?purge=true"],
    ["getPurge", ""],
  ] as const) {
    const path = pathOf(named(id)).replace(tenant.owner, owner) + query;
    const reply = await send(named(id), { path });
    expect(reply.text).toContain('"state":"running"');
    api.expectDescribed(named(id), reply, id);
  }
  api.expectDescribed(
    named("putTenant"),
    await send(named("putTenant"), { path: `/admin/tenants/${owner}` }),
    "purging",
  );
});

test.each([
  ["signOut", "consoleSession", 401],
  ["deleteTenant", "operatorToken", 404],
])("%s is described, and so is a second one", async (id, scheme, second) => {
  const { api, named, send, credentialFor } = walk;
  const operation = named(id);
  for (const status of [200, second]) {
    const reply = await send(operation, { headers: credentialFor(operation, "", scheme) });
    expect(reply.status).toBe(status);
    api.expectDescribed(operation, reply, id);
  }
});

test("a relay whose secrets are missing answers as is described", async () => {
  const { world, api, bodyOf, credentialFor } = walk;
  const { ADMIN_TOKEN, ALLOW_INSECURE_TARGETS } = world.settings;
  const settings = { ADMIN_TOKEN, ALLOW_INSECURE_TARGETS };
  const relay = await startRelay({ bundle: inject("bundle"), settings });
  const statuses = new Set<number>();
  for (const operation of api.operations.filter(({ operationId }) => operationId !== "openapi")) {
    const body = bodyOf(operation);
    const request = { method: operation.method, headers: credentialFor(operation, body) };
    const reply = await call(relay.url + api.pathOf(operation), body === undefined ? request : { ...request, body });
    api.expectDescribed(operation, reply, "without secrets");
    statuses.add(reply.status);
  }
  await relay.stop();
  expect(statuses).toContain(503);
  expect(statuses).not.toContain(500);
});
