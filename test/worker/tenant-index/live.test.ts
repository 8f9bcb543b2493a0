import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test, vi } from "vitest";
import { indexOf, reportOf } from "./index-world";
import { call, fresh, OPERATOR, registerTenant, useFarEnds } from "../world";

useFarEnds();

const later = (ms: number) => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });

async function subscribe(owner: string): Promise<{ socket: WebSocket; seen: unknown[]; closed: Promise<CloseEvent> }> {
  const answer = await call(`/admin/tenants/${owner}/events`, { headers: { ...OPERATOR, upgrade: "websocket" } });
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
