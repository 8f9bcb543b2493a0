import { randomUUID } from "node:crypto";
import { closeEvent, incomingEvent, outgoingEvent } from "../../support/events.ts";
import { type Reply, accepted } from "../../support/http.ts";
import { type Tenant, bearer, makeTenant, newTicketNumber, openTicket } from "../../support/tenant.ts";
import { type World, credentialsOf } from "../../support/world.ts";

/** What is tried once something should be at its end: who was let in before, and what was there, must not come back. */

export type Attempt = [name: string, attempt: (world: World) => Promise<Reply>, status: number, code?: string];

const admin = (world: World, method: string, { owner }: Pick<Tenant, "owner">, path = "", body?: unknown) =>
  world.admin(method, `/admin/tenants/${owner}${path}`, body);

async function ok(reply: Promise<Reply>): Promise<Reply> {
  const answered = await reply;
  if (answered.status !== 200) throw new Error(`${answered.status} ${answered.text}`);
  return answered;
}

const rotate = async (world: World, tenant: Tenant, body?: unknown) =>
  credentialsOf(await ok(admin(world, "POST", tenant, "/credentials/rotate", body)));

/** A tenant that has been deleted, and the one that has taken its desk. */
async function takenOver(world: World): Promise<{ before: Tenant; after: Tenant; number: string }> {
  const deskId = `desk-${randomUUID()}`;
  const before = await world.tenant({ deskId });
  await ok(admin(world, "DELETE", before));
  const after = await world.tenant({ deskId });
  return { before, after, number: await openTicket(after) };
}

/** A tenant whose purge is under way: it is looked after every two seconds. */
async function purging(world: World): Promise<{ tenant: Tenant; number: string }> {
  const tenant = await world.tenant();
  const number = await openTicket(tenant);
  await ok(admin(world, "DELETE", tenant, "?purge=true"));
  return { tenant, number };
}

const TOKEN: Attempt[] = [
  [
    "a token that was revoked",
    async (world) => {
      const tenant = await world.tenant();
      const number = await openTicket(tenant);
      await rotate(world, tenant, { revoke: true });
      return tenant.reply(number);
    },
    401,
    "unauthorized",
  ],
  [
    "a signing secret that was revoked",
    async (world) => {
      const tenant = await world.tenant();
      const number = await openTicket(tenant);
      await rotate(world, tenant, { revoke: true });
      return tenant.signed("/v1/outgoing", outgoingEvent(tenant.owner, number));
    },
    401,
    "unauthorized",
  ],
  [
    "the older of two tokens that were made at once",
    async (world) => {
      const tenant = await world.tenant();
      const number = await openTicket(tenant);
      const made = await Promise.all([rotate(world, tenant), rotate(world, tenant)]);
      if (made[0].token === made[1].token) throw new Error("two rotations were one");
      await rotate(world, tenant, { revoke: true });
      return makeTenant(world, { ...tenant, ...made[0] }).reply(number);
    },
    401,
    "unauthorized",
  ],
  [
    "a rotation with a revoke that is no boolean",
    async (world) => admin(world, "POST", await world.tenant(), "/credentials/rotate", { revoke: "true" }),
    422,
    "invalid_request",
  ],
  [
    "the token of a deleted tenant, at the next tenant of its desk",
    async (world) => {
      const { before, after, number } = await takenOver(world);
      return world.call("/v1/outgoing", {
        method: "POST",
        headers: bearer(before.token),
        body: outgoingEvent(after.owner, number),
      });
    },
    401,
    "unauthorized",
  ],
  [
    "the signing secret of a deleted tenant, at the next tenant of its desk",
    async (world) => {
      const { before, after, number } = await takenOver(world);
      const stranger = makeTenant(world, { ...after, signingSecret: before.signingSecret });
      return stranger.signed("/v1/command", closeEvent(after.owner, number));
    },
    401,
    "unauthorized",
  ],
  [
    "the token of a desk that its tenant has left",
    async (world) => {
      const tenant = await world.tenant();
      const number = await openTicket(tenant);
      await ok(world.putTenant(tenant, { deskId: `desk-${randomUUID()}` }));
      return world.call(`/v1/tickets/${number}?owner=${tenant.owner}`, { headers: bearer(tenant.token) });
    },
    403,
    "wrong_owner",
  ],
];

