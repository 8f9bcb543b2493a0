import { createExecutionContext, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { app } from "../../../src/app";
import { toBase64Url, utf8 } from "../../../src/crypto/bytes";
import { Directory } from "../../../src/tenants/directory";
import {
  accepted,
  call,
  fresh,
  incoming,
  OPERATOR,
  operator,
  outgoing,
  registerTenant,
  tokenOf,
  useFarEnds,
} from "../world";

const farEnds = useFarEnds();

/** Longer than an isolate goes by what it has read. */
const FORGET_MS = 31_000;

/** KV is away: every question to it fails. */
function takeKvAway() {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + FORGET_MS });
  const away = () => Promise.reject(new Error("KV is away"));
  const kv = new Proxy(env.DIRECTORY, { get: () => away });
  return new Directory(kv);
}

test("while KV is away, a tenant that was read before is served as it was then", async () => {
  const owner = await registerTenant({ name: "Bank ABC" });
  const directory = takeKvAway();
  expect(await directory.tenant(owner)).toMatchObject({ owner, name: "Bank ABC" });
  expect(await directory.policy(owner)).toMatchObject({ retentionDays: 30 });
});

test("while KV is away, a tenant that was never read is a failure, and not a tenant that is not there", async () => {
  await expect(takeKvAway().tenant(fresh("owner"))).rejects.toThrow("KV is away");
});

test("while KV is away, an event of a known tenant is accepted and delivered all the same", async () => {
  const owner = await registerTenant();
  await accepted(incoming(owner, "t", "before"));
  await farEnds.until(1);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + FORGET_MS });
  vi.spyOn(env.DIRECTORY, "get").mockRejectedValue(new Error("KV is away"));
  await accepted(incoming(owner, "t", "meanwhile"));
  await farEnds.until(2);
  expect(farEnds.texts()).toEqual(["before", "meanwhile"]);
});

const TOO_MANY = new Error("KV PUT failed: 429 Too Many Requests");

const UNAVAILABLE = [503, "1", "unavailable"];

async function refusalOf(answered: Promise<Response>): Promise<unknown[]> {
  const answer = await answered;
  const { error } = (await answer.json()) as { error?: { code: string } };
  return [answer.status, answer.headers.get("retry-after"), error?.code];
}

test("while KV fails, whoever asks for what is not known is told to come again", async () => {
  const owner = await registerTenant();
  const token = await tokenOf(owner);
  const headers = { ...OPERATOR };
  const record = {
    dolphins: { baseUrl: "https://bank.example.com" },
    desk: { type: "native", url: "https://d.example" },
  };
  for (const method of ["get", "list", "put"] as const) vi.spyOn(env.DIRECTORY, method).mockRejectedValue(TOO_MANY);
  expect(await refusalOf(incoming(fresh("owner"), "t", "unknown"))).toEqual(UNAVAILABLE);
  expect(await refusalOf(outgoing(token, "t", "whose?"))).toEqual(UNAVAILABLE);
  expect(await refusalOf(call("/admin/tenants", { headers }))).toEqual(UNAVAILABLE);
  expect(
    await refusalOf(call(`/admin/tenants/${owner}`, { method: "PUT", headers, body: JSON.stringify(record) })),
  ).toEqual(UNAVAILABLE);
  expect(await refusalOf(call(`/admin/tenants/${owner}/credentials/rotate`, { method: "POST", headers }))).toEqual(
    UNAVAILABLE,
  );
});

test("a record that could not be changed is known as before, for as long as KV is away", async () => {
  const owner = await registerTenant();
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + FORGET_MS });
  for (const method of ["get", "put"] as const) vi.spyOn(env.DIRECTORY, method).mockRejectedValue(TOO_MANY);
  expect(await refusalOf(call(`/admin/tenants/${owner}`, { method: "DELETE", headers: OPERATOR }))).toEqual(
    UNAVAILABLE,
  );
  expect((await incoming(owner, "t", "meanwhile")).status).toBe(200);
});

test("while KV fails, a desk is still known to have its one tenant", async () => {
  const owner = await registerTenant();
  const token = await tokenOf(owner);
  await accepted(incoming(owner, "t", "before"));
  await accepted(outgoing(token, "t", "before"));
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + FORGET_MS });
  for (const method of ["get", "list"] as const) vi.spyOn(env.DIRECTORY, method).mockRejectedValue(TOO_MANY);
  expect((await outgoing(token, "t", "meanwhile")).status).toBe(200);
});

test("a clock that is set back does not make an old record fresh for longer", async () => {
  const owner = await registerTenant({ name: "Bank ABC" });
  const directory = new Directory(env.DIRECTORY);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - 3600_000 });
  const get = vi.spyOn(env.DIRECTORY, "get");
  await directory.tenant(owner);
  expect(get).toHaveBeenCalled();
});

test("a rate limiter that fails lets everybody pass", async () => {
  const owner = await registerTenant();
  const limit = vi.fn<RateLimit["limit"]>(() => Promise.reject(new Error("the limiter is away")));
  const statuses = new Set<number>();
  for (let n = 0; n < 50; n++) {
    const request = new Request(`https://relay.example/admin/tenants/${owner}`, { headers: OPERATOR });
    const settings = { ...env, CALLER_RATE: { limit } };
    statuses.add((await app.fetch(request, settings, createExecutionContext())).status);
  }
  expect(limit).toHaveBeenCalled();
  expect([...statuses]).toEqual([200]);
});

