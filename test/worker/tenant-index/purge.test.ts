import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { TenantIndex, Ticket } from "../../../src/index";
import { indexOf, list } from "./index-world";
import {
  accepted,
  call,
  incoming,
  operator,
  OPERATOR,
  outgoing,
  registerTenant,
  ticketOf,
  tokenOf,
  untilView,
  useFarEnds,
} from "../world";

const farEnds = useFarEnds();
const WAIT = { timeout: 15_000, interval: 20 };

const registrarOf = (owner: string) => env.REGISTRAR.getByName(`tenant:${owner}`);
type Purge = { purge: { state: string; tickets: { deleted: number; left: number } } };
const progressOf = async (owner: string) => ((await operator("GET", `/tenants/${owner}/purge`)) as Purge).purge;
const isThere = async (owner: string, ticketNumber: string) =>
  (await ticketOf(owner, ticketNumber).timeline({ toDesk: { before: 9 } })).ok;
const hasRows = (owner: string, ticketNumber: string) =>
  runInDurableObject(ticketOf(owner, ticketNumber), (_ticket, { storage }) =>
    storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '_cf%'").toArray(),
  ).then((tables) => tables.length > 0);
const keysIn = async () => (await env.DIRECTORY.list()).keys.map(({ name }) => name);

/** Tickets that the index knows. */
async function reported(owner: string, numbers: string[], more: Record<string, unknown> = {}): Promise<void> {
  for (const number of numbers) {
    await accepted(incoming(owner, number, "Halo", more));
    await untilView(owner, number, ({ lanes }) => lanes.toDesk.waiting === 0);
    await ticketOf(owner, number).sweep();
  }
  expect((await list(owner, "")).tickets.map((one) => one.ticketNumber)).toEqual(expect.arrayContaining(numbers));
}
async function untilPurged(owner: string): Promise<Purge["purge"]> {
  return vi.waitFor(async () => {
    await runDurableObjectAlarm(indexOf(owner));
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 1_000 });
    await runDurableObjectAlarm(registrarOf(owner));
    const purge = await progressOf(owner);
    expect(purge.state).toBe("done");
    return purge;
  }, WAIT);
}

test("a purge leaves nothing of a tenant: no ticket, no row, no key in KV, no login", async () => {
  const owner = await registerTenant();
  // Of a desk with several tenants, whose tickets stand in KV.
  const other = await registerTenant({ deskId: owner });
  await reported(owner, ["a", "b", "c"]);
  await vi.waitFor(async () => expect((await keysIn()).filter((key) => key.startsWith("ticket:"))).toHaveLength(3));
  const upgrade = { headers: { ...OPERATOR, upgrade: "websocket" } };
  const { webSocket } = await call(`/admin/tenants/${owner}/events`, upgrade);
  webSocket?.accept();
  const closed = new Promise<string>((fulfil) => webSocket?.addEventListener("close", (event) => fulfil(event.reason)));
  await env.DIRECTORY.put(`key:${owner}`, "[]");

  const begun = (await operator("DELETE", `/tenants/${owner}?purge=true`)) as Purge;
  expect(begun.purge).toMatchObject({ state: "running", tickets: { left: 3 } });
  const record = {
    dolphins: { baseUrl: "https://bank.example.com" },
    desk: { type: "native", url: "https://d.example" },
  };
  const again = await call(`/admin/tenants/${owner}`, {
    method: "PUT",
    headers: OPERATOR,
    body: JSON.stringify(record),
  });
  expect([again.status, await again.text()]).toEqual([409, expect.stringContaining('"purging"')]);
  expect((await incoming(owner, "a", "too late")).status).toBe(404);
  // The key is gone before anything else is.
  expect(await env.DIRECTORY.get(`key:${owner}`)).toBeNull();

  expect(await untilPurged(owner)).toMatchObject({ tickets: { deleted: 3, left: 0 } });
  expect(await closed).toBe("gone");
  for (const number of ["a", "b", "c"]) expect(await hasRows(owner, number)).toBe(false);
  const index = await runInDurableObject(indexOf(owner), (_index, { storage }) =>
    storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '_cf%'").toArray(),
  );
  expect(index).toEqual([]);
  const ofOther = new Set([`tenant:${other}`, `key:${other}`]);
  expect((await keysIn()).filter((key) => !ofOther.has(key) && !key.startsWith("member:"))).toEqual([]);
  expect(await env.DIRECTORY.list<{ owner: string }>({ prefix: "member:" })).toMatchObject({
    keys: [{ metadata: { owner: other } }],
  });

  // The owner begins anew, with nothing of before.
  await operator("PUT", `/tenants/${owner}`, record);
  expect((await list(owner, "")).tickets).toEqual([]);
  expect((await incoming(owner, "a", "Halo")).headers.get("relay-sequence")).toBe("1");
  await untilView(owner, "a", ({ lanes }) => lanes.toDesk.delivered === 1);
  await ticketOf(owner, "a").sweep();
  expect((await list(owner, "")).tickets).toHaveLength(1);
});

