import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { accepted, issuePaths, refusal } from "../support/http.ts";
import { FAULTS, FAULTY, type LookupTenant, lookupTenant, times } from "../support/lookups.ts";
import { bearer, newTicketNumber } from "../support/tenant.ts";
import { type World, startWorld } from "../support/world.ts";

let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

/** A ticket that names a contact the engine knows. */
async function openFor(
  tenant: LookupTenant,
  contact: object = { id: "c", name: "Farhan" },
  contactId: string = randomUUID(),
) {
  const ticketNumber = newTicketNumber();
  tenant.fake.contacts.set(contactId, contact);
  accepted(await tenant.incoming(ticketNumber, { contactId }));
  return { ticketNumber, contactId };
}

test.each(["bare", "data", "list"] as const)("a contact comes as the engine has it where it is %s", async (shape) => {
  const tenant = await lookupTenant(world);
  tenant.fake.shape = shape;
  const contact = { id: "c-1", name: "Farhan Akbar", phones: [{ number: "628128778222" }], extra: null };
  const { ticketNumber, contactId } = await openFor(tenant, contact);
  const reply = await tenant.contact(contactId, { ticketNumber });
  expect(reply.status, reply.text).toBe(200);
  expect(reply.body).toEqual({ status: "success", contact });
  expect(reply.headers.get("content-type")).toMatch(/^application\/json/);
  expect(reply.headers.get("cache-control")).toBe("private, max-age=60");
  expect(tenant.fake.problems).toEqual([]);
});

test("a contact keeps a number that JavaScript cannot hold", async () => {
  const tenant = await lookupTenant(world);
  const { ticketNumber, contactId } = await openFor(tenant);
  tenant.fake.failNext("contact", { status: 200, body: '{"data":{"id":12345678901234567890}}' });
  const reply = await tenant.contact(contactId, { ticketNumber });
  expect(reply.text).toBe('{"status":"success","contact":{"id":12345678901234567890}}');
});

test("a contact is asked for by an id of any characters, with the options that were given and no others", async () => {
  const tenant = await lookupTenant(world);
  const { ticketNumber, contactId } = await openFor(tenant, { id: 1 }, "a/b&c=d é?#");
  const options = { ignoreDeleted: "true", includeChildrenSocial: "false", numberOfChildren: "3" };
  expect((await tenant.contact(contactId, { ticketNumber })).status).toBe(200);
  expect((await tenant.contact(contactId, { ticketNumber, ...options, other: "x" })).status).toBe(200);
  const asked = tenant.engine.received
    .filter(({ path }) => path.includes("contactById"))
    .map(({ path }) => Object.fromEntries(new URL(path, tenant.engine.url).searchParams));
  expect(asked).toEqual([{ contactId }, { contactId, ...options }]);
});

test("a contact is remembered for a minute, and asked for again on no-cache", async () => {
  const tenant = await lookupTenant(world);
  const { ticketNumber, contactId } = await openFor(tenant);
  for (const _ of [1, 2, 3]) expect((await tenant.contact(contactId, { ticketNumber })).status).toBe(200);
  expect(tenant.fake.count("contact")).toBe(1);
  tenant.fake.contacts.set(contactId, { id: "c", name: "Baru" });
  const fresh = await tenant.contact(contactId, { ticketNumber }, { "cache-control": "no-cache" });
  expect(fresh.body).toEqual({ status: "success", contact: { id: "c", name: "Baru" } });
  expect((await tenant.contact(contactId, { ticketNumber })).body).toEqual(fresh.body);
  expect(tenant.fake.count("contact")).toBe(2);
});

test("a contact that the engine does not have, or has no more, is not_found in every shape, and not remembered", async () => {
  const tenant = await lookupTenant(world);
  const { ticketNumber, contactId } = await openFor(tenant);
  tenant.fake.contacts.clear();
  for (const shape of ["bare", "data", "list"] as const) {
    tenant.fake.shape = shape;
    const reply = await tenant.contact(contactId, { ticketNumber });
    expect(reply).toBeRefused(404, "not_found");
    expect(reply.headers.get("cache-control")).toBe("no-store");
  }
  expect(tenant.fake.count("contact")).toBe(3);
});

test.each<[string, Record<string, unknown>, { name: string; value: string } | "none"]>([
  ["none", { type: "none" }, "none"],
  ["bearer", { type: "bearer", token: "kunci" }, { name: "authorization", value: "Bearer kunci" }],
  [
    "basic",
    { type: "basic", username: "bank", password: "rahasia" },
    { name: "authorization", value: `Basic ${Buffer.from("bank:rahasia").toString("base64")}` },
  ],
  ["header", { type: "header", name: "X-Api-Key", value: "kunci" }, { name: "x-api-key", value: "kunci" }],
])(
  "a contact is asked for with the tenant's authentication of type %s, and without a login",
  async (_, auth, expected) => {
    const tenant = await lookupTenant(world, { auth, engine: { auth: expected } });
    const { ticketNumber, contactId } = await openFor(tenant);
    expect((await tenant.contact(contactId, { ticketNumber })).status).toBe(200);
    expect((await tenant.history(ticketNumber)).status).toBe(200);
    expect(tenant.fake.count("login")).toBe(0);
  },
);

