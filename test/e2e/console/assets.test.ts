import { afterAll, beforeAll, expect, test } from "vitest";
import { bearer } from "../support/tenant.ts";
import { type World, startWorld } from "../support/world.ts";

/** What the relay serves beside its Worker, and where the border between the two runs. */

let world: World;

beforeAll(async () => {
  world = await startWorld({ assets: true });
});
afterAll(() => world.stop());

const directives = (policy: string | null): Map<string, string> =>
  new Map((policy ?? "").split("; ").map((one) => [one.split(" ", 1)[0] ?? "", one.slice(one.indexOf(" ") + 1)]));

test.each(["/docs", "/docs/desk", "/openapi.json"])(
  "the API reference at %s may run its own scripts and talk to nobody else",
  async (path) => {
    const { status, headers } = await world.call(path);
    expect(status).toBe(200);
    const policy = directives(headers.get("content-security-policy"));
    expect(policy.get("default-src")).toBe("'none'");
    expect([policy.get("script-src"), policy.get("style-src"), policy.get("connect-src")]).toEqual([
      "'self'",
      "'self'",
      "'self'",
    ]);
    expect(policy.get("frame-ancestors")).toBe("'none'");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("set-cookie")).toBeNull();
  },
);

test("the API reference loads nothing from elsewhere, and nothing inline", async () => {
  const { text } = await world.call("/docs");
  const sources = [...text.matchAll(/<(?!a )[^>]*(?:src|href)="([^"]*)"/g)].map((match) => match[1] ?? "");
  expect(sources.filter((source) => !source.startsWith("/") && !source.startsWith("data:"))).toEqual([]);
  expect(text).not.toMatch(/<style|style=|<script>|\son\w+=/);
  for (const source of sources.filter((one) => one.startsWith("/"))) {
    expect((await world.call(source)).status, source).toBe(200);
  }
});

test("an asset that is asked by another method says which it takes", async () => {
  for (const path of ["/openapi.json", "/docs", "/console", "/docs/docs.css"]) {
    for (const method of ["POST", "DELETE", "OPTIONS", "PATCH"]) {
      const { status, headers } = await world.call(path, { method });
      expect([path, method, status, headers.get("allow")]).toEqual([path, method, 405, "GET, HEAD"]);
    }
  }
});

test("the bare address leads a browser to the console", async () => {
  const headers = { accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" };
  const { status, headers: given } = await fetch(world.relay().url, { headers, redirect: "manual" });
  expect([status, given.get("location"), given.get("vary")]).toEqual([302, "/console/", "accept"]);
});

test.each([undefined, "*/*", "application/json"])(
  "the bare address tells a program that accepts %s where to read on",
  async (accept) => {
    const reply = await world.call("/", { headers: accept === undefined ? {} : { accept } });
    const { status, ...places } = reply.body as Record<string, string>;
    expect(status).toBe("success");
    expect(Object.keys(places)).toEqual(["apiReference", "openapi", "console"]);
    for (const path of Object.values(places)) expect((await world.call(path)).status, path).toBe(200);
  },
);

test("the bare address takes GET alone", async () => {
  const reply = await world.call("/", { method: "POST" });
  expect(reply).toBeRefused(405, "method_not_allowed");
  expect(reply.headers.get("allow")).toBe("GET, HEAD");
});

test("what is no asset is the Worker's, and none of the files about assets is shown", async () => {
  for (const path of ["/_headers", "/nothing", "/docs/nothing", "/docs/../wrangler.toml", "/console/session/more"]) {
    const reply = await world.call(path);
    expect(reply, path).toBeRefused(404, "not_found");
    expect(reply.headers.get("x-request-id")).not.toBeNull();
  }
});

const signIn = () => world.call("/console/session", { method: "POST", body: { token: world.settings.ADMIN_TOKEN } });

test("a session over plain http has a cookie that a browser takes without https, and ends when told to", async () => {
  const signedIn = await signIn();
  const set = signedIn.headers.get("set-cookie") ?? "";
  expect(set).toMatch(/^relay_session=[\w.-]+; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Strict$/);
  const headers = { cookie: set.split(";", 1)[0] ?? "", "sec-fetch-site": "same-origin" };
  expect((await world.call("/admin/tenants", { headers })).status).toBe(200);
  expect((await world.call("/console/session", { headers })).body).toEqual(signedIn.body);
  expect((await world.call("/console/session", { method: "DELETE", headers })).status).toBe(200);
  for (const path of ["/admin/tenants", "/admin/health", "/console/session"]) {
    expect(await world.call(path, { headers }), path).toBeRefused(401, "unauthorized");
  }
});

test("a session over plain http writes only for a page of its own origin, where a browser names no site", async () => {
  const set = (await signIn()).headers.get("set-cookie") ?? "";
  const headers = { cookie: set.split(";", 1)[0] ?? "" };
  const remove = (origin: Record<string, string>) =>
    world.call("/admin/tenants/nobody", { method: "DELETE", headers: { ...headers, ...origin } });
  expect(await remove({ origin: world.relay().url })).toBeRefused(404, "unknown_owner");
  expect(await remove({ origin: "http://evil.example" })).toBeRefused(401, "unauthorized");
  expect(await remove({})).toBeRefused(401, "unauthorized");
});

test("a session over plain http is the only thing that sets a cookie", async () => {
  for (const path of ["/healthz", "/docs", "/openapi.json", "/admin/tenants", "/admin/health", "/nothing"]) {
    const reply = await world.call(path, { headers: bearer(world.settings.ADMIN_TOKEN) });
    expect(reply.headers.get("set-cookie"), path).toBeNull();
  }
});

test("a session over plain http leaves its token and cookie out of the log", async () => {
  const set = (await signIn()).headers.get("set-cookie") ?? "";
  await world.call("/console/session", { method: "POST", body: { token: "wrong, and long enough to be found" } });
  const logs = world.relay().logs.join("\n");
  expect(logs).toContain('"event":"signed_in"');
  for (const secret of [world.settings.ADMIN_TOKEN, set.split(/[=;]/)[1] ?? "none", "long enough to be found"]) {
    expect(logs).not.toContain(secret);
  }
});
