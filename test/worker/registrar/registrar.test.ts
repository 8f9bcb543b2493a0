import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import type { Tenant } from "../../../src/tenants/tenant-record";
import { sweep } from "../tenant-index/index-world";
import {
  accepted,
  call,
  fresh,
  incoming,
  operator,
  OPERATOR,
  outgoing,
  registerTenant,
  tokenOf,
  untilView,
  useFarEnds,
} from "../world";

const farEnds = useFarEnds();

/** Longer than an isolate goes by what it has read. */
const FORGET_MS = 31_000;
const passTime = (ms = FORGET_MS) => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
const registrarOf = (owner: string) => env.REGISTRAR.getByName(`tenant:${owner}`);
const desk = { type: "native", url: "https://desk.example.com/hook" };
const withPassword = (token: string) => ({
  dolphins: { baseUrl: "https://bank.example.com", auth: { type: "bearer", token } },
  desk,
});
const tokenStatus = async (token: string) =>
  (await call("/v1/tickets/none", { headers: { authorization: `Bearer ${token}` } })).status;
const rotate = async (owner: string, body?: unknown) =>
  ((await operator("POST", `/tenants/${owner}/credentials/rotate`, body)) as { credentials: { token: string } })
    .credentials.token;
const refusalOf = async (method: string, path: string, body?: unknown) => {
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  const answer = await call(`/admin${path}`, { method, headers: OPERATOR, ...init });
  const { error } = await answer.json<{ error?: { code: string } }>();
  return [answer.status, error?.code];
};
/** What the engine was told to believe in. */
const passwords = () =>
  farEnds.sent.filter(({ url }) => url.startsWith("https://bank")).map(({ headers }) => headers.get("authorization"));

test("a rotation that revokes ends the generation before at once, and one that does not leaves it for a day", async () => {
  const owner = await registerTenant();
  const first = await tokenOf(owner);
  const second = await rotate(owner);
  expect([await tokenStatus(first), await tokenStatus(second)]).toEqual([404, 404]);
  const third = await rotate(owner, { revoke: true });
  expect([await tokenStatus(first), await tokenStatus(second), await tokenStatus(third)]).toEqual([401, 401, 404]);
  expect(await refusalOf("POST", `/tenants/${owner}/credentials/rotate`, { revoke: "yes" })).toEqual([
    422,
    "invalid_request",
  ]);
});

test("a revoked token opens nothing where KV shows the time before two rotations, and the newest opens", async () => {
  const owner = await registerTenant();
  const first = await tokenOf(owner);
  const leaked = await rotate(owner);
  const newest = await rotate(owner, { revoke: true });
  // As a place sees it that KV has told of nothing.
  await env.DIRECTORY.delete(`desk:${owner}`);
  passTime();
  expect([await tokenStatus(first), await tokenStatus(leaked), await tokenStatus(newest)]).toEqual([401, 401, 404]);
});

test("an older record that is put back into KV brings no old password back, and KV is given the newest again", async () => {
  const owner = await registerTenant(withPassword("old"));
  const older = (await env.DIRECTORY.get(`tenant:${owner}`)) ?? "";
  await operator("PUT", `/tenants/${owner}`, withPassword("new"));
  await accepted(incoming(owner, "t", "Halo"));
  await env.DIRECTORY.put(`tenant:${owner}`, older);
  passTime();
  await accepted(outgoing(await tokenOf(owner), "t", "balasan"));
  await untilView(owner, "t", ({ lanes }) => lanes.toDolphins.delivered === 1);
  expect(passwords()).toEqual(["Bearer new"]);
  // `***` keeps what the Registrar has.
  await env.DIRECTORY.put(`tenant:${owner}`, older);
  passTime();
  await operator("PUT", `/tenants/${owner}`, { ...withPassword("***"), name: "Bank" });
  await accepted(outgoing(await tokenOf(owner), "t", "lagi"));
  await untilView(owner, "t", ({ lanes }) => lanes.toDolphins.delivered === 2);
  expect(passwords()).toEqual(["Bearer new", "Bearer new"]);

  await env.DIRECTORY.put(`tenant:${owner}`, older);
  passTime(180_000);
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => lines.push(line));
  await sweep();
  await vi.waitFor(async () => {
    expect((await env.DIRECTORY.get<Tenant>(`tenant:${owner}`, "json"))?.name).toBe("Bank");
  });
  expect(lines.filter((line) => line.includes('"record_restored"'))).toHaveLength(1);
});

