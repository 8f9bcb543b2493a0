import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import {
  accepted,
  alarmOf,
  call,
  close,
  fresh,
  incoming,
  loseAlarm,
  ok,
  operator,
  outgoing,
  useFarEnds,
  registerTenant,
  states,
  status,
  ticketOf,
  tokenOf,
  untilView,
  viewOf,
} from "../world";

const farEnds = useFarEnds();

const DAY_MS = 24 * 3600_000;
const later = (ms: number) => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });

describe("eviction and alarms", () => {
  test("what waits is delivered in order after an eviction, under the ids it was accepted with", async () => {
    const owner = await registerTenant();
    farEnds.answerWith(status(503));
    const ids: string[] = [];
    for (const text of ["one", "two", "three"]) ids.push(await accepted(incoming(owner, "t", text)));
    await untilView(owner, "t", (view) => view.lanes.toDesk.nextAttemptAt !== undefined);
    const failed = farEnds.sent.length;
    await evictDurableObject(ticketOf(owner, "t"));
    farEnds.answerWith(ok);
    await farEnds.until(failed + 3);
    expect(farEnds.texts().slice(-3)).toEqual(["one", "two", "three"]);
    expect(farEnds.sent.slice(-3).map((one) => one.headers.get("webhook-id"))).toEqual(ids);
    const view = await untilView(owner, "t", (seen) => seen.lanes.toDesk.delivered === 3);
    expect(view.messages.map((message) => message.id)).toEqual(ids);
  });

  test("every touch of an object whose alarm was lost sets it again", async () => {
    const owner = await registerTenant();
    const token = await tokenOf(owner);
    const touches: Record<string, () => Promise<unknown>> = {
      "an accepted event": () => accepted(incoming(owner, "t", "next")),
      "a reply in the other direction": () => accepted(outgoing(token, "t", "reply")),
      "a look at the timeline": () => viewOf(owner, "t"),
      "a replay of nothing": () => operator("POST", `/tickets/${owner}/t/replay`, { all: true }),
      "a sweep": () => ticketOf(owner, "t").sweep(),
    };
    farEnds.answerWith(status(503));
    await accepted(incoming(owner, "t", "first"));
    const stub = ticketOf(owner, "t");
    for (const [touch, make] of Object.entries(touches)) {
      await untilView(owner, "t", (view) => view.lanes.toDesk.nextAttemptAt !== undefined);
      await loseAlarm(stub);
      await evictDurableObject(stub);
      expect(await alarmOf(stub), touch).toBeNull();
      await make();
      expect(await alarmOf(stub), touch).not.toBeNull();
    }
  });

  test("a lost alarm is found by a look at an object that never left memory", async () => {
    const owner = await registerTenant();
    farEnds.answerWith(status(503));
    await accepted(incoming(owner, "t", "first"));
    await untilView(owner, "t", (view) => view.lanes.toDesk.nextAttemptAt !== undefined);
    await loseAlarm(ticketOf(owner, "t"));
    await viewOf(owner, "t");
    expect(await alarmOf(ticketOf(owner, "t"))).not.toBeNull();
  });

  test("an event that comes when the retry is overdue and its alarm lost gets the lane going", async () => {
    const owner = await registerTenant();
    farEnds.answerWith(status(503));
    await accepted(incoming(owner, "t", "first"));
    await untilView(owner, "t", (view) => view.lanes.toDesk.nextAttemptAt !== undefined);
    await loseAlarm(ticketOf(owner, "t"));
    farEnds.answerWith(ok);
    later(DAY_MS / 2);
    await accepted(incoming(owner, "t", "second"));
    await untilView(owner, "t", (view) => view.lanes.toDesk.delivered === 2);
    expect(farEnds.texts().slice(-2)).toEqual(["first", "second"]);
  });

  test("the wait of a head that failed is no wait of those behind it", async () => {
    const owner = await registerTenant();
    farEnds.answerWith(status(503));
    for (let n = 1; n <= 5; n++) await accepted(incoming(owner, "t", `m${n}`));
    await untilView(owner, "t", (view) => view.lanes.toDesk.nextAttemptAt !== undefined);
    farEnds.sent.length = 0;
    farEnds.answerWith(ok);
    await runDurableObjectAlarm(ticketOf(owner, "t"));
    const view = await untilView(owner, "t", (seen) => seen.lanes.toDesk.delivered === 5);
    expect(farEnds.texts()).toEqual(["m1", "m2", "m3", "m4", "m5"]);
    expect(view.messages.slice(1).map((message) => message.attempts.length)).toEqual([1, 1, 1, 1]);
  });

  test("an object that is asked about a ticket nobody opened writes nothing, tables included", async () => {
    const owner = await registerTenant();
    const answer = await outgoing(await tokenOf(owner), "unopened", "hello");
    expect(answer.status).toBe(404);
    const stub = ticketOf(owner, "unopened");
    expect(await stub.timeline({ toDesk: { before: 9 } })).toEqual({ ok: false, error: { code: "unknown_ticket" } });
    expect(await stub.replay({ all: true })).toEqual({ ok: false, error: { code: "unknown_ticket" } });
    await stub.sweep();
    const tables = await runInDurableObject(stub, (_ticket, state) =>
      state.storage.sql.exec("SELECT name FROM sqlite_master").toArray(),
    );
    expect(tables).toEqual([]);
    expect(await alarmOf(stub)).toBeNull();
  });

  test("an object refuses the event of another ticket", async () => {
    const owner = await registerTenant();
    await accepted(incoming(owner, "t", "mine"));
    const foreign = {
      owner: fresh("owner"),
      ticketNumber: "t",
      deskId: owner,
      lane: "toDesk" as const,
      kind: "incoming" as const,
      event: "{}",
      channel: "w",
      contactId: "",
      customerName: "",
      idempotencyKey: undefined,
      fromWebhook: false,
    };
    // Called inside the object: an exception that crosses RPC is also printed as uncaught.
    const refusal = await runInDurableObject(ticketOf(owner, "t"), (ticket) => {
      try {
        return ticket.accept(foreign);
      } catch (error) {
        return String(error);
      }
    });
    expect(refusal).toContain("another ticket");
    expect((await viewOf(owner, "t")).lanes.toDesk.accepted).toBe(1);
  });
});

