import { createExecutionContext, listDurableObjectIds, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { app } from "../../../src/app";
import { call, useFarEnds } from "../world";

/** What the operator is told of a relay that is not in order. */

useFarEnds();

/** Every kind of Durable Object that the relay is bound to; the runner's own services have an underscore in front. */
const kinds = Object.entries(env as unknown as Record<string, DurableObjectNamespace>).filter(
  ([name, binding]) => !name.startsWith("_") && typeof binding === "object" && "idFromName" in binding,
);

type Health = { checks?: { name: string; ok: boolean }[]; error?: { code: string; issues: Issue[] } };
type Issue = { path: string; message: string };

async function healthOf(changed: Record<string, unknown>): Promise<{ status: number; body: Health; text: string }> {
  const settings = { ...env, ...changed };
  const headers = { authorization: `Bearer ${env.ADMIN_TOKEN}` };
  const request = new Request("https://relay.example/admin/health", { headers });
  const answer = await app.fetch(request, settings, createExecutionContext());
  const text = await answer.text();
  return { status: answer.status, body: JSON.parse(text) as Health, text };
}

const broken = (message: string) => ({
  list: () => Promise.reject(new Error(message)),
  getByName: () => {
    throw new Error(message);
  },
});

test("a relay in order says of each part that it is", async () => {
  const { status, body } = await healthOf({});
  expect(status).toBe(200);
  const objects = ["TICKET", "TENANT_INDEX", "ENGINE_SESSION", "REGISTRAR", "CONSOLE_SESSION", "AUDIT"];
  const names = ["MASTER_KEY", "INGRESS_KEYS", "OPERATORS", "ACCESS", "LOCATION_HINT", "DIRECTORY", ...objects];
  expect(body.checks?.map(({ name }) => name)).toEqual(names);
  expect(body.checks?.filter(({ ok }) => !ok)).toEqual([]);
  expect(objects.toSorted()).toEqual(kinds.map(([name]) => name).toSorted());
});

test("asking for the relay's health writes nothing, in no kind of object", async () => {
  await healthOf({});
  for (const [name, namespace] of kinds) {
    for (const id of await listDurableObjectIds(namespace)) {
      const written = await runInDurableObject(namespace.get(id), async (_, { storage }) => [
        ...storage.sql.exec("SELECT name FROM sqlite_master").toArray(),
        await storage.getAlarm(),
      ]);
      expect(written, name).toEqual([null]);
    }
  }
});

test.each([
  ["MASTER_KEY", { MASTER_KEY: "hush" }, /not 32 bytes in base64.*wrangler secret put MASTER_KEY$/],
  ["MASTER_KEY", { MASTER_KEY_PREVIOUS: "hush" }, /wrangler secret put MASTER_KEY_PREVIOUS$/],
  ["INGRESS_KEYS", { INGRESS_KEYS: "hush" }, /list of name=key.*wrangler secret put INGRESS_KEYS$/],
  ["INGRESS_KEYS", { INGRESS_KEYS: undefined }, /is not set/],
  ["INGRESS_KEYS", { INGRESS_KEYS: "main=fifteen-letters" }, /fewer than 16 characters \(main\)/],
  ["LOCATION_HINT", { LOCATION_HINT: "jakarta" }, /none of wnam,.*apac-se.*set it in wrangler\.toml$/],
  ["DIRECTORY", { DIRECTORY: broken("KV GET failed: 503") }, /KV namespace does not answer \(KV GET failed: 503\)/],
  ["DIRECTORY", { DIRECTORY: undefined }, /wrangler\.toml/],
  ["TICKET", { TICKET: broken("overloaded") }, /Durable Object does not answer \(overloaded\)/],
  ["TENANT_INDEX", { TENANT_INDEX: broken("overloaded") }, /overloaded/],
  ["ENGINE_SESSION", { ENGINE_SESSION: broken("overloaded") }, /overloaded/],
  ["REGISTRAR", { REGISTRAR: broken("overloaded") }, /overloaded/],
  ["CONSOLE_SESSION", { CONSOLE_SESSION: broken("overloaded") }, /overloaded/],
  ["AUDIT", { AUDIT: broken("overloaded") }, /overloaded/],
  ["OPERATORS", { OPERATORS: "siti=hush" }, /list of name:role=token.*wrangler secret put OPERATORS$/],
  ["ACCESS", { ACCESS_TEAM_DOMAIN: "bank.cloudflareaccess.com" }, /ACCESS_AUD is not set/],
])("the health check names %s, broken by %o, and says what to do", async (name, changed, advice) => {
  const { status, body, text } = await healthOf(changed);
  expect([status, body.error?.code]).toEqual([503, "unavailable"]);
  expect(body.error?.issues.map(({ path }) => path)).toEqual([name]);
  expect(body.error?.issues[0]?.message).toMatch(advice);
  expect(text).not.toContain("hush");
});

test("the health check names all that is wrong at once", async () => {
  const { body } = await healthOf({
    MASTER_KEY: "",
    INGRESS_KEYS: "",
    DIRECTORY: broken("away"),
    TICKET: broken(""),
  });
  const paths = body.error?.issues.map(({ path }) => path);
  expect(paths).toEqual(["MASTER_KEY", "INGRESS_KEYS", "DIRECTORY", "TICKET"]);
});

test("the health check answers the operator alone, by a token that has to be set itself", async () => {
  const answer = await call("/admin/health");
  expect(await answer.json()).toMatchObject({ error: { code: "unauthorized" } });
  expect((await healthOf({ ADMIN_TOKEN: "short" })).body.error?.code).toBe("unavailable");
});
