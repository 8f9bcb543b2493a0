import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { accepted } from "../support/http.ts";
import { bearer, newTicketNumber, openTicket, type Tenant } from "../support/tenant.ts";
import { poll } from "../support/timeline.ts";
import { startWorld, type World } from "../support/world.ts";

const Lane = z.strictObject({ accepted: z.int(), delivered: z.int(), waiting: z.int(), dead: z.int() });
const Summary = z.strictObject({
  ticketNumber: z.string(),
  channel: z.string(),
  contactId: z.string(),
  customerName: z.string(),
  state: z.enum(["open", "closing", "closed"]),
  lanes: z.strictObject({ toDesk: Lane, toDolphins: Lane }),
  openedAt: z.iso.datetime(),
  toldAt: z.iso.datetime(),
  waitingSince: z.iso.datetime().optional(),
  nextAttemptAt: z.iso.datetime().optional(),
});
const Tickets = z.strictObject({
  status: z.literal("success"),
  tickets: z.array(Summary),
  next: z.string().optional(),
});
const Minute = z.strictObject({
  accepted: z.int(),
  delivered: z.int(),
  dead: z.int(),
  lagMeanMs: z.int().min(0),
  lagMaxMs: z.int().min(0),
});
const Lag = z.strictObject({ p50Ms: z.int().optional(), p95Ms: z.int().optional(), p99Ms: z.int().optional() });
const Overview = z.strictObject({
  status: z.literal("success"),
  overview: z.strictObject({
    owner: z.string(),
    tickets: z.strictObject({ open: z.int(), closing: z.int(), closed: z.int() }),
    waiting: z.strictObject({ tickets: z.int(), messages: z.int(), oldestSince: z.iso.datetime().optional() }),
    dead: z.strictObject({ tickets: z.int(), messages: z.int() }),
    countedUntil: z.iso.datetime(),
    lag: z.strictObject({ toDesk: Lag, toDolphins: Lag }),
    minutes: z.array(z.strictObject({ at: z.iso.datetime(), toDesk: Minute, toDolphins: Minute })),
  }),
});
const DeadLetters = z.strictObject({
  status: z.literal("success"),
  deadLetters: z.array(
    z.looseObject({
      ticketNumber: z.string(),
      channel: z.string(),
      customerName: z.string(),
      id: z.string().startsWith("msg_"),
      lane: z.enum(["toDesk", "toDolphins"]),
      reason: z.enum(["rejected", "blocked", "exhausted"]),
      state: z.literal("dead"),
    }),
  ),
  next: z.string().optional(),
});

let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const get = (tenant: Tenant, path: string) => world.admin("GET", `/admin/tenants/${tenant.owner}/${path}`);
const ticketsOf = async (tenant: Tenant, query = "") =>
  Tickets.parse((await get(tenant, `tickets${query}`)).body).tickets;
const overviewOf = async (tenant: Tenant) => Overview.parse((await get(tenant, "overview")).body).overview;
const lettersOf = async (tenant: Tenant) => DeadLetters.parse((await get(tenant, "dead-letters")).body).deadLetters;
const replay = (tenant: Tenant, body: unknown) =>
  world.admin("POST", `/admin/tenants/${tenant.owner}/dead-letters/replay`, body);

test("a ticket is listed within seconds of its first message, and counted", async () => {
  const tenant = await world.tenant();
  const number = await openTicket(tenant);
  const [ticket] = await poll(
    () => ticketsOf(tenant),
    (all) => all.length === 1,
    "the ticket in the list",
  );
  expect(ticket).toMatchObject({
    ticketNumber: number,
    state: "open",
    lanes: { toDesk: { accepted: 1, delivered: 1 } },
  });
  expect(await ticketsOf(tenant, "?state=closed")).toEqual([]);
  expect(await ticketsOf(tenant, `?q=${number.slice(3, 20).toUpperCase()}`)).toHaveLength(1);
  const { tickets, minutes } = await overviewOf(tenant);
  expect(tickets).toEqual({ open: 1, closing: 0, closed: 0 });
  expect(minutes.reduce((sum, minute) => sum + minute.toDesk.delivered, 0)).toBe(1);
});