describe("dead letters", () => {
  test("a replay goes ahead of what waits, in the original order, once", async () => {
    const owner = await registerTenant();
    farEnds.answerWith(status(422));
    const dead: string[] = [];
    for (const text of ["d1", "d2", "d3"]) dead.push(await accepted(incoming(owner, "t", text)));
    await untilView(owner, "t", (view) => view.lanes.toDesk.dead === 3);
    farEnds.answerWith(status(503));
    await accepted(incoming(owner, "t", "waits"));
    await untilView(owner, "t", (view) => view.lanes.toDesk.nextAttemptAt !== undefined);
    farEnds.sent.length = 0;
    farEnds.answerWith(ok);
    const replay = (ids: (string | undefined)[]) => operator("POST", `/tickets/${owner}/t/replay`, { ids });
    const answer = (replayed: unknown[]) => ({ status: "success", dryRun: false, replayed, late: [] });
    expect(await replay([dead[2], dead[0]])).toEqual(answer([dead[0], dead[2]]));
    expect(await replay([dead[2], dead[0]])).toEqual(answer([]));
    const view = await untilView(owner, "t", (seen) => seen.lanes.toDesk.delivered === 3);
    expect(farEnds.texts()).toEqual(["d1", "d3", "waits"]);
    expect(farEnds.sent[0]?.headers.get("webhook-id")).toBe(dead[0]);
    expect(states(view.messages)).toEqual(["delivered", "dead", "delivered", "delivered"]);
  });

  test("a replay while an attempt is in flight lets that end first", async () => {
    const owner = await registerTenant();
    farEnds.answerWith(status(422));
    await accepted(incoming(owner, "t", "dead"));
    await untilView(owner, "t", (view) => view.lanes.toDesk.dead === 1);
    const held = Promise.withResolvers<Response>();
    farEnds.answerWith(() => held.promise);
    await accepted(incoming(owner, "t", "flying"));
    await accepted(incoming(owner, "t", "behind"));
    await farEnds.until(2);
    await operator("POST", `/tickets/${owner}/t/replay`, { all: true });
    expect(farEnds.texts()).toEqual(["dead", "flying"]);
    farEnds.answerWith(ok);
    held.resolve(new Response("", { status: 503 }));
    await untilView(owner, "t", (view) => view.lanes.toDesk.delivered === 3);
    expect(farEnds.texts()).toEqual(["dead", "flying", "dead", "flying", "behind"]);
  });

  test("after maxAgeSeconds a message is given up, and the next goes through", async () => {
    const owner = await registerTenant({ delivery: { maxAgeSeconds: 60 } });
    farEnds.answerWith(status(503));
    await accepted(incoming(owner, "t", "old"));
    await untilView(owner, "t", (view) => view.lanes.toDesk.nextAttemptAt !== undefined);
    later(61_000);
    await runDurableObjectAlarm(ticketOf(owner, "t"));
    const view = await untilView(owner, "t", (seen) => seen.lanes.toDesk.dead === 1);
    expect(view.messages[0]?.attempts.at(-1)?.error).toBe("given up after 60 seconds; the last attempt: HTTP 503");
    farEnds.answerWith(ok);
    await accepted(incoming(owner, "t", "new"));
    await untilView(owner, "t", (seen) => seen.lanes.toDesk.delivered === 1);
  });

  test("with hold a message is never given up and the lane waits", async () => {
    const owner = await registerTenant({ delivery: { maxAgeSeconds: 60, whenExhausted: "hold" } });
    farEnds.answerWith(status(503));
    await accepted(incoming(owner, "t", "old"));
    await accepted(incoming(owner, "t", "behind"));
    await untilView(owner, "t", (view) => view.lanes.toDesk.nextAttemptAt !== undefined);
    later(10 * DAY_MS);
    await runDurableObjectAlarm(ticketOf(owner, "t"));
    const view = await untilView(owner, "t", (seen) => (seen.messages[0]?.attempts.length ?? 0) > 1);
    expect(states(view.messages)).toEqual(["waiting", "waiting"]);
    farEnds.answerWith(ok);
    later(20 * DAY_MS);
    await runDurableObjectAlarm(ticketOf(owner, "t"));
    await untilView(owner, "t", (seen) => seen.lanes.toDesk.delivered === 2);
    expect(farEnds.texts().slice(-2)).toEqual(["old", "behind"]);
  });

  test("a target that the address rules forbid is blocked, and said to be", async () => {
    const owner = await registerTenant();
    await accepted(incoming(owner, "t", "first"));
    await untilView(owner, "t", (view) => view.lanes.toDesk.delivered === 1);
    // The rules are asked before each attempt too: this record was not checked by any route.
    const evil = fresh("owner");
    const record = { ...(await env.DIRECTORY.get<Record<string, unknown>>(`tenant:${owner}`, "json")), owner: evil };
    const desk = { type: "native", url: "https://169.254.169.254/latest", notifyFailures: false };
    await env.DIRECTORY.put(`tenant:${evil}`, JSON.stringify({ ...record, desk }));
    farEnds.sent.length = 0;
    await accepted(incoming(evil, "t", "second"));
    const view = await untilView(evil, "t", (seen) => seen.lanes.toDesk.dead === 1);
    expect(view.messages[0]?.attempts[0]?.error).toMatch(/^blocked: .*not public/);
    expect(farEnds.sent).toEqual([]);
  });
});

