import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startFakeChatwoot, type FakeChatwoot } from "../../../dev/fakes/chatwoot.ts";
import { fakeEngine, type FakeEngine } from "../../../dev/fakes/engine.ts";
import { startFarEnd, type FarEnd } from "../../../dev/fakes/far-end.ts";
import { throwawaySettings } from "../../../dev/harness/relay.ts";
import { incomingEvent } from "../support/events.ts";
import { issuePaths, refusal } from "../support/http.ts";
import { bearer, newTicketNumber, type Tenant } from "../support/tenant.ts";
import { poll } from "../support/timeline.ts";
import { startWorld, type World } from "../support/world.ts";

/** Far ends in a network of their own, which a binding of the Worker leads into: addresses that nothing else could call. */

const ENGINE = "http://10.1.2.3:9443";
const DESK = "http://chatwoot.bank.internal";

let bank: FarEnd;
let office: FakeChatwoot;
let engine: FakeEngine;
let world: World;
beforeAll(async () => {
  [bank, office] = await Promise.all([startFarEnd(), startFakeChatwoot()]);
  engine = fakeEngine(bank, { username: "relay", password: "rahasia-bank-0123" });
  world = await startWorld({
    settings: { ALLOW_INSECURE_TARGETS: "false" },
    reaches: { BANK: hostOf(bank), OFFICE: hostOf(office) },
  });
});
afterAll(async () => {
  await world.stop();
  await Promise.all([bank, office].map((each) => each.close()));
});

const hostOf = ({ url }: { url: string }) => new URL(url).host;

const auth = { type: "login", username: "relay", password: "rahasia-bank-0123" };
const record = (more: { dolphins?: object; desk?: object } = {}) => ({
  dolphins: { baseUrl: ENGINE, reach: "BANK", auth, ...more.dolphins },
  desk: { ...office.record, baseUrl: DESK, reach: "OFFICE", ...more.desk },
});
const behindBindings = (): Promise<Tenant> => world.tenant({ record: record() });

test("events, logins, contacts, histories and tests of both far ends go through their bindings", async () => {
  const tenant = await behindBindings();
  const number = newTicketNumber();
  expect(await tenant.incoming(number, { contactId: "c1", message: "Halo" })).toBeAccepted();
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 1, "the desk");
  expect(await tenant.reply(number, {}, { prefer: "wait=10" })).toBeAccepted();
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDolphins.delivered === 1, "the engine");
  expect(office.messages.map(({ content }) => content)).toEqual(["Halo"]);

  engine.contacts.set("c1", { id: "c1", name: "Farhan" });
  const ask = (path: string) => world.call(path, { headers: bearer(tenant.token) });
  expect((await ask(`/v1/contacts/c1?ticketNumber=${number}`)).text).toContain("Farhan");
  expect((await ask(`/v1/tickets/${number}/history`)).status).toBe(200);
  for (const end of ["engine", "desk"]) {
    const { body } = await world.admin("POST", `/admin/tenants/${tenant.owner}/test/${end}`);
    expect(body, end).toMatchObject({ outcome: "delivered" });
  }
  expect(engine.problems).toEqual([]);
  expect([engine.count("login"), engine.count("event")]).toEqual([2, 1]);
  // What is asked for is told to the other side as well.
  expect(bank.received.map(({ headers }) => headers["host"])).toContain("10.1.2.3:9443");
});

test("media at the engine's own address come through its binding, and none from elsewhere in a network", async () => {
  const tenant = await behindBindings();
  const number = newTicketNumber();
  const before = bank.received.length ?? 0;
  const send = (host: string) =>
    tenant.incoming(number, { messageType: "image", message: "", mediaLink: `${host}/media/1.png` });
  expect(await send(ENGINE)).toBeAccepted();
  expect(await send("http://10.1.2.4:9443")).toBeAccepted();
  await tenant.untilTicket(number, ({ lanes }) => lanes.toDesk.delivered === 2, "both messages");
  const asked = bank.received.slice(before).filter(({ path }) => path.startsWith("/media/"));
  expect(asked?.map(({ headers }) => headers["host"])).toEqual(["10.1.2.3:9443"]);
});