test("the login for a contact is the one that replies use, and a refused token is replaced and the question asked once more", async () => {
  const tenant = await lookupTenant(world);
  const { ticketNumber, contactId } = await openFor(tenant);
  expect((await tenant.reply(ticketNumber, {}, { prefer: "wait=10" })).headers.get("relay-delivery")).toBe("delivered");
  expect((await tenant.contact(contactId, { ticketNumber })).status).toBe(200);
  expect((await tenant.history(ticketNumber)).status).toBe(200);
  expect(tenant.fake.count("login")).toBe(1);
  tenant.fake.revoke();
  const noCache = { "cache-control": "no-cache" };
  expect((await tenant.contact(contactId, { ticketNumber }, noCache)).status).toBe(200);
  expect(tenant.fake.count("contact")).toBe(3);
  expect((await tenant.history(ticketNumber)).status).toBe(200);
  expect(tenant.fake.count("login")).toBe(2);
});

test("a login for a contact that fails is the engine's failure, without the credentials", async () => {
  const tenant = await lookupTenant(world, { engine: { password: "lain" } });
  const { ticketNumber, contactId } = await openFor(tenant);
  const reply = await tenant.contact(contactId, { ticketNumber });
  expect(refusal(reply, 502, "engine_failed").message).toMatch(/login: HTTP 401/);
  expect(reply.text).not.toContain("rahasia");
});

test("the login for a contact is tried again after the service was down", async () => {
  const tenant = await lookupTenant(world);
  const { ticketNumber, contactId } = await openFor(tenant);
  tenant.fake.failNext("login", { status: 503 });
  expect(await tenant.contact(contactId, { ticketNumber })).toBeRefused(502, "engine_failed");
  await expect
    .poll(async () => (await tenant.contact(contactId, { ticketNumber })).status, { timeout: 10_000 })
    .toBe(200);
});

test.each(FAULTS)(
  "a contact that the engine answers with %s is the engine's failure",
  async (_, fault, status, code, said) => {
    const tenant = await lookupTenant(world, FAULTY);
    const { ticketNumber, contactId } = await openFor(tenant);
    for (let time = 0; time < times(fault); time += 1) tenant.fake.failNext("contact", fault);
    const reply = await tenant.contact(contactId, { ticketNumber });
    expect(refusal(reply, status, code).message).toMatch(said);
    expect(reply.headers.get("cache-control")).toBe("no-store");
    expect((await tenant.contact(contactId, { ticketNumber })).status, "the next time").toBe(200);
  },
);

test("a contact needs the desk's token", async () => {
  const tenant = await lookupTenant(world);
  const { ticketNumber, contactId } = await openFor(tenant);
  const path = `/v1/contacts/${contactId}?ticketNumber=${ticketNumber}`;
  expect(await world.call(path)).toBeRefused(401, "unauthorized");
  expect(await world.call(path, { headers: bearer(world.settings.ADMIN_TOKEN) })).toBeRefused(401, "unauthorized");
  expect(await tenant.contact(contactId, { ticketNumber }, { authorization: "" })).toBeRefused(401, "unauthorized");
});

test("a contact needs a ticket that was opened and that names it", async () => {
  const tenant = await lookupTenant(world);
  const { ticketNumber, contactId } = await openFor(tenant);
  const other = await openFor(tenant);
  const missing = refusal(await tenant.contact(contactId, {}), 422, "invalid_request");
  expect(issuePaths(missing)).toEqual(["ticketNumber"]);
  expect(await tenant.contact(contactId, { ticketNumber: newTicketNumber() })).toBeRefused(404, "unknown_ticket");
  expect(await tenant.contact(contactId, { ticketNumber: other.ticketNumber })).toBeRefused(404, "not_found");
  expect(await tenant.contact("unknown", { ticketNumber })).toBeRefused(404, "not_found");
  expect(tenant.fake.count("contact")).toBe(0);
});

test("a contact is not shown to another tenant's desk, even where it is remembered, and even under the same ticket number", async () => {
  const [tenant, stranger] = [await lookupTenant(world), await lookupTenant(world)];
  const { ticketNumber, contactId } = await openFor(tenant);
  expect((await tenant.contact(contactId, { ticketNumber })).status).toBe(200);
  expect(await stranger.contact(contactId, { ticketNumber })).toBeRefused(404, "unknown_ticket");
  expect(await stranger.contact(contactId, { ticketNumber, owner: tenant.owner })).toBeRefused(403, "wrong_owner");
  expect(await stranger.contact(contactId, { ticketNumber, owner: "nobody" })).toBeRefused(403, "wrong_owner");
  accepted(await stranger.incoming(ticketNumber, { contactId }));
  expect(await stranger.contact(contactId, { ticketNumber })).toBeRefused(404, "not_found");
  expect(stranger.fake.count("contact")).toBe(1);
});

test("a contact is found without an owner by a desk of one tenant, and by the ticket for a desk of several", async () => {
  const deskId = randomUUID();
  const [one, two] = [await lookupTenant(world, { deskId }), await lookupTenant(world, { deskId })];
  const { ticketNumber, contactId } = await openFor(two);
  expect(await one.contact(contactId, { ticketNumber })).toBeRefused(404, "unknown_ticket");
  await two.untilTicket(ticketNumber, ({ lanes }) => lanes.toDesk.delivered === 1, "the delivery");
  const ask = () =>
    world.call(`/v1/contacts/${contactId}?ticketNumber=${ticketNumber}`, { headers: bearer(one.token) });
  await expect.poll(async () => (await ask()).status, { timeout: 10_000 }).toBe(200);
  expect(one.fake.count("contact")).toBe(0);
});

test.each(["POST", "PUT", "DELETE", "PATCH"])("%s is no method of the lookups' paths", async (method) => {
  for (const path of ["/v1/contacts/c", "/v1/tickets/t/history"]) {
    const reply = await world.call(path, { method });
    expect(reply).toBeRefused(405, "method_not_allowed");
    expect(reply.headers.get("allow")).toBe("GET, HEAD");
  }
});