test("a record of a release that did not number them works, and the first PUT numbers it", async () => {
  const owner = await registerTenant();
  const { version: _, ...unnumbered } = (await env.DIRECTORY.get<Tenant>(`tenant:${owner}`, "json")) as Tenant;
  const legacy = fresh("owner");
  await env.DIRECTORY.put(`tenant:${legacy}`, JSON.stringify({ ...unnumbered, owner: legacy, deskId: legacy }));
  await accepted(incoming(legacy, "t", "Halo"));
  await operator("PUT", `/tenants/${legacy}`, { ...withPassword("new"), name: "Bank" });
  expect((await env.DIRECTORY.get<Tenant>(`tenant:${legacy}`, "json"))?.version).toBe(1);
  expect(await operator("GET", `/tenants/${legacy}`)).not.toHaveProperty("tenant.version");
});

test("two records put at once take effect one after the other, and neither half", async () => {
  const owner = await registerTenant();
  const put = (name: string) => operator("PUT", `/tenants/${owner}`, { ...withPassword(name), name });
  await Promise.all(["one", "two", "three"].map(put));
  const stored = (await env.DIRECTORY.get<Tenant>(`tenant:${owner}`, "json")) as Tenant;
  expect(stored.version).toBe(4);
  await accepted(incoming(owner, "t", "Halo"));
  await accepted(outgoing(await tokenOf(owner), "t", "balasan"));
  await untilView(owner, "t", ({ lanes }) => lanes.toDolphins.delivered === 1);
  expect(passwords()).toEqual([`Bearer ${stored.name}`]);
});

test("what was decided outlives the object's memory", async () => {
  const owner = await registerTenant(withPassword("old"));
  await evictDurableObject(registrarOf(owner));
  await operator("PUT", `/tenants/${owner}`, withPassword("***"));
  expect((await env.DIRECTORY.get<Tenant>(`tenant:${owner}`, "json"))?.version).toBe(2);
});

test("a deleted tenant's owner is for its own desk until it is purged, and then for any", async () => {
  const [deskId, other] = [fresh("desk"), fresh("desk")];
  const owner = await registerTenant({ deskId });
  const token = await tokenOf(owner);
  await operator("DELETE", `/tenants/${owner}`);
  const record = { dolphins: { baseUrl: "https://bank.example.com" }, desk };
  expect(await refusalOf("PUT", `/tenants/${owner}`, { ...record, deskId: other })).toEqual([409, "owner_in_use"]);
  await operator("PUT", `/tenants/${owner}`, { ...record, deskId });
  // Its own credentials are good again.
  expect(await tokenOf(owner)).toBe(token);
  expect(await tokenStatus(token)).toBe(404);
  await operator("DELETE", `/tenants/${owner}?purge=true`);
  await vi.waitFor(async () => {
    passTime(5_000);
    await runDurableObjectAlarm(registrarOf(owner));
    expect(await operator("GET", `/tenants/${owner}/purge`)).toMatchObject({ purge: { state: "done" } });
  });
  await operator("PUT", `/tenants/${owner}`, { ...record, deskId: other });
  expect(await refusalOf("GET", `/tenants/${owner}/purge`)).toEqual([404, "not_found"]);
});

test("when a desk's last tenant is gone, its credentials do not open the next one's", async () => {
  const deskId = fresh("desk");
  const [first, second] = [await registerTenant({ deskId }), await registerTenant({ deskId })];
  const token = await tokenOf(first);
  await operator("DELETE", `/tenants/${first}`);
  // One is still there: whoever comes shares the desk with it.
  const third = await registerTenant({ deskId });
  expect(await tokenOf(third)).toBe(token);
  for (const owner of [second, third]) await operator("DELETE", `/tenants/${owner}`);
  const newcomer = await registerTenant({ deskId });
  expect(await tokenOf(newcomer)).not.toBe(token);
  expect(await tokenStatus(token)).toBe(401);
});

test("a tenant of an earlier release is known to be there by KV alone, and its desk's credentials stay", async () => {
  const deskId = fresh("desk");
  const first = await registerTenant({ deskId });
  const token = await tokenOf(first);
  const record = (await env.DIRECTORY.get<Tenant>(`tenant:${first}`, "json")) as Tenant;
  const legacy = fresh("owner");
  await env.DIRECTORY.put(`tenant:${legacy}`, JSON.stringify({ ...record, owner: legacy }));
  await env.DIRECTORY.put(`member:${await hash(deskId)}:${await hash(legacy)}`, "", { metadata: { owner: legacy } });
  await operator("DELETE", `/tenants/${first}`);
  expect(await tokenOf(await registerTenant({ deskId }))).toBe(token);
});

const hash = async (text: string) =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).toBase64({
    alphabet: "base64url",
    omitPadding: true,
  });