test.each([
  ["a name that nothing has", "NOWHERE"],
  ["a KV namespace", "DIRECTORY"],
  ["a Durable Object", "TICKET"],
  ["a secret", "MASTER_KEY"],
  ["a rate limiter", "CALLER_RATE"],
  ["a word of the language", "constructor"],
  ["nothing", ""],
])("a record that is reached through %s is refused, and told what there is", async (_, reach) => {
  const put = (part: "dolphins" | "desk") => world.admin("PUT", "/admin/tenants/nobody", record({ [part]: { reach } }));
  for (const part of ["dolphins", "desk"] as const) {
    const refused = refusal(await put(part), 422, "invalid_tenant");
    expect(issuePaths(refused)).toContain(`${part}.reach`);
    expect(JSON.stringify(refused)).toMatch(/there are BANK, OFFICE|must not be empty/);
  }
});

test.each([
  ["a private address", "http://10.1.2.3:9443", undefined],
  ["a name inside", "https://dolphin.bank.svc", undefined],
  ["credentials in it", "http://relay:secret@10.1.2.3", "BANK"],
  ["no web address", "ftp://10.1.2.3", "BANK"],
])("a target with %s is refused, reached through a binding or not: %s", async (_, baseUrl, reach) => {
  const refused = await world.admin("PUT", "/admin/tenants/nobody", record({ dolphins: { baseUrl, reach } }));
  expect(issuePaths(refusal(refused, 422, "invalid_tenant"))).toEqual(["dolphins.baseUrl"]);
});

test("a target that is the relay itself is refused behind a binding as well", async () => {
  const desk = { type: "native", url: `${world.relay().url}/v1/outgoing`, reach: "OFFICE" };
  const refused = await world.admin("PUT", "/admin/tenants/nobody", { ...record(), desk });
  expect(issuePaths(refusal(refused, 422, "invalid_tenant"))).toEqual(["desk.url"]);
});

test("a secret that is not shown is not kept for another binding", async () => {
  const { owner } = await behindBindings();
  const masked = {
    dolphins: { auth: { ...auth, password: "***" } },
    desk: { apiAccessToken: "***", webhookSecret: "***" },
  };
  const put = (more: { dolphins?: object; desk?: object }) =>
    world.admin("PUT", `/admin/tenants/${owner}`, {
      ...record({ dolphins: { ...masked.dolphins, ...more.dolphins }, desk: { ...masked.desk, ...more.desk } }),
    });
  expect((await put({})).status).toBe(200);
  const engineMoved = refusal(await put({ dolphins: { reach: "OFFICE" } }), 422, "invalid_tenant");
  expect(issuePaths(engineMoved)).toEqual(["dolphins.auth.password"]);
  const deskMoved = refusal(await put({ desk: { reach: "BANK" } }), 422, "invalid_tenant");
  expect(issuePaths(deskMoved)).toEqual(["desk.apiAccessToken"]);
});

test("a message waits while its binding is gone, and says which", async () => {
  const persist = await mkdtemp(join(tmpdir(), "dolphin-relay-state-"));
  const settings = { ...throwawaySettings(), ALLOW_INSECURE_TARGETS: "false" };
  const before = await startWorld({ settings, persist, reaches: { BANK: hostOf(bank), OFFICE: hostOf(office) } });
  const { owner } = await before.tenant({ record: record() });
  await before.stop();
  const after = await startWorld({ settings, persist });
  const number = newTicketNumber();
  const body = incomingEvent(owner, number);
  expect(await after.call(`/v1/dolphins/${after.ingressKey}/incoming`, { method: "POST", body })).toBeAccepted();
  const ticket = await poll(
    () => after.admin("GET", `/admin/tickets/${owner}/${number}`),
    ({ text }) => text.includes('"attempts":[{'),
    "an attempt",
  );
  expect(ticket.text).toContain("the target's binding OFFICE is gone");
  expect(ticket.body).toMatchObject({ ticket: { lanes: { toDesk: { waiting: 1, dead: 0 } } } });
  await after.stop();
  await rm(persist, { recursive: true, force: true });
});
