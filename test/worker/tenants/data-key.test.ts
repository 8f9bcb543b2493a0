import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import type { MasterKeys } from "../../../src/crypto/derive";
import type { Registrar } from "../../../src/index";
import type { KeptKey } from "../../../src/tenants/data-key";
import { Directory } from "../../../src/tenants/directory";
import { Texts } from "../../../src/tenants/texts";
import { accepted, fresh, incoming, operator, registerTenant, untilView, useFarEnds } from "../world";

/** The data key of a tenant: made once, kept in KV alone, and gone when it is destroyed. */

const farEnds = useFarEnds();
const PLACE = ["toDesk", "incoming", "msg_1"];
/** Longer than an isolate goes by what it has read. */
const FORGET_MS = 31_000;
const forget = () => vi.setSystemTime(Date.now() + FORGET_MS);

afterEach(() => vi.useRealTimers());

const base64Of = (fill: number) => new Uint8Array(32).fill(fill).toBase64();
const bytesOf = (fill: number) => new Uint8Array(32).fill(fill);

const registrarOf = (owner: string): DurableObjectStub<Registrar> => env.REGISTRAR.getByName(`tenant:${owner}`);
const keptIn = (owner: string) => env.DIRECTORY.get<KeptKey[]>(`key:${owner}`, "json");

/** Gives the tenant's Registrar other settings, as a deploy does. */
async function deploy(owner: string, settings: Record<string, string>): Promise<void> {
  // Only one that runs can be ended.
  await registrarOf(owner).isThere();
  await evictDurableObject(registrarOf(owner));
  await runInDurableObject(registrarOf(owner), (registrar) =>
    Object.assign(registrar, { env: { ...env, ...settings } }),
  );
}

/** A Worker or an object with these settings. */
const textsWith = (...fills: [number, ...number[]]) => {
  const [first, ...others] = fills;
  const masterKeys: MasterKeys = [bytesOf(first), ...others.map(bytesOf)];
  return new Texts({ directory: new Directory(env.DIRECTORY), masterKeys: () => masterKeys, registrar: registrarOf });
};

/** A tenant whose Registrar has the MASTER_KEY 1, with one text sealed. */
async function withOneText() {
  vi.useFakeTimers({ toFake: ["Date"] });
  const owner = fresh("owner");
  const ticket = { owner, ticketNumber: "t" };
  await deploy(owner, { MASTER_KEY: base64Of(1) });
  const sealed = await textsWith(1).seal(ticket, PLACE, "Halo");
  return { owner, ticket, sealed };
}

test("two places that need a tenant's first key at once get the same one", async () => {
  const owner = fresh("owner");
  const [one, other] = await Promise.all([
    registrarOf(owner).makeDataKey(owner),
    registrarOf(owner).makeDataKey(owner),
  ]);
  expect(one).toHaveLength(1);
  expect(other).toEqual(one);
  expect(await keptIn(owner)).toEqual(one);
});

test("a tenant's key is there as soon as its record is, and no object has it", async () => {
  const owner = await registerTenant();
  const [kept] = (await keptIn(owner)) ?? [];
  expect(kept?.sealed).toMatch(/^sealed:v1:/);
  const stored = await runInDurableObject(registrarOf(owner), (_registrar, { storage }) => [...storage.kv.list()]);
  expect(stored).toContainEqual(["hasDataKey", true]);
  expect(JSON.stringify(stored)).not.toContain(kept?.sealed ?? "");
});

test("where KV does not show the key that was made, no other is made in its place, and nothing is accepted", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const owner = await registerTenant();
  const kept = JSON.stringify(await keptIn(owner));
  await env.DIRECTORY.delete(`key:${owner}`);
  await evictDurableObject(registrarOf(owner));
  forget();
  const refused = await incoming(owner, "t", "Halo");
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
  expect(await keptIn(owner)).toBeNull();
  expect(farEnds.sent).toEqual([]);
  await env.DIRECTORY.put(`key:${owner}`, kept);
  await accepted(incoming(owner, "t", "Halo"));
});

test("while KV is away, a key that is known goes on sealing and opening", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const owner = await registerTenant();
  await accepted(incoming(owner, "t", "one"));
  forget();
  const kv = Object.getPrototypeOf(env.DIRECTORY) as KVNamespace;
  const get = vi.spyOn(kv, "get").mockRejectedValue(new Error("KV GET failed: 500"));
  await accepted(incoming(owner, "t", "two"));
  await untilView(owner, "t", ({ lanes }) => lanes.toDesk.delivered === 2);
  expect(get).toHaveBeenCalled();
  expect(farEnds.texts()).toEqual(["one", "two"]);
});