test("a tenant that was deleted before is purged as well, and one that never was is unknown", async () => {
  const owner = await registerTenant();
  await reported(owner, ["a"]);
  await operator("DELETE", `/tenants/${owner}`);
  await operator("DELETE", `/tenants/${owner}?purge=true`);
  await untilPurged(owner);
  expect(await isThere(owner, "a")).toBe(false);
  // Asked for again, it says that it is done.
  expect(await operator("DELETE", `/tenants/${owner}?purge=true`)).toMatchObject({ purge: { state: "done" } });
  const unknown = await call("/admin/tenants/nobody?purge=true", { method: "DELETE", headers: OPERATOR });
  expect(unknown.status).toBe(404);
});

test("a purge goes on after a ticket that fails, and after its objects have been reset", async () => {
  const owner = await registerTenant();
  await reported(owner, ["a", "b", "c"]);
  const erase = Reflect.get(Ticket.prototype, "erase");
  let failures = 0;
  vi.spyOn(Ticket.prototype, "erase").mockImplementation(async function (this: Ticket, ...contact) {
    if (failures++ < 2) throw new Error("overloaded");
    return erase.apply(this, contact);
  });
  await operator("DELETE", `/tenants/${owner}?purge=true`);
  await vi.waitFor(async () => {
    await runDurableObjectAlarm(indexOf(owner));
    expect(await progressOf(owner)).toMatchObject({ state: "running", tickets: { deleted: 1, left: 2 } });
  }, WAIT);
  await evictDurableObject(indexOf(owner));
  await evictDurableObject(registrarOf(owner));
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
  expect(await untilPurged(owner)).toMatchObject({ tickets: { deleted: 3, left: 0 } });
});

test("more tickets than one run takes are deleted in several", async () => {
  const owner = await registerTenant();
  await reported(owner, ["a"]);
  const asked = vi.spyOn(Ticket.prototype, "erase").mockResolvedValue({ state: "absent", messages: 0 });
  for (let n = 0; n < 250; n++) {
    const lane = { accepted: 1, delivered: 1, waiting: 0, dead: 0 };
    await indexOf(owner).report({
      ticketNumber: `t${n}`,
      atMs: Date.now(),
      openedAtMs: Date.now(),
      channel: "whatsapp",
      contactId: "c",
      customerName: "",
      state: "open",
      lanes: { toDesk: lane, toDolphins: lane },
      minutes: [],
    });
  }
  // An alarm rings by itself as well.
  const runs: number[] = [];
  const alarm = Reflect.get(TenantIndex.prototype, "alarm");
  vi.spyOn(TenantIndex.prototype, "alarm").mockImplementation(async function (this: TenantIndex) {
    const before = asked.mock.calls.length;
    await alarm.call(this);
    runs.push(asked.mock.calls.length - before);
  });
  await operator("DELETE", `/tenants/${owner}?purge=true`);
  await untilPurged(owner);
  expect(runs.filter((tickets) => tickets > 0)).toEqual([200, 51]);
});

test("a delivery that is under way when its ticket is purged leaves nothing behind when it ends", async () => {
  const owner = await registerTenant();
  const { promise, resolve } = Promise.withResolvers<Response>();
  farEnds.answerWith(() => promise);
  await accepted(incoming(owner, "t", "Halo"));
  await farEnds.until(1);
  await ticketOf(owner, "t").sweep();
  await operator("DELETE", `/tenants/${owner}?purge=true`);
  await untilPurged(owner);
  resolve(Response.json({ status: "success" }));
  await new Promise((fulfil) => setTimeout(fulfil, 50));
  expect(await hasRows(owner, "t")).toBe(false);
});

test("an outcome that comes after the ticket was erased and opened anew is not taken for another message's", async () => {
  const owner = await registerTenant();
  const { promise, resolve } = Promise.withResolvers<Response>();
  farEnds.answerWith(() => promise);
  await accepted(incoming(owner, "t", "before"));
  await farEnds.until(1);
  await operator("POST", `/tenants/${owner}/erase`, { ticketNumber: "t" });
  farEnds.answerWith(() => new Response("", { status: 503 }));
  await accepted(incoming(owner, "t", "after"));
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.nextAttemptAt !== undefined);
  resolve(Response.json({ status: "success" }));
  await new Promise((fulfil) => setTimeout(fulfil, 50));
  const view = await untilView(owner, "t", () => true);
  expect(view.lanes.toDesk).toMatchObject({ accepted: 1, delivered: 0, waiting: 1 });
});