describe("failures reported to the desk", () => {
  const desk = { type: "native", url: "https://desk.example.com/hook", notifyFailures: true };

  test("a reply that dies is reported to the desk, behind what waits there, signed like any event", async () => {
    const owner = await registerTenant({ desk });
    const token = await tokenOf(owner);
    await accepted(incoming(owner, "t", "hello"));
    await farEnds.until(1);
    farEnds.answerWith((sent) =>
      sent.url.startsWith("https://bank") ? new Response("no such channel", { status: 422 }) : ok(sent),
    );
    const id = await accepted(outgoing(token, "t", "reply"));
    await farEnds.until(3);
    const report = farEnds.sent[2];
    expect(report?.url).toBe(desk.url);
    expect(report?.headers.get("webhook-signature")).toMatch(/^v1,/);
    expect(report?.headers.get("relay-sequence")).toBe("2");
    expect(JSON.parse(report?.body ?? "")).toEqual({
      type: "delivery.failed",
      ticketNumber: "t",
      owner,
      messageId: id,
      sequence: 1,
      reason: "rejected",
      status: 422,
      event: expect.objectContaining({ message: "reply", owner }) as unknown,
    });
    const view = await untilView(owner, "t", (seen) => seen.lanes.toDesk.delivered === 2);
    expect(view.messages.find((message) => message.kind === "failure")?.state).toBe("delivered");
  });

  test("a Close that dies is reported and leaves the ticket open", async () => {
    const owner = await registerTenant({ desk });
    const token = await tokenOf(owner);
    await accepted(incoming(owner, "t", "hello"));
    farEnds.answerWith((sent) => (sent.url.startsWith("https://bank") ? new Response("", { status: 404 }) : ok(sent)));
    await accepted(close(token, "t"));
    await farEnds.until(3);
    expect(JSON.parse(farEnds.sent[2]?.body ?? "")).toMatchObject({
      type: "delivery.failed",
      event: { event: "Close" },
    });
    expect((await viewOf(owner, "t")).state).toBe("open");
  });

  test("a desk that does not ask gets no report, and a report that dies is not reported", async () => {
    const quiet = await registerTenant();
    const asking = await registerTenant({ desk });
    for (const owner of [quiet, asking]) {
      await accepted(incoming(owner, "t", "hello"));
      await untilView(owner, "t", (view) => view.lanes.toDesk.delivered === 1);
    }
    farEnds.answerWith(status(400));
    for (const owner of [quiet, asking]) await accepted(outgoing(await tokenOf(owner), "t", "reply"));
    const view = await untilView(asking, "t", (seen) => seen.lanes.toDesk.dead === 1);
    expect(view.lanes).toMatchObject({ toDesk: { accepted: 2 }, toDolphins: { dead: 1 } });
    expect((await untilView(quiet, "t", (seen) => seen.lanes.toDolphins.dead === 1)).lanes.toDesk.accepted).toBe(1);
  });
});