test("a rotation of MASTER_KEY keeps what was sealed: the key is sealed anew when the record is put, and opens with the new one alone", async () => {
  const { owner, ticket, sealed } = await withOneText();
  const before = await keptIn(owner);
  await deploy(owner, { MASTER_KEY: base64Of(2), MASTER_KEY_PREVIOUS: base64Of(1) });
  expect(await textsWith(2, 1).open(ticket, PLACE, sealed)).toEqual({ ok: true, value: "Halo" });
  await registrarOf(owner).sealDataKeysAnew(owner);
  const after = await keptIn(owner);
  expect(after?.map(({ id }) => id)).toEqual(before?.map(({ id }) => id));
  expect(after).not.toEqual(before);
  forget();
  expect(await textsWith(2).open(ticket, PLACE, sealed)).toEqual({ ok: true, value: "Halo" });
  expect(await textsWith(1).open(ticket, PLACE, sealed)).toMatchObject({ ok: false, error: { isFinal: false } });
});

test("while no MASTER_KEY is being rotated, a record that is put writes no key", async () => {
  const owner = await registerTenant();
  const put = vi.spyOn(Object.getPrototypeOf(env.DIRECTORY) as KVNamespace, "put");
  await operator(
    "PUT",
    `/tenants/${owner}`,
    ((await operator("GET", `/tenants/${owner}`)) as { tenant: unknown }).tenant,
  );
  expect(put.mock.calls.map(([key]) => key)).not.toContain(`key:${owner}`);
});

test("under a MASTER_KEY that opens no key another is made, and the old one opens again when its MASTER_KEY is found", async () => {
  const { owner, ticket, sealed } = await withOneText();
  await deploy(owner, { MASTER_KEY: base64Of(2) });
  const other = await textsWith(2).seal(ticket, PLACE, "Hai");
  expect(await keptIn(owner)).toHaveLength(2);
  expect(await textsWith(2).open(ticket, PLACE, other)).toEqual({ ok: true, value: "Hai" });
  expect(await textsWith(2).open(ticket, PLACE, sealed)).toEqual({
    ok: false,
    error: { isFinal: false, why: "the tenant's data key does not open: was MASTER_KEY changed?" },
  });
  const both = textsWith(2, 1);
  expect(await both.open(ticket, PLACE, sealed)).toEqual({ ok: true, value: "Halo" });
  expect(await both.open(ticket, PLACE, other)).toEqual({ ok: true, value: "Hai" });
  await deploy(owner, { MASTER_KEY: base64Of(1) });
  forget();
  await textsWith(1).seal(ticket, PLACE, "Halo lagi");
  expect(await keptIn(owner)).toHaveLength(2);
});

test("what a destroyed key has sealed opens nowhere, also where KV still shows that key, and the tenant's next texts have another", async () => {
  const { owner, ticket, sealed } = await withOneText();
  const before = await keptIn(owner);
  await registrarOf(owner).destroyDataKeys(owner);
  expect(await keptIn(owner)).toBeNull();
  forget();
  const gone = { ok: false, error: { isFinal: true, why: "it is sealed with a key that is no more" } };
  expect(await textsWith(1).open(ticket, PLACE, sealed)).toEqual(gone);
  // It was the Registrar's own KV that is behind, and it has started anew since.
  await env.DIRECTORY.put(`key:${owner}`, JSON.stringify(before));
  await deploy(owner, { MASTER_KEY: base64Of(1) });
  const [made, ...others] = await registrarOf(owner).makeDataKey(owner);
  expect(others).toEqual([]);
  expect(made?.id).not.toBe(before?.[0]?.id);
  forget();
  const next = await textsWith(1).seal(ticket, PLACE, "Halo");
  expect(await textsWith(1).open(ticket, PLACE, next)).toEqual({ ok: true, value: "Halo" });
  expect(await textsWith(1).open(ticket, PLACE, sealed)).toEqual(gone);
});

test("a text whose key KV does not show yet opens by what the Registrar knows", async () => {
  const { owner, ticket, sealed } = await withOneText();
  await env.DIRECTORY.delete(`key:${owner}`);
  forget();
  expect(await textsWith(1).open(ticket, PLACE, sealed)).toEqual({ ok: true, value: "Halo" });
});

test("a text in a form of a later release is said to be one, and a text in clear is what it is", async () => {
  const { ticket, sealed } = await withOneText();
  const later = new Uint8Array(sealed).with(0, 2).buffer;
  const unknown = { why: "it is kept in a form that this release does not know", isFinal: true };
  expect(await textsWith(1).open(ticket, PLACE, later)).toEqual({ ok: false, error: unknown });
  expect(await textsWith(1).open(ticket, PLACE, '{"message":"Halo"}')).toEqual({
    ok: true,
    value: '{"message":"Halo"}',
  });
});
