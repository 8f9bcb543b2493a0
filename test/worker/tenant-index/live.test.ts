import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { ConsoleSession, TenantIndex } from "../../../src/index";
import { indexOf, reportOf } from "./index-world";
import { call, fresh, OPERATOR, registerTenant, useFarEnds } from "../world";

useFarEnds();

const later = (ms: number) => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });

type Subscribed = { socket: WebSocket; seen: unknown[]; closed: Promise<CloseEvent> };

const watch = (owner: string, credential: Record<string, string> = OPERATOR) =>
  call(`/admin/tenants/${owner}/events`, { headers: { ...credential, upgrade: "websocket" } });

async function subscribe(owner: string, credential?: Record<string, string>): Promise<Subscribed> {
  const answer = await watch(owner, credential);
  expect(answer.status).toBe(101);
  expect(answer.headers.get("x-request-id")).toMatch(/./);
  const socket = answer.webSocket;
  if (!socket) throw new Error("no socket");
  const seen: unknown[] = [];
  const { promise: closed, resolve } = Promise.withResolvers<CloseEvent>();
  socket.accept();
  socket.addEventListener("message", ({ data }) => {
    seen.push(data === "pong" ? data : JSON.parse(String(data)));
  });
  socket.addEventListener("close", resolve);
  return { socket, seen, closed };
}
const SESSION = "/console/session";

/** What a browser sends of a new console session. */
async function signedIn(): Promise<Record<string, string>> {
  const answer = await call(SESSION, { method: "POST", body: JSON.stringify({ token: env.ADMIN_TOKEN }) });
  expect(answer.status, await answer.text()).toBe(200);
  const cookie = answer.headers.get("set-cookie")?.split(";", 1)[0] ?? "";
  return { cookie, origin: "https://relay.example", "sec-fetch-site": "same-origin" };
}
const signOut = (headers: Record<string, string>) => call(SESSION, { method: "DELETE", headers });
const sessionOf = ({ cookie = "" }: Record<string, string>) =>
  env.CONSOLE_SESSION.getByName(cookie.split(/[=.]/)[1] ?? "");

const untilSeen = (seen: unknown[], expected: object) => vi.waitFor(() => expect(seen.at(-1)).toMatchObject(expected));

test("the live view shows every change, also when the index left memory meanwhile, and no other tenant's", async () => {
  const owner = await registerTenant();
  const { socket, seen } = await subscribe(owner);
  await indexOf(owner).report(reportOf(1));
  await untilSeen(seen, { type: "ticket" });
  expect(seen).toMatchObject([{ type: "ticket", ticket: { ticketNumber: "ticket-1", state: "open" } }]);
  await indexOf(owner).report(reportOf(1, { atMs: 2_000_000 }));
  await indexOf(await registerTenant()).report(reportOf(9));
  await evictDurableObject(indexOf(owner));
  await indexOf(owner).report(reportOf(1, { atMs: 3_000_000, state: "closed" }));
  await untilSeen(seen, { type: "ticket", ticket: { state: "closed" } });
  await indexOf(owner).forget("ticket-1");
  await untilSeen(seen, { type: "gone", ticketNumber: "ticket-1" });
  expect(seen).toHaveLength(3);
  socket.send("ping");
  await vi.waitFor(() => expect(seen.at(-1)).toBe("pong"));
  socket.close();
});

test("the live view ends after 10 minutes for each subscriber, which is told to come again", async () => {
  const owner = await registerTenant();
  const first = await subscribe(owner);
  later(6 * 60_000);
  const second = await subscribe(owner);
  later(5 * 60_000);
  await evictDurableObject(indexOf(owner));
  expect(await runDurableObjectAlarm(indexOf(owner))).toBe(true);
  expect(await first.closed).toMatchObject({ code: 1000, reason: "reconnect" });
  await indexOf(owner).report(reportOf(1));
  await untilSeen(second.seen, { type: "ticket" });
  expect(first.seen).toEqual([]);
  later(6 * 60_000);
  expect(await runDurableObjectAlarm(indexOf(owner))).toBe(true);
  expect(await second.closed).toMatchObject({ code: 1000, reason: "reconnect" });
  expect(await runDurableObjectAlarm(indexOf(owner))).toBe(false);
});

test.each([{ minutes: -5 }, { minutes: 60 }])(
  "an alarm that was lost, or set by a clock that was ahead, is set anew for the next subscriber: %j",
  async ({ minutes }) => {
    const owner = await registerTenant();
    const index = indexOf(owner);
    await runInDurableObject(index, (_index, { storage }) => {
      vi.spyOn(storage, "getAlarm").mockResolvedValue(Date.now() + minutes * 60_000);
    });
    const { socket } = await subscribe(owner);
    vi.restoreAllMocks();
    const alarmMs = await runInDurableObject(index, (_index, { storage }) => storage.getAlarm());
    expect((alarmMs ?? 0) - Date.now()).toBeGreaterThan(0);
    expect((alarmMs ?? 0) - Date.now()).toBeLessThanOrEqual(10 * 60_000);
    socket.close();
  },
);

