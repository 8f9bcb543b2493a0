import { listDurableObjectIds } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { call, operator, registerTenant, useFarEnds } from "../world";

/** The test buttons: what the far end truly answers, and nothing kept of it. */

const farEnds = useFarEnds();

type Probe = {
  status: string;
  attempt: { at: string; ms: number; status?: number; error?: string };
  outcome: string;
  answer: string;
};
const connectionTest = async (owner: string, what: "desk" | "engine") =>
  (await operator("POST", `/tenants/${owner}/test/${what}`)) as Probe;

const login = (password: string) => ({
  dolphins: { baseUrl: "https://bank.example.com", auth: { type: "login", username: "bank", password } },
});

test("a connection test of the desk is an Incoming Event like any other, signed for that desk, and opens no ticket", async () => {
  const owner = await registerTenant();
  const before = (await listDurableObjectIds(env.TICKET)).length;
  farEnds.answerWith(() => Response.json({ status: "success", seen: true }));
  const { attempt, outcome, answer } = await connectionTest(owner, "desk");
  expect([outcome, attempt.status, attempt.error]).toEqual(["delivered", 200, undefined]);
  expect(answer).toBe('{"status":"success","seen":true}');
  const [sent] = farEnds.sent;
  const { credentials } = (await operator("GET", `/tenants/${owner}/credentials`)) as {
    credentials: { signingSecret: string };
  };
  const event = new Webhook(credentials.signingSecret).verify(
    sent?.body ?? "",
    Object.fromEntries(sent?.headers ?? []),
  );
  expect(event).toMatchObject({ owner, ticketNumber: "relay-test", messageType: "text" });
  expect((await listDurableObjectIds(env.TICKET)).length).toBe(before);
});

test.each([
  ["retry", 503, "HTTP 503", "<h1>Under maintenance</h1>"],
  ["rejected", 404, "HTTP 404", "no such hook"],
  ["rejected", 200, "HTTP 200, but the body says failure", '{"status":"error","reason":"inbox is full"}'],
  ["delivered", 200, undefined, "<title>Log in</title>"],
  ["delivered", 204, undefined, ""],
])(
  "a connection test of the desk ends as %s when the desk answers %i, and shows what it said",
  async (outcome, status, error, body) => {
    const owner = await registerTenant();
    farEnds.answerWith(() => new Response(status === 204 ? null : body, { status }));
    const shown = await connectionTest(owner, "desk");
    expect(shown).toEqual({
      status: "success",
      attempt: {
        at: expect.stringMatching(/Z$/) as unknown,
        ms: expect.any(Number) as unknown,
        status,
        ...(error === undefined ? {} : { error }),
      },
      outcome,
      answer: body,
    });
  },
);

test("a connection test of the desk shows no more than the beginning of a long answer", async () => {
  const owner = await registerTenant();
  farEnds.answerWith(() => new Response("é".repeat(5_000), { status: 500 }));
  expect((await connectionTest(owner, "desk")).answer).toBe("é".repeat(1_024));
});

test("a connection test of the desk says that nobody answers", async () => {
  const owner = await registerTenant();
  farEnds.answerWith(() => Promise.reject(new Error("connection refused")));
  const { outcome, attempt, answer } = await connectionTest(owner, "desk");
  expect([outcome, attempt.error, answer]).toEqual(["retry", "no connection: connection refused", ""]);
});

test("a connection test of the desk goes to the URL that was put a moment ago", async () => {
  const owner = await registerTenant();
  await connectionTest(owner, "desk");
  const desk = { type: "native", url: "https://desk.example.com/moved" };
  await operator("PUT", `/tenants/${owner}`, { dolphins: { baseUrl: "https://bank.example.com" }, desk });
  await connectionTest(owner, "desk");
  expect(farEnds.sent.map(({ url }) => url)).toEqual([
    "https://desk.example.com/hook",
    "https://desk.example.com/moved",
  ]);
});

test("a connection test of a URL that the SSRF guard forbids is blocked, and nothing is sent", async () => {
  const owner = await registerTenant();
  const stored = await env.DIRECTORY.get<{ desk: object }>(`tenant:${owner}`, "json");
  const desk = { type: "native", url: "https://10.0.0.8/hook", notifyFailures: false };
  await env.DIRECTORY.put(`tenant:${owner}`, JSON.stringify({ ...stored, desk }));
  const { outcome, attempt } = await connectionTest(owner, "desk");
  expect(outcome).toBe("blocked");
  expect(attempt.error).toContain("not public");
  expect(farEnds.sent).toEqual([]);
});

const token = JSON.stringify({ token: "t0k3n", expireAt: "2099-01-01T00:00:00.000+07:00[Asia/Jakarta]" });

test("a connection test of a login that 3Dolphins accepts says so, without its token", async () => {
  const owner = await registerTenant(login("rahasia"));
  farEnds.answerWith(() => new Response(token));
  const shown = await connectionTest(owner, "engine");
  expect(shown).toMatchObject({ outcome: "delivered", attempt: { status: 200 }, answer: "" });
  expect(JSON.stringify(shown)).not.toContain("t0k3n");
  const [sent] = farEnds.sent;
  expect([sent?.url, sent?.body]).toEqual([
    "https://bank.example.com/dolphin/apiv1/graph/auth",
    '{"username":"bank","password":"rahasia"}',
  ]);
});

test("a connection test of a login that 3Dolphins refuses shows its words, but for the password in them, and asks anew each time", async () => {
  const owner = await registerTenant(login('ra"hasia'));
  const said = { error: "bad credentials", given: { username: "bank", password: 'ra"hasia' }, text: 'ra"hasia' };
  farEnds.answerWith(() => Response.json(said, { status: 401 }));
  const { outcome, attempt, answer } = await connectionTest(owner, "engine");
  expect([outcome, attempt.status, attempt.error]).toEqual(["rejected", 401, "HTTP 401"]);
  expect(answer).toContain("bad credentials");
  expect(answer).not.toContain("hasia");
  farEnds.answerWith(() => new Response(token));
  expect((await connectionTest(owner, "engine")).outcome).toBe("delivered");
});

test.each(["<html>Welcome</html>", '{"expireAt":"x","secret":"t0k3n"}'])(
  "a connection test of a login that is answered 200 without a token says so, and does not show %s",
  async (body) => {
    const owner = await registerTenant(login("rahasia"));
    farEnds.answerWith(() => new Response(body));
    expect(await connectionTest(owner, "engine")).toMatchObject({
      outcome: "retry",
      attempt: { status: 200, error: "the answer holds no token" },
      answer: "",
    });
  },
);

test("a connection test of a login is refused where there is no login to test", async () => {
  const owner = await registerTenant();
  const headers = { authorization: `Bearer ${env.ADMIN_TOKEN}` };
  const answer = await call(`/admin/tenants/${owner}/test/engine`, { method: "POST", headers });
  expect(answer.status).toBe(422);
  expect(await answer.json()).toMatchObject({
    error: {
      code: "invalid_request",
      issues: [{ path: "dolphins.auth.type", message: "is none, so there is no login to try" }],
    },
  });
  expect(farEnds.sent).toEqual([]);
});