test("an event that had passed the door before a purge leaves no ticket behind", async () => {
  const owner = await registerTenant();
  await reported(owner, ["a"]);
  await operator("DELETE", `/tenants/${owner}?purge=true`);
  await untilPurged(owner);
  // Its Worker still went by what it had read.
  const late = { kind: "incoming", lane: "toDesk", channel: "w", contactId: "c", customerName: "n" } as const;
  const event = { ...late, owner, ticketNumber: "late", deskId: owner, event: "{}", idempotencyKey: undefined };
  await ticketOf(owner, "late").accept({ ...event, fromWebhook: false });
  await vi.waitFor(async () => {
    await ticketOf(owner, "late").sweep();
    expect(await hasRows(owner, "late")).toBe(false);
  }, WAIT);
  expect((await keysIn()).filter((key) => key.startsWith("ticket:"))).toEqual([]);
});

type Erased = { erased: { ticketNumber: string; messages: number }[]; left: number };
const erase = (owner: string, which: object) => operator("POST", `/tenants/${owner}/erase`, which) as Promise<Erased>;

test("erasing a contact deletes the tickets that are its, those that were, and those of nobody else", async () => {
  const owner = await registerTenant();
  const [c1, c2] = [{ contactId: "C1" }, { contactId: "c1" }];
  await reported(owner, ["mine", "merged"], c1);
  await accepted(incoming(owner, "merged", "under another contact", c2));
  await untilView(owner, "merged", ({ lanes }) => lanes.toDesk.delivered === 2);
  await reported(owner, ["other"], c2);
  await reported(owner, ["named"], { contactId: "c3", customerName: "C1" });
  farEnds.answerWith(() => new Response("", { status: 422 }));
  await accepted(incoming(owner, "mine", "a dead letter", c1));
  await untilView(owner, "mine", ({ lanes }) => lanes.toDesk.dead === 1);
  await ticketOf(owner, "merged").sweep();

  const { erased, left } = await erase(owner, c1);
  expect(erased.toSorted((a, b) => a.ticketNumber.localeCompare(b.ticketNumber))).toEqual([
    { ticketNumber: "merged", messages: 2 },
    { ticketNumber: "mine", messages: 2 },
  ]);
  expect(left).toBe(0);
  for (const number of ["mine", "merged"]) expect(await hasRows(owner, number)).toBe(false);
  expect((await list(owner, "")).tickets.map((one) => one.ticketNumber).toSorted()).toEqual(["named", "other"]);
  // To ask again does no harm.
  expect(await erase(owner, c1)).toMatchObject({ erased: [], left: 0 });
  expect((await incoming(owner, "mine", "back again", c1)).headers.get("relay-sequence")).toBe("1");
  await ticketOf(owner, "mine").sweep();
  expect(await hasRows(owner, "mine")).toBe(true);
});

test("a ticket that the index had not heard of when its contact was erased goes when it reports", async () => {
  const owner = await registerTenant();
  await reported(owner, ["known"], { contactId: "C9" });
  await accepted(incoming(owner, "new", "just now", { contactId: "C9" }));
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 5 });
  await erase(owner, { contactId: "C9" });
  await vi.waitFor(async () => {
    await ticketOf(owner, "new").sweep();
    expect(await hasRows(owner, "new")).toBe(false);
  }, WAIT);
});

test("what one request does not erase is erased by the alarm", async () => {
  const owner = await registerTenant();
  await reported(owner, ["a", "b"], { contactId: "C5" });
  vi.spyOn(Ticket.prototype, "erase").mockRejectedValueOnce(new Error("overloaded"));
  expect(await erase(owner, { contactId: "C5" })).toMatchObject({ erased: [{ messages: 1 }], left: 1 });
  await evictDurableObject(indexOf(owner));
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 10_000 });
  await runDurableObjectAlarm(indexOf(owner));
  expect((await list(owner, "")).tickets).toEqual([]);
});

test("the tickets of a tenant that goes to another desk go with it, and nothing of them stays under the first", async () => {
  const owner = await registerTenant();
  await registerTenant({ deskId: owner });
  await registerTenant({ deskId: `${owner}-2` });
  const token = await tokenOf(owner);
  await reported(owner, ["t"]);
  await vi.waitFor(async () => expect((await keysIn()).filter((key) => key.startsWith("ticket:"))).toHaveLength(1));
  const before = (await keysIn()).find((key) => key.startsWith("ticket:"));
  await operator("PUT", `/tenants/${owner}`, {
    deskId: `${owner}-2`,
    dolphins: { baseUrl: "https://bank.example.com" },
    desk: { type: "native", url: "https://desk.example.com/hook" },
  });
  await vi.waitFor(async () => {
    await runDurableObjectAlarm(indexOf(owner));
    const mapped = (await keysIn()).filter((key) => key.startsWith("ticket:"));
    expect(mapped).toHaveLength(1);
    expect(mapped).not.toEqual([before]);
  }, WAIT);
  expect((await outgoing(token, "t", "from the old desk")).status).toBe(404);
  expect((await outgoing(await tokenOf(owner), "t", "from the new one")).status).toBe(200);
});