test("a ticket that waits is found, with since when and until when, and is gone from there when it got through", async () => {
  const tenant = await world.tenant();
  tenant.desk.answerWith(() => ({ status: 503, body: "" }));
  const number = await openTicket(tenant);
  const waiting = await poll(
    () => ticketsOf(tenant, "?state=waiting"),
    (all) => all.length === 1,
    "the one that waits",
  );
  expect(waiting[0]).toMatchObject({ ticketNumber: number, lanes: { toDesk: { waiting: 1 } } });
  const { lanes } = await tenant.ticket(number);
  expect(waiting[0]?.waitingSince).toBe(lanes.toDesk.oldestWaitingSince);
  expect((await overviewOf(tenant)).waiting).toEqual({
    tickets: 1,
    messages: 1,
    oldestSince: lanes.toDesk.oldestWaitingSince,
  });
  tenant.desk.answerWith(() => ({ status: 200, body: "{}" }));
  await poll(
    () => ticketsOf(tenant, "?state=waiting"),
    (all) => all.length === 0,
    "nothing to wait",
  );
});

test("dead letters of several tickets are listed, replayed in a dry run, and replayed", async () => {
  const tenant = await world.tenant();
  tenant.desk.answerWith(({ body }) => ({ status: body.includes("refused") ? 422 : 200, body: "{}" }));
  const numbers = [await openTicket(tenant), await openTicket(tenant)];
  const ids: string[] = [];
  for (const number of numbers) {
    ids.push(accepted(await tenant.incoming(number, { message: "refused" })).id);
    accepted(await tenant.incoming(number, { message: "taken" }));
    await tenant.untilTicket(number, (ticket) => ticket.lanes.toDesk.delivered === 2, "the one behind it");
  }
  const letters = await poll(
    () => lettersOf(tenant),
    (all) => all.length === 2,
    "both dead letters",
  );
  expect(letters.map((letter) => letter.id).toSorted()).toEqual(ids.toSorted());
  expect(
    (
      await poll(
        () => overviewOf(tenant),
        ({ dead }) => dead.tickets === 2,
        "both counted",
      )
    ).dead.messages,
  ).toBe(2);

  const dry = await replay(tenant, { all: true, dryRun: true });
  const newestFirst = ids.toReversed();
  expect(dry.body).toEqual({
    status: "success",
    dryRun: true,
    replayed: newestFirst,
    late: newestFirst,
    more: false,
  });
  expect(await lettersOf(tenant)).toHaveLength(2);

  tenant.desk.answerWith(() => ({ status: 200, body: "{}" }));
  expect((await replay(tenant, { ids: [ids[0]] })).body).toMatchObject({ dryRun: false, replayed: [ids[0]] });
  expect((await replay(tenant, { all: true })).body).toMatchObject({ replayed: [ids[1]], more: false });
  for (const number of numbers) {
    await tenant.untilTicket(number, (ticket) => ticket.lanes.toDesk.delivered === 3, "the replayed one");
  }
  await poll(
    () => ticketsOf(tenant, "?state=dead"),
    (all) => all.length === 0,
    "no dead letters",
  );
});

async function subscribe(tenant: Tenant) {
  const url = `${world.relay().url.replace("http", "ws")}/admin/tenants/${tenant.owner}/events`;
  const socket = new WebSocket(url, { headers: bearer(world.settings.ADMIN_TOKEN) });
  const seen: unknown[] = [];
  socket.addEventListener("message", ({ data }) => {
    seen.push(JSON.parse(String(data)));
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", reject);
  });
  return { socket, seen };
}

