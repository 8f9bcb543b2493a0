import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import {
  accepted,
  call,
  incoming,
  operator,
  outgoing,
  registerTenant,
  ticketOf,
  tokenOf,
  untilView,
  viewOf,
  useFarEnds,
  type Sent,
} from "../world";

const farEnds = useFarEnds();

const HOUR_MS = 3600_000;
const LOGIN = "/dolphin/apiv1/graph/auth";
const later = (ms: number) => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });

/** `expireAt` as the documentation shows it, an hour ahead. */
const inAnHour = () => new Date(Date.now() + HOUR_MS + 7 * HOUR_MS).toISOString().replace("Z", "+07:00[Asia/Jakarta]");

/** An engine that issues token-1, token-2 … and takes the newest alone. */
function playEngine({
  expireAt = inAnHour,
  hold = Promise.resolve(),
}: { expireAt?: () => string; hold?: Promise<void> } = {}) {
  let issued = 0;
  let refuses = false;
  const isLogin = (sent: Sent) => new URL(sent.url).pathname === LOGIN;
  farEnds.answerWith(async (sent) => {
    if (!sent.url.startsWith("https://bank.example.com")) return Response.json({ status: "success" });
    if (!isLogin(sent)) {
      if (refuses || sent.headers.get("authorization") !== `Bearer token-${issued}`)
        return new Response("", { status: 401 });
      return Response.json({ status: "success", name: "Farhan" });
    }
    const number = ++issued;
    await hold;
    return Response.json({ token: `token-${number}`, expireAt: expireAt() });
  });
  return {
    logins: () => farEnds.sent.filter(isLogin).length,
    /** The token in use is worth nothing from now on. */
    revoke: () => issued++,
    refuse: () => (refuses = true),
    replies: () => farEnds.sent.filter((sent) => new URL(sent.url).pathname === "/outgoing"),
  };
}

const auth = { type: "login", username: "bank", password: "rahasia" };
const dolphins = { baseUrl: "https://bank.example.com", auth };

async function openTickets(owner: string, count: number): Promise<string[]> {
  const numbers = Array.from({ length: count }, (_, n) => `t${n}`);
  await Promise.all(numbers.map((number) => accepted(incoming(owner, number, "halo"))));
  return numbers;
}

/** One reply in each ticket, all at once, and the wait for their end. */
async function replyIn(owner: string, numbers: string[], text: string): Promise<void> {
  const token = await tokenOf(owner);
  const before = await Promise.all(numbers.map((number) => viewOf(owner, number)));
  await Promise.all(numbers.map((number) => accepted(outgoing(token, number, text))));
  await Promise.all(
    numbers.map((number, n) =>
      untilView(
        owner,
        number,
        ({ lanes }) => lanes.toDolphins.delivered === (before[n]?.lanes.toDolphins.delivered ?? 0) + 1,
      ),
    ),
  );
}

const sessionOf = (owner: string) => env.ENGINE_SESSION.getByName(owner);
const request = (owner: string, more: Record<string, unknown> = {}) => ({
  owner,
  target: {
    baseUrl: dolphins.baseUrl,
    apiPath: "/dolphin/apiv1",
    username: "bank",
    password: "rahasia",
    timeZone: "Asia/Jakarta",
    ...more,
  },
  bounds: { timeoutMs: 1000, allowInsecureTargets: false },
});

test("one login serves 20 tickets that deliver at once, and what follows", async () => {
  const held = Promise.withResolvers<void>();
  const engine = playEngine({ hold: held.promise });
  const owner = await registerTenant({ dolphins });
  const numbers = await openTickets(owner, 20);
  const replied = replyIn(owner, numbers, "satu");
  await vi.waitFor(() => expect(engine.logins()).toBe(1));
  held.resolve();
  await replied;
  await replyIn(owner, numbers, "dua");
  expect(engine.logins()).toBe(1);
  expect(engine.replies()).toHaveLength(40);
});

test("one login replaces a token that 20 tickets find refused at once", async () => {
  const engine = playEngine();
  const owner = await registerTenant({ dolphins });
  const numbers = await openTickets(owner, 20);
  await replyIn(owner, numbers, "satu");
  engine.revoke();
  await replyIn(owner, numbers, "dua");
  expect(engine.logins()).toBe(2);
});

test("one login replaces a token that has expired, in an isolate that still holds it", async () => {
  const engine = playEngine();
  const owner = await registerTenant({ dolphins });
  const numbers = await openTickets(owner, 3);
  await replyIn(owner, numbers, "satu");
  later(HOUR_MS - 60_000);
  await replyIn(owner, numbers, "dua");
  expect(engine.logins(), "a minute before").toBe(1);
  later(61_000);
  await replyIn(owner, numbers, "tiga");
  expect(engine.logins(), "in its last seconds").toBe(2);
  expect(engine.replies().at(-1)?.headers.get("authorization")).toBe("Bearer token-2");
});