describe("backlog", () => {
  test("8 MiB waiting in a lane are the limit, and Retry-After says when the head is tried again", async () => {
    const owner = await registerTenant();
    farEnds.answerWith(() => new Response("", { status: 503, headers: { "retry-after": "300" } }));
    const padding = { padding: "x".repeat(250_000) };
    const answers: Response[] = [];
    for (let n = 0; n < 40 && answers.at(-1)?.status !== 429; n++)
      answers.push(await incoming(owner, "t", `m${n}`, padding));
    expect(answers.at(-1)?.status).toBe(429);
    expect(answers).toHaveLength(34);
    const seconds = Number(answers.at(-1)?.headers.get("retry-after"));
    expect(seconds).toBeGreaterThan(200);
    expect(seconds).toBeLessThanOrEqual(300);
  });

  test("a lane is full for itself alone", async () => {
    const owner = await registerTenant();
    farEnds.answerWith(status(503));
    const padding = { padding: "x".repeat(250_000) };
    for (let n = 0; n < 33; n++) await accepted(incoming(owner, "t", `m${n}`, padding));
    expect((await incoming(owner, "t", "one more", padding)).status).toBe(429);
    await accepted(outgoing(await tokenOf(owner), "t", "the other way"));
    await accepted(incoming(owner, "another", "another ticket"));
  });
});

test("what waits of a deleted tenant waits until its record is put again", async () => {
  const owner = await registerTenant();
  await accepted(incoming(owner, "t", "before"));
  await untilView(owner, "t", (view) => view.lanes.toDesk.delivered === 1);
  farEnds.answerWith(status(503));
  await accepted(incoming(owner, "t", "waits"));
  await untilView(owner, "t", (view) => view.lanes.toDesk.nextAttemptAt !== undefined);
  const record = ((await operator("GET", `/tenants/${owner}`)) as { tenant: unknown }).tenant;
  await operator("DELETE", `/tenants/${owner}`);
  expect((await incoming(owner, "t", "refused")).status).toBe(404);
  farEnds.answerWith(ok);
  farEnds.sent.length = 0;
  await runDurableObjectAlarm(ticketOf(owner, "t"));
  const view = await untilView(owner, "t", (seen) => (seen.messages[1]?.attempts.length ?? 0) >= 2);
  expect(view.messages[1]?.attempts.at(-1)?.error).toContain("no such tenant");
  expect(farEnds.sent).toEqual([]);
  await operator("PUT", `/tenants/${owner}`, record);
  await runDurableObjectAlarm(ticketOf(owner, "t"));
  await untilView(owner, "t", (seen) => seen.lanes.toDesk.delivered === 2);
  expect(farEnds.texts()).toEqual(["waits"]);
});

test("an identical body within ten seconds is delivered and flagged, and not after that", async () => {
  const owner = await registerTenant();
  await accepted(incoming(owner, "t", "ok"));
  await accepted(incoming(owner, "t", "ok"));
  later(11_000);
  await accepted(incoming(owner, "t", "ok"));
  const view = await untilView(owner, "t", (seen) => seen.lanes.toDesk.delivered === 3);
  expect(view.messages.map((message) => message.suspectedDuplicate)).toEqual([false, true, false]);
});

test("an unknown path below a desk's routes is not found", async () => {
  expect((await call("/v1/nothing")).status).toBe(404);
});