test("a socket that is closing gets no event, and holds none back from the others", async () => {
  const owner = await registerTenant();
  const first = await subscribe(owner);
  later(6 * 60_000);
  const second = await subscribe(owner);
  later(5 * 60_000);
  // In one turn of the index: the first socket is closing, and its client has not answered yet.
  await runInDurableObject(indexOf(owner), async (index) => {
    await index.alarm();
    expect(await index.report(reportOf(1))).toBe(reportOf(1).atMs);
  });
  await untilSeen(second.seen, { type: "ticket" });
  await first.closed;
  expect(first.seen).toEqual([]);
});

test("the live view is refused without an upgrade, without the operator's token, and for a tenant that is not there", async () => {
  const owner = await registerTenant();
  const ask = async (path: string, headers: Record<string, string>) => {
    const answer = await call(path, { headers });
    const { error } = (await answer.json()) as { error: { code: string } };
    return [answer.status, error.code];
  };
  const upgrade = { upgrade: "websocket" };
  expect(await ask(`/admin/tenants/${owner}/events`, OPERATOR)).toEqual([426, "upgrade_required"]);
  expect(await ask(`/admin/tenants/${owner}/events`, upgrade)).toEqual([401, "unauthorized"]);
  expect(await ask(`/admin/tenants/${fresh("nobody")}/events`, { ...OPERATOR, ...upgrade })).toEqual([
    404,
    "unknown_owner",
  ]);
});

const SIGNED_OUT = { code: 1008, reason: "signed out" };

test("signing out closes the live views of that session at once, of every tenant and in every tab, and no other's", async () => {
  const [first, second] = [await registerTenant(), await registerTenant()];
  const [session, other] = [await signedIn(), await signedIn()];
  const ended = [await subscribe(first, session), await subscribe(first, session), await subscribe(second, session)];
  const kept = [await subscribe(first, other), await subscribe(first)];
  await evictDurableObject(indexOf(first));
  expect((await signOut(session)).status).toBe(200);
  for (const { closed } of ended) expect(await closed).toMatchObject(SIGNED_OUT);
  await indexOf(first).report(reportOf(1));
  for (const { seen } of kept) await untilSeen(seen, { type: "ticket" });
  expect(ended.flatMap(({ seen }) => seen)).toEqual([]);
  for (const { socket } of kept) socket.close();
});

test("a session that runs out closes its live views", async () => {
  const owner = await registerTenant();
  const session = await signedIn();
  const { closed } = await subscribe(owner, session);
  later(8 * 3600_000);
  expect(await runDurableObjectAlarm(sessionOf(session))).toBe(true);
  expect(await closed).toMatchObject(SIGNED_OUT);
});

test("what a crash has left open of a session that was ended, its alarm closes", async () => {
  const owner = await registerTenant();
  const session = await signedIn();
  const { closed } = await subscribe(owner, session);
  vi.spyOn(TenantIndex.prototype, "unsubscribe").mockRejectedValueOnce(new Error("the index is away"));
  expect((await signOut(session)).status).toBe(200);
  expect((await call("/admin/tenants", { headers: session })).status).toBe(401);
  vi.restoreAllMocks();
  const dueMs = await runInDurableObject(sessionOf(session), (_session, { storage }) => storage.getAlarm());
  expect((dueMs ?? Number.POSITIVE_INFINITY) - Date.now()).toBeLessThanOrEqual(60_000);
  expect(await runDurableObjectAlarm(sessionOf(session))).toBe(true);
  expect(await closed).toMatchObject(SIGNED_OUT);
  const left = await runInDurableObject(sessionOf(session), async (_, { storage }) => [
    ...(await storage.list()).keys(),
  ]);
  expect(left).toEqual([]);
});

test("a session that ends while its live view is opened opens none", async () => {
  const owner = await registerTenant();
  const session = await signedIn();
  const isOpen = vi.spyOn(ConsoleSession.prototype, "isOpen");
  // The second look at the cookie is the last before the upgrade.
  isOpen.mockResolvedValueOnce(true).mockResolvedValueOnce(true);
  await sessionOf(session).end();
  expect((await watch(owner, session)).status).toBe(401);
  expect(isOpen).toHaveBeenCalledTimes(3);
  const open = await runInDurableObject(
    indexOf(owner),
    (_index, ctx) => ctx.getWebSockets().filter(({ readyState }) => readyState === WebSocket.OPEN).length,
  );
  expect(open).toBe(0);
});

const MOST = 50;

test("a tenant has 50 watchers at the most, and has room again as soon as one leaves", async () => {
  const owner = await registerTenant();
  const watchers = await Promise.all(Array.from({ length: MOST }, () => subscribe(owner)));
  await evictDurableObject(indexOf(owner));
  const refused = await watch(owner);
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "60"]);
  expect(await refused.json()).toMatchObject({ error: { code: "rate_limited" } });
  const elsewhere = await subscribe(await registerTenant());
  elsewhere.socket.close();
  watchers[0]?.socket.close();
  await vi.waitFor(async () => {
    const again = await watch(owner);
    expect(again.status).toBe(101);
    again.webSocket?.accept();
  });
  await indexOf(owner).report(reportOf(1));
  await untilSeen(watchers[1]?.seen ?? [], { type: "ticket" });
});
