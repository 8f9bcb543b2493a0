import { listDurableObjectIds, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { expect, test, vi } from "vitest";
import type { Tenant } from "../../../src/tenants/tenant-record";
import {
  accepted,
  call,
  fresh,
  incoming,
  operator,
  outgoing,
  registerTenant,
  ticketOf,
  tokenOf,
  untilView,
  useFarEnds,
} from "../world";

const farEnds = useFarEnds();

const HOUR_MS = 3_600_000;
/** Longer than an isolate goes by what it has read. */
const FORGET_MS = 31_000;
const passTime = (ms: number) => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
const login = (password: string) => ({
  baseUrl: "https://bank.example.com",
  auth: { type: "bearer", token: password },
});

/** Changes the record as it lies in KV, and lets the isolate forget what it has read of it. */
async function tamper(owner: string, change: (stored: Tenant) => Tenant) {
  const stored = await env.DIRECTORY.get<Tenant>(`tenant:${owner}`, "json");
  if (!stored) throw new Error("no record");
  await env.DIRECTORY.put(`tenant:${owner}`, JSON.stringify(change(stored)));
  passTime(FORGET_MS);
}
const withToken = (stored: Tenant, token: string): Tenant => ({
  ...stored,
  dolphins: { ...stored.dolphins, auth: { type: "bearer", token } },
});
const tokenIn = async (owner: string) => {
  const stored = await env.DIRECTORY.get<Tenant>(`tenant:${owner}`, "json");
  return stored?.dolphins.auth.type === "bearer" ? stored.dolphins.auth.token : "";
};

test.each([
  ["of another tenant", async (other: string) => tokenIn(other)],
  [
    "with a letter changed",
    async (_other: string, own: string) => own.replace(/.$/, (last) => (last === "A" ? "B" : "A")),
  ],
  ["in clear text", async () => "hush"],
])(
  "a sealed secret in KV %s leaves the message waiting with its name, until the record is put again",
  async (_, forge) => {
    const [owner, other] = [
      await registerTenant({ dolphins: login("hush") }),
      await registerTenant({ dolphins: login("loud") }),
    ];
    await accepted(incoming(owner, "t", "Halo"));
    await farEnds.until(1);
    const forged = await forge(other, (await tokenIn(owner)).slice(0, -2) + "AA");
    await tamper(owner, (stored) => withToken(stored, forged));

    await accepted(outgoing(await tokenOf(owner), "t", "balasan"));
    const stuck = await untilView(owner, "t", ({ lanes }) => lanes.toDolphins.nextAttemptAt !== undefined);
    const [attempt] = stuck.messages.find(({ lane }) => lane === "toDolphins")?.attempts ?? [];
    expect(attempt?.error).toContain("dolphins.auth.token");
    expect(attempt?.error).toContain(owner);
    expect(stuck.lanes.toDolphins).toMatchObject({ waiting: 1, dead: 0 });
    expect(farEnds.sent).toHaveLength(1);
    expect(JSON.stringify(stuck)).not.toMatch(/hush|loud|sealed:v1/);

    // Kept is what the Registrar has, whatever was done to KV.
    const desk = { type: "native", url: "https://desk.example.com/hook" };
    const put = await call(`/admin/tenants/${owner}`, {
      method: "PUT",
      headers: { authorization: `Bearer ${env.ADMIN_TOKEN}` },
      body: JSON.stringify({ dolphins: login("***"), desk }),
    });
    expect(put.status).toBe(200);
    passTime(5_000);
    // Any event wakes the ticket; the message goes out in its place, with the new secret.
    await accepted(incoming(owner, "t", "Halo lagi"));
    await untilView(owner, "t", ({ lanes }) => lanes.toDolphins.delivered === 1);
    const sent = farEnds.sent.filter(({ url }) => url.startsWith("https://bank"));
    expect(sent.map(({ headers }) => headers.get("authorization"))).toEqual(["Bearer hush"]);
  },
);

type Credentials = { token: string; signingSecret: string };
const credentialsOf = async (answer: Promise<unknown>) => ((await answer) as { credentials: Credentials }).credentials;
const rotate = (owner: string) => credentialsOf(operator("POST", `/tenants/${owner}/credentials/rotate`));

const tokenStatus = async (token: string) =>
  (await call("/v1/tickets/none", { headers: { authorization: `Bearer ${token}` } })).status;
const signatureStatus = async (owner: string, secret: string) => {
  const body = JSON.stringify({ ticketNumber: "none", channel: "c", event: "Close", owner });
  const at = new Date(Date.now());
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const headers = {
    "webhook-id": "e",
    "webhook-timestamp": timestamp,
    "webhook-signature": new Webhook(secret).sign("e", at, body),
  };
  return (await call("/v1/command", { method: "POST", headers, body })).status;
};
/** 404: let in, and there is no such ticket. */
const answersTo = async (owner: string, { token, signingSecret }: Credentials) => [
  await tokenStatus(token),
  await signatureStatus(owner, signingSecret),
];
const IN = [404, 404];
const OUT = [401, 401];

test("credentials of the generation before are good for 24 hours, and not a second longer", async () => {
  passTime(0);
  const owner = await registerTenant();
  const first = await credentialsOf(operator("GET", `/tenants/${owner}/credentials`));
  expect(await answersTo(owner, first)).toEqual(IN);
  const second = await rotate(owner);
  vi.setSystemTime(Date.now() + 24 * HOUR_MS - 1_000);
  expect([await answersTo(owner, first), await answersTo(owner, second)]).toEqual([IN, IN]);
  vi.setSystemTime(Date.now() + 1_000);
  expect([await answersTo(owner, first), await answersTo(owner, second)]).toEqual([OUT, IN]);
});

test("two rotations at once are two, and what was there before ends with the second", async () => {
  const owner = await registerTenant();
  const first = await credentialsOf(operator("GET", `/tenants/${owner}/credentials`));
  const [one, other] = await Promise.all([rotate(owner), rotate(owner)]);
  expect(one).not.toEqual(other);
  expect(await answersTo(owner, first)).toEqual(OUT);
});

test("credentials of the generation before end at once with the next rotation", async () => {
  const owner = await registerTenant();
  const first = await credentialsOf(operator("GET", `/tenants/${owner}/credentials`));
  const second = await rotate(owner);
  const third = await rotate(owner);
  expect(await credentialsOf(operator("GET", `/tenants/${owner}/credentials`))).toEqual(third);
  expect([await answersTo(owner, first), await answersTo(owner, second), await answersTo(owner, third)]).toEqual([
    OUT,
    IN,
    IN,
  ]);
});

test("credentials sign what goes to the desk as the standardwebhooks package verifies it", async () => {
  const owner = await registerTenant();
  const { signingSecret } = await rotate(owner);
  await accepted(incoming(owner, "t", "é🐬\uD800"));
  await farEnds.until(1);
  const [sent] = farEnds.sent;
  const verify = (secret: string, body = sent?.body ?? "") =>
    new Webhook(secret).verify(body, Object.fromEntries(sent?.headers ?? []));
  expect(verify(signingSecret)).toMatchObject({ owner });
  expect(() => verify(signingSecret, `${sent?.body} `)).toThrow("No matching signature");
  expect(() => verify(`whsec_${btoa("another secret of some length")}`)).toThrow("No matching signature");
});

const event = (owner: string) =>
  JSON.stringify({
    ticketNumber: "t",
    channel: "c",
    accountId: "1",
    contactId: "1",
    messageType: "text",
    message: "Halo",
    mediaLink: "",
    customerName: "F",
    createdDate: "2021-04-28T15:39:37.945",
    owner,
    event: "Close",
  });

test("a caller who is refused makes no Durable Object, whatever is asked", async () => {
  const [owner, stranger] = [await registerTenant(), await registerTenant()];
  const token = await tokenOf(stranger);
  const own = await tokenOf(owner);
  const bearers = ["", "Bearer wrong", `Bearer ${token}`, `Bearer ${own}x`];
  const statuses = new Set<number>();
  const before = (await listDurableObjectIds(env.TICKET)).length;
  const ask = async (path: string, init: RequestInit = {}) => {
    const answer = await call(path, init);
    await answer.body?.cancel();
    statuses.add(answer.status);
  };
  for (const authorization of bearers) {
    for (const [path, method] of [
      ["/v1/outgoing", "POST"],
      ["/v1/command", "POST"],
      [`/admin/tickets/${owner}/t/replay`, "POST"],
    ] as const) {
      await ask(path, { method, headers: { authorization }, body: event(owner) });
    }
    await ask(`/v1/tickets/t?owner=${owner}`, { headers: { authorization } });
    await ask(`/admin/tickets/${owner}/t`, { headers: { authorization } });
  }
  for (const path of ["incoming", "command", "sendMessage", "incomingMessage"]) {
    await ask(`/v1/dolphins/wrong/${path}`, { method: "POST", body: event(owner) });
    await ask(`/v1/dolphins/ingress-key-of-main/${path}`, { method: "POST", body: event(fresh("nobody")) });
    await ask(`/v1/dolphins/ingress-key-of-main/${path}`, { method: "POST", body: "{" });
  }
  await ask(`/v1/desks/native/${owner}`, { method: "POST", body: event(owner) });
  const forged = {
    "webhook-id": "e",
    "webhook-timestamp": String(Math.floor(Date.now() / 1000)),
    "webhook-signature": "v1,AAAA",
  };
  await ask("/v1/outgoing", { method: "POST", headers: forged, body: event(owner) });
  expect(statuses).toEqual(new Set([400, 401, 403, 404]));
  expect(await listDurableObjectIds(env.TICKET)).toHaveLength(before);
  await accepted(incoming(owner, "t", "Halo"));
  expect(await listDurableObjectIds(env.TICKET)).toHaveLength(before + 1);
});

test("a caller who is let in, and asks for what there is not, leaves nothing in a Durable Object", async () => {
  const owner = await registerTenant();
  const headers = { authorization: `Bearer ${await tokenOf(owner)}` };
  for (const path of ["/v1/outgoing", "/v1/command"]) {
    expect((await call(path, { method: "POST", headers, body: event(owner) })).status).toBe(404);
  }
  expect((await call("/v1/tickets/t", { headers })).status).toBe(404);
  expect((await call("/v1/dolphins/ingress-key-of-main/command", { method: "POST", body: event(owner) })).status).toBe(
    404,
  );
  const operators = { authorization: `Bearer ${env.ADMIN_TOKEN}` };
  expect((await call(`/admin/tickets/${owner}/t`, { headers: operators })).status).toBe(404);
  const replay = { method: "POST", headers: operators, body: '{"all":true}' };
  expect((await call(`/admin/tickets/${owner}/t/replay`, replay)).status).toBe(404);
  const left = await runInDurableObject(ticketOf(owner, "t"), async (_ticket, { storage }) => ({
    tables: storage.sql
      .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'")
      .toArray(),
    values: [...storage.kv.list()],
    alarm: await storage.getAlarm(),
  }));
  expect(left).toEqual({ tables: [], values: [], alarm: null });
});