const TENANT: Attempt[] = [
  [
    "a deleted owner under another desk, which would read its tickets",
    async (world) => {
      const tenant = await world.tenant();
      await openTicket(tenant);
      await ok(admin(world, "DELETE", tenant));
      return world.putTenant(tenant, { deskId: `desk-${randomUUID()}` });
    },
    409,
    "owner_in_use",
  ],
  [
    "a record that numbers itself",
    async (world) => world.putTenant(await world.tenant(), { record: { version: 99 } }),
    422,
    "invalid_tenant",
  ],
  [
    "a purge that says 1 and not true, which must not be half a purge",
    async (world) => admin(world, "DELETE", await world.tenant(), "?purge=1"),
    422,
    "invalid_request",
  ],
  [
    "the record of a tenant that is being purged",
    async (world) => {
      const { tenant } = await purging(world);
      return world.putTenant(tenant);
    },
    409,
    "purging",
  ],
  [
    "a customer's message to a tenant that is being purged",
    async (world) => {
      const { tenant, number } = await purging(world);
      return tenant.incoming(number);
    },
    404,
    "unknown_owner",
  ],
  [
    "a replay of dead letters of a tenant that is being purged",
    async (world) => {
      const { tenant } = await purging(world);
      return admin(world, "POST", tenant, "/dead-letters/replay", { all: true });
    },
    404,
    "unknown_owner",
  ],
  [
    "credentials of a tenant that is being purged",
    async (world) => admin(world, "GET", (await purging(world)).tenant, "/credentials"),
    404,
    "unknown_owner",
  ],
  [
    "the purge of nobody",
    (world) => admin(world, "DELETE", { owner: randomUUID() }, "?purge=true"),
    404,
    "unknown_owner",
  ],
  [
    "the progress of a purge that nobody asked for",
    async (world) => admin(world, "GET", await world.tenant(), "/purge"),
    404,
    "not_found",
  ],
];

const CUSTOMER: Attempt[] = [
  [
    "an erasure by the desk, whose token is no operator's",
    async (world) => {
      const tenant = await world.tenant();
      const body = { ticketNumber: await openTicket(tenant) };
      return world.call(`/admin/tenants/${tenant.owner}/erase`, {
        method: "POST",
        headers: bearer(tenant.token),
        body,
      });
    },
    401,
    "unauthorized",
  ],
  [
    "an export by the desk",
    async (world) => {
      const { owner, token } = await world.tenant();
      return world.call(`/admin/tenants/${owner}/export?contactId=c`, { headers: bearer(token) });
    },
    401,
    "unauthorized",
  ],
  [
    "an erasure of everybody, by no contact",
    async (world) => admin(world, "POST", await world.tenant(), "/erase", {}),
    422,
    "invalid_request",
  ],
  [
    "an erasure of everybody, by an empty contact",
    async (world) => admin(world, "POST", await world.tenant(), "/erase", { contactId: "" }),
    422,
    "invalid_request",
  ],
  [
    "an erasure that names both",
    async (world) => admin(world, "POST", await world.tenant(), "/erase", { contactId: "c", ticketNumber: "t" }),
    422,
    "invalid_request",
  ],
  [
    "an export that names neither",
    async (world) => admin(world, "GET", await world.tenant(), "/export"),
    422,
    "invalid_request",
  ],
  [
    "an export of a tenant that never was",
    (world) => admin(world, "GET", { owner: randomUUID() }, "/export?contactId=c"),
    404,
    "unknown_owner",
  ],
  [
    "a reply to a ticket that was erased",
    async (world) => {
      const tenant = await world.tenant();
      const number = await openTicket(tenant);
      await ok(admin(world, "POST", tenant, "/erase", { ticketNumber: number }));
      return tenant.reply(number);
    },
    404,
    "unknown_ticket",
  ],
  [
    "the timeline of a ticket that was erased",
    async (world) => {
      const tenant = await world.tenant();
      const number = await openTicket(tenant);
      await ok(admin(world, "POST", tenant, "/erase", { ticketNumber: number }));
      return world.admin("GET", `/admin/tickets/${tenant.owner}/${number}`);
    },
    404,
    "unknown_ticket",
  ],
  [
    "a reply under the key of one that was erased, which is no repeat of it",
    async (world) => {
      const tenant = await world.tenant();
      const number = await openTicket(tenant);
      const key = { "idempotency-key": "k" };
      accepted(await tenant.reply(number, { message: "before" }, key));
      await ok(admin(world, "POST", tenant, "/erase", { ticketNumber: number }));
      accepted(await tenant.incoming(number));
      const reply = await tenant.reply(number, { message: "after" }, key);
      if (reply.headers.has("idempotent-replay")) throw new Error("the erased key is still known");
      return reply;
    },
    200,
  ],
];

/** Patterns that a search might take for more than themselves. */
export const WILDCARDS = ["%", "*", "_", "d61d", "' OR 1=1 --", "\n", "undefined"];

export const ATTEMPTS: Attempt[] = [...TOKEN, ...TENANT, ...CUSTOMER];

/** A ticket of a customer, known to its tenant's index. */
export const ticketOfContact = async (tenant: Tenant, contactId: string): Promise<string> => {
  const number = newTicketNumber();
  accepted(await tenant.incoming(number, { ...incomingEvent(tenant.owner, number), contactId }));
  return number;
};
