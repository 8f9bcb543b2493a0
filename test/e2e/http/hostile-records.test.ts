import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FORBIDDEN_TARGETS, RECORDS } from "./hostile/records.ts";
import { type Reply, issuePaths, refusal } from "../support/http.ts";
import { type World, startWorld } from "../support/world.ts";

/** A relay as it is deployed: its targets have to be public. */

let world: World;
beforeAll(async () => {
  world = await startWorld({ settings: { ALLOW_INSECURE_TARGETS: "false" } });
});
afterAll(() => world.stop());

const put = (dolphins: object, record: object): Promise<Reply> =>
  world.admin("PUT", `/admin/tenants/${randomUUID()}`, {
    dolphins: { baseUrl: "https://bank.example.com:9443", ...dolphins },
    desk: { type: "native", url: "https://desk.example.com/hooks" },
    ...record,
  });

const targets = Object.entries(FORBIDDEN_TARGETS).flatMap(([what, urls]) => urls.map((url) => ({ what, url })));

test.each(targets)("a target that is $what is refused: $url", async ({ url }) => {
  expect(issuePaths(refusal(await put({ baseUrl: url }, {}), 422, "invalid_tenant"))).toEqual(["dolphins.baseUrl"]);
  const desk = { type: "native", url };
  expect(issuePaths(refusal(await put({}, { desk }), 422, "invalid_tenant"))).toEqual(["desk.url"]);
});

test.each(RECORDS)("a record with %s is refused", async (_, dolphins, record, path) => {
  expect(issuePaths(refusal(await put(dolphins, record), 422, "invalid_tenant"))).toEqual([path]);
});

test("no tenant came of any of them, and a record with none of that is taken", async () => {
  expect((await world.admin("GET", "/admin/tenants")).body).toEqual({ status: "success", tenants: [] });
  expect((await put({}, {})).status).toBe(200);
});
