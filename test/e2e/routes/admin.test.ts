import { randomBytes, randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import type { Received } from "../../../dev/fakes/far-end.ts";
import { outgoingEvent } from "../support/events.ts";
import { type Reply, accepted } from "../support/http.ts";
import { type Tenant, bearer, isSignedBy, newTicketNumber, openTicket } from "../support/tenant.ts";
import { type World, credentialsOf, startWorld } from "../support/world.ts";

const Tenants = z.strictObject({
  status: z.literal("success"),
  tenants: z.array(z.looseObject({ owner: z.string() })),
  next: z.string().optional(),
});

let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const pathOf = ({ owner }: { owner: string }): string => `/admin/tenants/${owner}`;
const rotate = (tenant: Tenant): Promise<Reply> => world.admin("POST", `${pathOf(tenant)}/credentials/rotate`);
const credentials = (tenant: Tenant): Promise<Reply> => world.admin("GET", `${pathOf(tenant)}/credentials`);

test("the tenant record has the documented defaults for what was left out", async () => {
  const tenant = await world.tenant();
  const answer = await world.admin("GET", pathOf(tenant));
  expect(answer.status).toBe(200);
  expect(answer.body).toMatchObject({
    status: "success",
    tenant: {
      deskId: tenant.owner,
      timeZone: "Asia/Jakarta",
      stickerText: "Stiker",
      dolphins: {
        baseUrl: tenant.engine.url,
        outgoingPath: "/outgoing",
        commandPath: "/command",
        apiPath: "/dolphin/apiv1",
        auth: { type: "none" },
      },
      desk: { type: "native", url: `${tenant.desk.url}/hooks/dolphins` },
      delivery: { timeoutMs: 10_000, maxAgeSeconds: 86_400, whenExhausted: "advance" },
      retentionDays: 30,
    },
  });
  expect(answer.body).not.toHaveProperty("tenant.ingress");
});

test("the tenant record comes back as it was put, and a second PUT replaces it whole", async () => {
  const tenant = await world.tenant();
  const dolphins = {
    baseUrl: tenant.engine.url,
    outgoingPath: "/in",
    commandPath: "/cmd",
    apiPath: "/api",
    auth: { type: "none" },
  };
  const record = {
    name: "Bank ABC",
    deskId: `acme-${randomUUID()}`,
    ingress: "main",
    timeZone: "Asia/Makassar",
    stickerText: "Sticker",
    dolphins,
    desk: { type: "native", url: `${tenant.desk.url}/elsewhere` },
    delivery: { timeoutMs: 5_000, maxAgeSeconds: 3_600, whenExhausted: "hold" },
    retentionDays: 7,
  };
  expect((await world.admin("PUT", pathOf(tenant), record)).status).toBe(200);
  expect((await world.admin("GET", pathOf(tenant))).body).toMatchObject({
    status: "success",
    tenant: record,
  });

  const { name: _, ingress: __, ...shorter } = record;
  expect((await world.admin("PUT", pathOf(tenant), shorter)).status).toBe(200);
  const after = await world.admin("GET", pathOf(tenant));
  expect(after.body).toMatchObject({ tenant: shorter });
  expect(after.body).not.toHaveProperty("tenant.ingress");
  expect(after.text).not.toContain("Bank ABC");
});

test("the tenant record takes effect on what is delivered next", async () => {
  const tenant = await world.tenant();
  const number = await openTicket(tenant);
  await world.putTenant(tenant, { dolphins: { outgoingPath: "/moved" } });
  expect(await tenant.reply(number)).toBeAccepted();
  const [received] = await tenant.engine.until((all) => all.length === 1, "the reply");
  expect(received?.path).toBe("/moved");
});

test("the tenant record shows a secret as *** and keeps it when *** is put", async () => {
  const secret = `hush-${randomBytes(8).toString("hex")}`;
  const auth = { type: "login", username: "bank", password: secret };
  const tenant = await world.tenant({ dolphins: { auth } });
  const shown = { type: "login", username: "bank", password: "***" };
  const put = await world.putTenant(tenant, { dolphins: { auth: shown } });
  expect(put.status).toBe(200);
  const got = await world.admin("GET", pathOf(tenant));
  expect(got.body).toMatchObject({ tenant: { dolphins: { auth: shown } } });
  const listed = await world.admin("GET", "/admin/tenants");
  for (const reply of [put, got, listed]) expect(reply.text).not.toContain(secret);

  tenant.engine.answerWith(({ path }) => ({
    status: 200,
    body: path.endsWith("/graph/auth") ? '{"token":"t"}' : "{}",
  }));
  expect(await tenant.reply(await openTicket(tenant))).toBeAccepted();
  const [login] = await tenant.engine.until((all) => all.length === 2, "login and reply");
  expect(JSON.parse(login?.body ?? "")).toEqual({ username: "bank", password: secret });
  expect(world.relay().logs.join("\n")).not.toContain(secret);
});

test("the tenant record replaces a secret that is put anew", async () => {
  const tenant = await world.tenant({ dolphins: { auth: { type: "bearer", token: "lama" } } });
  const number = await openTicket(tenant);
  await world.putTenant(tenant, { dolphins: { auth: { type: "bearer", token: "baru" } } });
  expect(await tenant.reply(number)).toBeAccepted();
  const [received] = await tenant.engine.until((all) => all.length === 1, "the reply");
  expect(received?.headers["authorization"]).toBe("Bearer baru");
});

test("the tenant record with *** where there is no secret to keep is refused", async () => {
  const tenant = await world.tenant();
  const put = await world.putTenant(tenant, {
    dolphins: { auth: { type: "bearer", token: "***" } },
  });
  expect(put).toBeRefused(422, "invalid_tenant");
});

test("the tenant record is listed once for every tenant, over as many pages as it takes", async () => {
  const many = 120;
  const owners = Array.from({ length: many }, () => `list-${randomUUID()}`);
  const record = {
    dolphins: { baseUrl: "http://127.0.0.1:9" },
    desk: { type: "native", url: "http://127.0.0.1:9/" },
  };
  const puts = await Promise.all(owners.map((owner) => world.admin("PUT", pathOf({ owner }), record)));
  expect(puts.map((put) => put.status)).toEqual(owners.map(() => 200));

  const listed: string[] = [];
  let next: string | undefined;
  let pages = 0;
  do {
    const query = next === undefined ? "" : `?next=${encodeURIComponent(next)}`;
    const page = Tenants.parse((await world.admin("GET", `/admin/tenants${query}`)).body);
    listed.push(...page.tenants.map((tenant) => tenant.owner));
    next = page.next;
    pages += 1;
  } while (next !== undefined && pages < many);
  expect(new Set(listed).size).toBe(listed.length);
  expect(listed).toEqual(expect.arrayContaining(owners));
  expect(pages).toBeGreaterThan(1);
});

const tokenWorks = async (tenant: Tenant, number: string, token: string): Promise<boolean> => {
  const request = {
    method: "POST",
    body: outgoingEvent(tenant.owner, number),
    headers: bearer(token),
  };
  const reply = await world.call("/v1/outgoing", request);
  if (reply.status === 200) return true;
  expect(reply).toBeRefused(401, "unauthorized");
  return false;
};
const secretWorks = async (tenant: Tenant, number: string, secret: string): Promise<boolean> => {
  const reply = await tenant.signed("/v1/outgoing", outgoingEvent(tenant.owner, number), {
    secret,
  });
  if (reply.status === 200) return true;
  expect(reply).toBeRefused(401, "unauthorized");
  return false;
};

const signedBy = (received: Received | undefined, secrets: string[]): boolean[] =>
  secrets.map((secret) => received !== undefined && isSignedBy(received, secret));

test("rotated credentials are new, the generation before stays good, and the one before that does not", async () => {
  const tenant = await world.tenant();
  const number = await openTicket(tenant);
  const generations = [{ token: tenant.token, signingSecret: tenant.signingSecret }];
  for (const expected of [
    [true, true],
    [false, true, true],
  ]) {
    const rotated = await rotate(tenant);
    expect(rotated.status).toBe(200);
    generations.push(credentialsOf(await credentials(tenant)));
    const tokens = await Promise.all(generations.map(({ token }) => tokenWorks(tenant, number, token)));
    const secrets = await Promise.all(
      generations.map(({ signingSecret }) => secretWorks(tenant, number, signingSecret)),
    );
    expect({ tokens, secrets }).toEqual({ tokens: expected, secrets: expected });
  }
  expect(new Set(generations.flatMap((each) => [each.token, each.signingSecret])).size).toBe(6);
});

test("rotated credentials are both used to sign what goes to the desk", async () => {
  const tenant = await world.tenant();
  expect(await tenant.incoming(newTicketNumber())).toBeAccepted();
  const [before] = await tenant.desk.until((all) => all.length === 1, "the message before");
  expect(before?.headers["webhook-signature"]?.split(" ")).toHaveLength(1);

  await rotate(tenant);
  const fresh = credentialsOf(await credentials(tenant));
  expect(await tenant.incoming(newTicketNumber())).toBeAccepted();
  await tenant.desk.until((all) => all.length === 2, "the message after");
  expect(signedBy(tenant.desk.received[1], [tenant.signingSecret, fresh.signingSecret])).toEqual([true, true]);
  expect(tenant.desk.received[1]?.headers["webhook-signature"]?.split(" ")).toHaveLength(2);

  await rotate(tenant);
  expect(await tenant.incoming(newTicketNumber())).toBeAccepted();
  await tenant.desk.until((all) => all.length === 3, "the message after the second rotation");
  expect(signedBy(tenant.desk.received[2], [tenant.signingSecret, fresh.signingSecret])).toEqual([false, true]);
  expect(tenant.desk.received[2]?.headers["webhook-signature"]?.split(" ")).toHaveLength(2);
});

test("rotated credentials are one pair for all tenants of a desk", async () => {
  const deskId = `desk-${randomUUID()}`;
  const [one, other] = [await world.tenant({ deskId }), await world.tenant({ deskId })];
  expect([other.token, other.signingSecret]).toEqual([one.token, one.signingSecret]);
  await rotate(other);
  const fresh = credentialsOf(await credentials(one));
  expect(fresh).toEqual(credentialsOf(await credentials(other)));
  expect(fresh.token).not.toBe(one.token);
  const number = await openTicket(one);
  expect(await tokenWorks(one, number, fresh.token)).toBe(true);
  expect(await secretWorks(one, number, fresh.signingSecret)).toBe(true);
});

test("deleting a tenant ends the acceptance of events at once", async () => {
  const deskId = `desk-${randomUUID()}`;
  const [kept, gone] = [await world.tenant({ deskId }), await world.tenant({ deskId })];
  const number = await openTicket(gone);
  expect((await world.admin("DELETE", pathOf(gone))).status).toBe(200);
  expect(await world.admin("GET", pathOf(gone))).toBeRefused(404, "unknown_owner");
  expect(await gone.incoming(number)).toBeRefused(404, "unknown_owner");
  expect(await gone.engineClose(number)).toBeRefused(404, "unknown_owner");
  expect(await gone.reply(number)).toBeRefused(403, "wrong_owner");
  expect(await gone.close(number)).toBeRefused(403, "wrong_owner");
  expect(await gone.signed("/v1/outgoing", outgoingEvent(gone.owner, number))).toBeRefused(401, "unauthorized");
  expect(await kept.reply(await openTicket(kept))).toBeAccepted();
});

test("deleting a tenant leaves what waits waiting, and a new PUT lets it go on", async () => {
  const tenant = await world.tenant();
  const number = newTicketNumber();
  tenant.desk.answerWith(() => ({ status: 503 }));
  const sent = [];
  for (const message of ["satu", "dua"]) sent.push(accepted(await tenant.incoming(number, { message })).id);
  await tenant.desk.until((received) => received.length === 1, "a first refusal");
  expect((await world.admin("DELETE", pathOf(tenant))).status).toBe(200);
  tenant.desk.answerWith(() => ({ status: 200 }));
  const atDelete = tenant.desk.received.length;

  expect((await world.putTenant(tenant)).status).toBe(200);
  await tenant.desk.until((received) => received.length === atDelete + 2, "both messages", 45_000);
  expect(tenant.desk.received.slice(atDelete).map(({ headers }) => headers["webhook-id"])).toEqual(sent);
  expect(accepted(await tenant.incoming(number)).sequence).toBe(3);
});