/** Which tenants KV says that a desk serves. */
async function membersIn(deskId: string): Promise<string[]> {
  // Another isolate, which has read nothing.
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + FORGET_MS });
  const members = await new Directory(env.DIRECTORY).membersOf(deskId);
  vi.useRealTimers();
  return members.map(({ owner }) => owner);
}

/** Its alarm does what a failure has left undone. */
const alarm = (owner: string) => runDurableObjectAlarm(env.REGISTRAR.getByName(`tenant:${owner}`));

test("a tenant whose DELETE failed half way is deleted whole by its Registrar's alarm", async () => {
  const owner = await registerTenant();
  vi.spyOn(env.DIRECTORY, "delete").mockRejectedValueOnce(TOO_MANY);
  expect((await call(`/admin/tenants/${owner}`, { method: "DELETE", headers: OPERATOR })).status).toBe(200);
  expect((await incoming(owner, "t", "too late")).status).toBe(404);
  await alarm(owner);
  expect(await membersIn(owner)).toEqual([]);
});

test("a DELETE that KV did not take is done whole by the next", async () => {
  const owner = await registerTenant();
  const remove = () => call(`/admin/tenants/${owner}`, { method: "DELETE", headers: OPERATOR });
  vi.spyOn(env.DIRECTORY, "put").mockRejectedValueOnce(TOO_MANY);
  expect(await refusalOf(remove())).toEqual(UNAVAILABLE);
  expect((await remove()).status).toBe(200);
  expect((await remove()).status).toBe(404);
  expect((await incoming(owner, "t", "too late")).status).toBe(404);
});

test("a tenant whose move to another desk failed half way leaves the first one by its Registrar's alarm", async () => {
  const [deskId, other] = [fresh("desk"), fresh("desk")];
  const owner = await registerTenant({ deskId });
  const dolphins = { baseUrl: "https://bank.example.com" };
  const record = { deskId: other, dolphins, desk: { type: "native", url: "https://d.example" } };
  vi.spyOn(env.DIRECTORY, "delete").mockRejectedValueOnce(TOO_MANY);
  await operator("PUT", `/tenants/${owner}`, record);
  expect([await membersIn(deskId), await membersIn(other)]).toEqual([[owner], [owner]]);
  await alarm(owner);
  expect([await membersIn(deskId), await membersIn(other)]).toEqual([[], [owner]]);
});

/** More than an isolate remembers. */
const MANY = 5_001;

test("while KV is away, thousands of made-up names have driven out nothing that is delivered by", async () => {
  const owner = await registerTenant();
  const token = await tokenOf(owner);
  await accepted(incoming(owner, "t", "before"));
  await accepted(outgoing(token, "t", "before"));
  await farEnds.until(2);
  const guess = (path: string, headers: Record<string, string>, body?: string) =>
    call(path, { headers, ...(body === undefined ? {} : { method: "POST", body }) }).then(({ status }) => status);
  vi.spyOn(console, "log").mockReturnValue();
  // KV in a test takes longer to say that there is none than all the rest.
  const none = vi.spyOn(env.DIRECTORY, "get").mockResolvedValue(null as never);
  const desks = Array.from({ length: MANY }, () => toBase64Url(utf8(fresh("made-up"))));
  const answers = await Promise.all(
    desks.map((desk) => guess("/v1/tickets/t", { authorization: `Bearer desk_${desk}.AAAA` })),
  );
  expect(new Set(answers)).toEqual(new Set([401]));
  expect(none).toHaveBeenCalledTimes(MANY);
  none.mockRestore();
  const signed = { "webhook-id": "e", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA" };
  for (let n = 0; n < 50; n++) {
    const owners = fresh("made-up");
    expect(await guess("/v1/outgoing", signed, JSON.stringify({ owner: owners }))).toBe(401);
    expect(await guess(`/v1/desks/zendesk/${owners}`, {}, "{}")).toBe(401);
    expect(await guess(`/v1/media/${owners}`, {})).toBe(404);
    expect((await incoming(owners, "t", "made up")).status).toBe(404);
  }
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + FORGET_MS });
  for (const method of ["get", "list"] as const) vi.spyOn(env.DIRECTORY, method).mockRejectedValue(TOO_MANY);
  await accepted(incoming(owner, "t", "meanwhile"));
  await accepted(outgoing(token, "t", "meanwhile"));
  await farEnds.until(4);
  expect(farEnds.texts()).toEqual(["before", "before", "meanwhile", "meanwhile"]);
});

test("a desk that never rotated is asked about once, though each of its requests has to prove itself", async () => {
  const owner = await registerTenant();
  const token = await tokenOf(owner);
  await accepted(incoming(owner, "t", "first"));
  await accepted(outgoing(token, "t", "first"));
  const kv = vi.spyOn(Object.getPrototypeOf(env.DIRECTORY) as KVNamespace, "get");
  for (let n = 0; n < 3; n++) await accepted(outgoing(token, "t", `m${n}`));
  expect(kv).not.toHaveBeenCalled();
});