test("the live view shows what happens to tickets as it happens, and what it says is what the list says", async () => {
  const tenant = await world.tenant();
  const { socket, seen } = await subscribe(tenant);
  const number = await openTicket(tenant);
  await poll(
    async () => seen,
    (all) => all.length > 0,
    "the opening",
  );
  expect(seen).toEqual([{ type: "ticket", ticket: (await ticketsOf(tenant))[0] }]);
  accepted(await tenant.close(number));
  await tenant.untilTicket(number, (ticket) => ticket.state === "closed", "the end");
  const Closed = z.looseObject({ type: z.literal("ticket"), ticket: z.looseObject({ state: z.literal("closed") }) });
  await poll(
    async () => seen.at(-1),
    (last) => Closed.safeParse(last).success,
    "the end, live",
  );
  socket.close();
});

test("the live view is not for whoever has no token, and not for plain HTTP", async () => {
  const tenant = await world.tenant();
  expect(await get(tenant, "events")).toBeRefused(426, "upgrade_required");
  expect(await world.call(`/admin/tenants/${tenant.owner}/events`)).toBeRefused(401, "unauthorized");
  const url = `${world.relay().url.replace("http", "ws")}/admin/tenants/${tenant.owner}/events`;
  const refused = new Promise((resolve) => new WebSocket(url).addEventListener("error", resolve));
  expect(await refused).toBeDefined();
});

const paths = ["overview", "tickets", "dead-letters", "events"];

test.each(paths)("GET %s takes GET alone, the operator's token, and a tenant that is there", async (path) => {
  const tenant = await world.tenant();
  const whole = `/admin/tenants/${tenant.owner}/${path}`;
  expect(await world.call(whole)).toBeRefused(401, "unauthorized");
  expect(await world.call(whole, { headers: bearer(tenant.token) })).toBeRefused(401, "unauthorized");
  const put = await world.admin("PUT", whole, {});
  expect(put).toBeRefused(405, "method_not_allowed");
  expect(put.headers.get("allow")).toBe("GET, HEAD");
  const nobody = await world.admin("GET", `/admin/tenants/${newTicketNumber()}/${path}`);
  expect(nobody).toBeRefused(404, "unknown_owner");
});

test.each([
  "overview?minutes=0",
  "overview?minutes=1441",
  "overview?minutes=soon",
  "tickets?state=lost",
  "tickets?limit=101",
  "tickets?before=x",
  "tickets?before=1.2.3",
  `tickets?q=${"x".repeat(1025)}`,
  "dead-letters?limit=0",
  "dead-letters?before=1.2",
])("GET %s names the parameter that does not fit", async (path) => {
  const tenant = await world.tenant();
  const answer = await get(tenant, path);
  expect(answer).toBeRefused(422, "invalid_request");
  const name = /\?(\w+)=/.exec(path)?.[1];
  expect(answer.body).toMatchObject({ error: { issues: [{ path: name }] } });
});

test.each([
  {},
  { all: false },
  { all: true, ids: ["msg_1"] },
  { ids: [] },
  { ids: "msg_1" },
  { all: true, dryRun: "yes" },
  { all: true, before: "msg_1" },
  { all: true, since: 1 },
])("a replay of %j is refused", async (body) => {
  const tenant = await world.tenant();
  expect(await replay(tenant, body)).toBeRefused(422, "invalid_request");
  expect(await world.call(`/admin/tenants/${tenant.owner}/dead-letters/replay`, { method: "POST", body })).toBeRefused(
    401,
    "unauthorized",
  );
});

test("one tenant's lists show nothing of another's", async () => {
  const [mine, other] = [await world.tenant(), await world.tenant()];
  other.desk.answerWith(() => ({ status: 422, body: "" }));
  await openTicket(other);
  await poll(
    () => lettersOf(other),
    (all) => all.length === 1,
    "the other's dead letter",
  );
  expect(await ticketsOf(mine)).toEqual([]);
  expect(await lettersOf(mine)).toEqual([]);
  expect((await overviewOf(mine)).dead).toEqual({ tickets: 0, messages: 0 });
  expect((await replay(mine, { all: true })).body).toMatchObject({ replayed: [] });
  expect(await lettersOf(other)).toHaveLength(1);
});
