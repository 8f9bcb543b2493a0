import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { describe, expect, test, vi } from "vitest";
import { indexOf, reportOf } from "./index-world";
import { call, fresh, OPERATOR, registerTenant, useFarEnds } from "../world";

useFarEnds();

const later = (ms: number) => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });

describe("the live view", () => {
  async function watch(owner: string): Promise<{ socket: WebSocket; heard: unknown[]; closed: Promise<CloseEvent> }> {
    const answer = await call(`/admin/tenants/${owner}/events`, { headers: { ...OPERATOR, upgrade: "websocket" } });
    expect(answer.status).toBe(101);
    expect(answer.headers.get("x-request-id")).toMatch(/./);
    const socket = answer.webSocket;
    if (!socket) throw new Error("no socket");
    const heard: unknown[] = [];
    const { promise: closed, resolve } = Promise.withResolvers<CloseEvent>();
    socket.accept();
    socket.addEventListener("message", ({ data }) => {
      heard.push(data === "pong" ? data : JSON.parse(String(data)));
    });
    socket.addEventListener("close", resolve);
    return { socket, heard, closed };
  }
  const untilHeard = (heard: unknown[], expected: object) =>
    vi.waitFor(() => expect(heard.at(-1)).toMatchObject(expected));

  test("tells of every change, also when the index left memory meanwhile, and of no other tenant's", async () => {
    const owner = await registerTenant();
    const { socket, heard } = await watch(owner);
    await indexOf(owner).report(reportOf(1));
    await untilHeard(heard, { type: "ticket" });
    expect(heard).toMatchObject([{ type: "ticket", ticket: { ticketNumber: "ticket-1", state: "open" } }]);
    await indexOf(owner).report(reportOf(1, { atMs: 2_000_000 }));
    await indexOf(await registerTenant()).report(reportOf(9));
    await evictDurableObject(indexOf(owner));
    await indexOf(owner).report(reportOf(1, { atMs: 3_000_000, state: "closed" }));
    await untilHeard(heard, { type: "ticket", ticket: { state: "closed" } });
    await indexOf(owner).forget("ticket-1");
    await untilHeard(heard, { type: "gone", ticketNumber: "ticket-1" });
    expect(heard).toHaveLength(3);
    socket.send("ping");
    await vi.waitFor(() => expect(heard.at(-1)).toBe("pong"));
    socket.close();
  });

  test("ends after 10 minutes for each who watches, and tells them to come again", async () => {
    const owner = await registerTenant();
    const first = await watch(owner);
    later(6 * 60_000);
    const second = await watch(owner);
    later(5 * 60_000);
    await evictDurableObject(indexOf(owner));
    await runDurableObjectAlarm(indexOf(owner));
    expect(await first.closed).toMatchObject({ code: 1000, reason: "reconnect" });
    await indexOf(owner).report(reportOf(1));
    await untilHeard(second.heard, { type: "ticket" });
    expect(first.heard).toEqual([]);
    later(6 * 60_000);
    await runDurableObjectAlarm(indexOf(owner));
    expect(await second.closed).toMatchObject({ code: 1000, reason: "reconnect" });
    expect(await runDurableObjectAlarm(indexOf(owner))).toBe(false);
  });

  test("is refused without an upgrade, without the operator's token, and for a tenant that is not there", async () => {
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
});