test("one login reads an expireAt without a zone in the tenant's, and lets one it cannot read live for ten minutes", async () => {
  const wall = () => new Date(Date.now() + 8 * HOUR_MS).toISOString().replace("Z", "");
  for (const [expireAt, lifeMs] of [
    [wall, HOUR_MS],
    [() => "besok", 600_000],
  ] as const) {
    const engine = playEngine({ expireAt });
    const owner = await registerTenant({ dolphins });
    const before = engine.logins();
    const token = () => sessionOf(owner).token(request(owner));
    await token();
    later(lifeMs - 60_000);
    await token();
    expect(engine.logins() - before).toBe(1);
    later(61_000);
    await token();
    expect(engine.logins() - before).toBe(2);
    vi.useRealTimers();
  }
});

test("one login is made anew when the record's credentials change, and both versions are served while both are asked for", async () => {
  const engine = playEngine();
  const owner = await registerTenant({ dolphins });
  const numbers = await openTickets(owner, 1);
  await replyIn(owner, numbers, "satu");
  const desk = { type: "native", url: "https://desk.example.com/hook" };
  const changed = { ...dolphins, auth: { ...auth, password: "baru" } };
  await operator("PUT", `/tenants/${owner}`, { dolphins: changed, desk });
  await replyIn(owner, numbers, "dua");
  expect(engine.logins()).toBe(2);
  expect(JSON.parse(farEnds.sent.findLast((sent) => sent.url.endsWith(LOGIN))?.body ?? "")).toEqual({
    username: "bank",
    password: "baru",
  });
  for (const password of ["rahasia", "baru", "rahasia"]) await sessionOf(owner).token(request(owner, { password }));
  expect(engine.logins()).toBe(2);
});

test("one login outlives the object that made it, sealed, until the token expires", async () => {
  const engine = playEngine();
  const owner = await registerTenant({ dolphins });
  const session = sessionOf(owner);
  const first = await session.token(request(owner));
  const stored = await runInDurableObject(session, (_session, { storage }) => JSON.stringify([...storage.kv.list()]));
  expect(stored).toMatch(/sealed:v1:/);
  for (const secret of ["token-1", "rahasia", "bank"]) expect(stored).not.toContain(secret);
  await evictDurableObject(session);
  expect(await session.token(request(owner))).toEqual(first);
  expect(engine.logins()).toBe(1);
  expect(await runDurableObjectAlarm(session)).toBe(true);
  expect(await runInDurableObject(session, (_session, { storage }) => [...storage.kv.list()])).toEqual([]);
});

test("one login is made anew when what was kept does not open", async () => {
  const engine = playEngine();
  const owner = await registerTenant({ dolphins });
  const session = sessionOf(owner);
  await session.token(request(owner));
  await runInDurableObject(session, (_session, { storage }) => storage.kv.put("token", "sealed:v1:AAAA"));
  await evictDurableObject(session);
  expect(await session.token(request(owner))).toMatchObject({ token: "token-2" });
  expect(engine.logins()).toBe(2);
});

test("a login that fails stands for all tickets, which keep their replies, until the credentials are fixed", async () => {
  const owner = await registerTenant({ dolphins });
  const isLogin = (sent: Sent) => sent.url.endsWith(LOGIN);
  farEnds.answerWith((sent) => {
    if (isLogin(sent) && !sent.body.includes("baru")) return new Response("", { status: 403 });
    return Response.json(isLogin(sent) ? { token: "t", expireAt: inAnHour() } : { status: "success" });
  });
  const numbers = await openTickets(owner, 10);
  const token = await tokenOf(owner);
  await Promise.all(numbers.map((number) => accepted(outgoing(token, number, "satu"))));
  for (const number of numbers) {
    const { lanes } = await untilView(owner, number, (view) => view.lanes.toDolphins.nextAttemptAt !== undefined);
    expect(lanes.toDolphins).toMatchObject({ waiting: 1, dead: 0 });
  }
  expect(farEnds.sent.filter(isLogin)).toHaveLength(1);
  const desk = { type: "native", url: "https://desk.example.com/hook" };
  await operator("PUT", `/tenants/${owner}`, {
    dolphins: { ...dolphins, auth: { ...auth, password: "baru" } },
    desk,
  });
  for (const number of numbers) await untilView(owner, number, (view) => view.lanes.toDolphins.delivered === 1);
  expect(farEnds.sent.filter(isLogin)).toHaveLength(2);
});

test("a login that fails is tried again a minute after the engine refused it, and when it says after a failure", async () => {
  const owner = await registerTenant({ dolphins });
  const session = sessionOf(owner);
  const ask = () => session.token(request(owner));
  const refusal = { outcome: { kind: "retry", error: "login: HTTP 401", during: "login" } };
  farEnds.answerWith(() => new Response("", { status: 401 }));
  expect(await ask()).toEqual(refusal);
  farEnds.answerWith(() => new Response("", { status: 503, headers: { "retry-after": "120" } }));
  expect(await ask()).toEqual(refusal);
  later(61_000);
  expect(await ask()).toMatchObject({ outcome: { error: "login: HTTP 503", retryAfterMs: 120_000 } });
  farEnds.answerWith(() => Response.json({ token: "t", expireAt: inAnHour() }));
  later(119_000);
  expect(await ask()).toMatchObject({ outcome: { error: "login: HTTP 503" } });
  later(2_000);
  expect(await ask()).toMatchObject({ token: "t" });
  expect(farEnds.sent).toHaveLength(3);
});

test("a login that fails stands no longer when the clock is set back", async () => {
  const owner = await registerTenant({ dolphins });
  const isLogin = (sent: Sent) => new URL(sent.url).pathname === LOGIN;
  farEnds.answerWith((sent) => (isLogin(sent) ? new Response("", { status: 401 }) : Response.json({})));
  await openTickets(owner, 1);
  await accepted(outgoing(await tokenOf(owner), "t0", "halo"));
  await untilView(owner, "t0", ({ lanes }) => lanes.toDolphins.nextAttemptAt !== undefined);
  expect(farEnds.sent.filter(isLogin)).toHaveLength(1);
  later(-HOUR_MS);
  await ticketOf(owner, "t0").sweep();
  await vi.waitFor(() => expect(farEnds.sent.filter(isLogin)).toHaveLength(2));
});

test("a login that fails for its address stays blocked, and no token that a header cannot carry is taken", async () => {
  const owner = await registerTenant({ dolphins });
  const session = sessionOf(owner);
  expect(await session.token(request(owner, { baseUrl: "https://10.0.0.1" }))).toMatchObject({
    outcome: { kind: "blocked" },
  });
  expect(farEnds.sent).toEqual([]);
  farEnds.answerWith(() => Response.json({ token: "a\r\nx-evil: 1", expireAt: inAnHour() }));
  expect(await session.token(request(owner))).toMatchObject({ outcome: { kind: "retry", error: /no token/ } });
});

test("a contact is remembered for a minute and not longer, and says how old it is", async () => {
  playEngine();
  const owner = await registerTenant({ dolphins });
  await openTickets(owner, 1);
  const token = await tokenOf(owner);
  const path = "/v1/contacts/d61d77735f3fe08bcf6d6b96fa06ba9d?ticketNumber=t0";
  const get = () => call(path, { headers: { authorization: `Bearer ${token}` } });
  const asked = () => farEnds.sent.filter((sent) => sent.url.includes("contactById")).length;
  expect((await get()).headers.get("age")).toBe("0");
  later(40_000);
  const remembered = await get();
  expect(await remembered.json()).toEqual({ status: "success", contact: { status: "success", name: "Farhan" } });
  expect(Number(remembered.headers.get("age"))).toBeGreaterThanOrEqual(40);
  expect(asked()).toBe(1);
  later(21_000);
  await get();
  expect(asked()).toBe(2);
});

test("a contact of a ticket that nobody opened asks no engine, and leaves no ticket behind", async () => {
  playEngine();
  const owner = await registerTenant({ dolphins });
  const token = await tokenOf(owner);
  const headers = { authorization: `Bearer ${token}` };
  for (const path of ["/v1/contacts/c?ticketNumber=t", "/v1/tickets/t/history"]) {
    expect((await call(path, { headers })).status).toBe(404);
  }
  const rows = await runInDurableObject(env.TICKET.getByName(JSON.stringify([owner, "t"])), (_ticket, { storage }) =>
    storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'").toArray(),
  );
  expect(rows).toEqual([]);
  expect(farEnds.sent).toEqual([]);
});

test("a history whose ticket has outlived its first messages begins as far back as they are kept", async () => {
  const owner = await registerTenant({ dolphins: { baseUrl: dolphins.baseUrl }, retentionDays: 5 });
  await openTickets(owner, 1);
  await untilView(owner, "t0", ({ lanes }) => lanes.toDesk.delivered === 1);
  await runInDurableObject(env.TICKET.getByName(JSON.stringify([owner, "t0"])), (_ticket, { storage }) => {
    storage.sql.exec("DELETE FROM message WHERE sequence = 1");
  });
  const token = await tokenOf(owner);
  const answer = await call("/v1/tickets/t0/history", { headers: { authorization: `Bearer ${token}` } });
  expect(await answer.json()).toEqual({ status: "success", messages: [] });
  const { startDateFilter, endDateFilter } = JSON.parse(farEnds.sent.at(-1)?.body ?? "") as Record<string, string>;
  expect(Date.parse(endDateFilter ?? "") - Date.parse(startDateFilter ?? "")).toBe(5 * 24 * HOUR_MS);
});
