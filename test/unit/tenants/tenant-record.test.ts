import { expect, test } from "vitest";
import { mapSecrets, parseTenant, valueAt, type Tenant } from "../../../src/tenants/tenant-record";

const least = {
  dolphins: { baseUrl: "https://bank.example:9443" },
  desk: { type: "native", url: "https://desk.example/hooks/dolphins" },
};

function tenantOf(json: unknown, owner = "owner-1"): Tenant {
  const parsed = parseTenant(owner, json, false);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
}

/** The issues by their path; none when the record fits. */
function issues(json: unknown, allowInsecure = false): Record<string, string> {
  const parsed = parseTenant("owner-1", json, allowInsecure);
  return parsed.ok ? {} : Object.fromEntries(parsed.error.map((issue) => [issue.path, issue.message]));
}

const paths = (json: unknown) => Object.keys(issues(json));

test("a tenant record needs no more than baseUrl and desk, and has a default for the rest", () => {
  expect(tenantOf(least)).toMatchObject({
    owner: "owner-1",
    name: "owner-1",
    deskId: "owner-1",
    timeZone: "Asia/Jakarta",
    stickerText: "Stiker",
    dolphins: {
      baseUrl: "https://bank.example:9443",
      outgoingPath: "/outgoing",
      commandPath: "/command",
      apiPath: "/dolphin/apiv1",
      auth: { type: "none" },
    },
    desk: least.desk,
    delivery: { timeoutMs: 10_000, maxAgeSeconds: 86_400, whenExhausted: "advance" },
    retentionDays: 30,
  });
  expect(tenantOf(least).ingress).toBeUndefined();
});

test("a tenant record keeps what it says, and fills in what it leaves out of delivery", () => {
  const given = { ...least, name: "Bank ABC", deskId: "acme", ingress: "main", delivery: { whenExhausted: "hold" } };
  expect(tenantOf(given)).toMatchObject({
    name: "Bank ABC",
    deskId: "acme",
    ingress: "main",
    delivery: { timeoutMs: 10_000, maxAgeSeconds: 86_400, whenExhausted: "hold" },
  });
});

test("a tenant record can be put back as it was given out", () => {
  const tenant = tenantOf({ ...least, deskId: "acme" });
  expect(tenantOf(JSON.parse(JSON.stringify(tenant)))).toEqual(tenant);
});

test("a tenant record may state its owner, but no other", () => {
  expect(issues({ ...least, owner: "owner-1" })).toEqual({});
  expect(paths({ ...least, owner: "owner-2" })).toEqual(["owner"]);
  expect(paths({ ...least, owner: 7 })).toEqual(["owner"]);
});

test("a tenant record may end its baseUrl with a slash: paths are appended to it", () => {
  const tenant = tenantOf({ ...least, dolphins: { baseUrl: "https://bank.example:9443/x//" } });
  expect(tenant.dolphins.baseUrl).toBe("https://bank.example:9443/x");
});

test.each([undefined, null, 7, "text", [], [least]].map((json) => ({ json })))(
  "a tenant record has to be an object, not $json",
  ({ json }) => {
    expect(issues(json)).toEqual({ "": "must be one JSON object" });
  },
);

test("a tenant record with nothing in it gets an issue for all that is missing at once", () => {
  expect(issues({})).toEqual({ dolphins: "is required", desk: expect.any(String) });
  expect(paths({ dolphins: {}, desk: { type: "native" } })).toEqual(["dolphins.baseUrl", "desk.url"]);
});

test.each([
  [{ ...least, retention: 1 }, "retention"],
  [{ ...least, dolphins: { ...least.dolphins, url: "x" } }, "dolphins.url"],
  [{ ...least, desk: { ...least.desk, token: "x" } }, "desk.token"],
  [{ ...least, delivery: { timeoutSeconds: 1 } }, "delivery.timeoutSeconds"],
  [{ ...least, dolphins: { ...least.dolphins, auth: { type: "none", token: "x" } } }, "dolphins.auth.token"],
])("a tenant record has no unknown fields: %#", (json, path) => {
  expect(issues(json)).toEqual({ [path]: "is not a field of a tenant record" });
});

test.each([
  [{ deskId: "" }, "deskId"],
  [{ deskId: "x".repeat(129) }, "deskId"],
  [{ deskId: "a\nb" }, "deskId"],
  [{ ingress: "" }, "ingress"],
  [{ name: "x".repeat(1025) }, "name"],
  [{ timeZone: "Jakarta" }, "timeZone"],
  [{ timeZone: "" }, "timeZone"],
  [{ stickerText: "" }, "stickerText"],
  [{ retentionDays: 0 }, "retentionDays"],
  [{ retentionDays: 1.5 }, "retentionDays"],
  [{ retentionDays: "30" }, "retentionDays"],
  [{ delivery: { timeoutMs: 0 } }, "delivery.timeoutMs"],
  [{ delivery: { timeoutMs: 3_600_000 } }, "delivery.timeoutMs"],
  [{ delivery: { maxAgeSeconds: 0 } }, "delivery.maxAgeSeconds"],
  [{ delivery: { maxAgeSeconds: 0.5 } }, "delivery.maxAgeSeconds"],
  [{ delivery: { maxAgeSeconds: 1e12 } }, "delivery.maxAgeSeconds"],
  [{ delivery: { whenExhausted: "stop" } }, "delivery.whenExhausted"],
  [{ desk: { type: "telepathy" } }, "desk.type"],
  [{ desk: { type: "native", url: "http://desk.example" } }, "desk.url"],
  [{ desk: { type: "native", url: "https://10.0.0.1" } }, "desk.url"],
  [{ dolphins: { baseUrl: "http://bank.example" } }, "dolphins.baseUrl"],
  [{ dolphins: { baseUrl: "https://localhost" } }, "dolphins.baseUrl"],
  [{ dolphins: { baseUrl: "https://bank.example", outgoingPath: "outgoing" } }, "dolphins.outgoingPath"],
  [{ dolphins: { baseUrl: "https://bank.example", auth: { type: "magic" } } }, "dolphins.auth.type"],
  [{ dolphins: { baseUrl: "https://bank.example", auth: { type: "bearer" } } }, "dolphins.auth.token"],
  [{ dolphins: { baseUrl: "https://bank.example", auth: { type: "bearer", token: "" } } }, "dolphins.auth.token"],
  [{ dolphins: { baseUrl: "https://bank.example", auth: { type: "basic", username: "u" } } }, "dolphins.auth.password"],
  [
    { dolphins: { baseUrl: "https://b.example", auth: { type: "header", name: "a b", value: "x" } } },
    "dolphins.auth.name",
  ],
  [
    { dolphins: { baseUrl: "https://b.example", auth: { type: "header", name: "a", value: "x\ny" } } },
    "dolphins.auth.value",
  ],
])("a tenant record is refused for one field alone: %j", (change, path) => {
  expect(paths({ ...least, ...change })).toEqual([path]);
});

test.each([
  { retentionDays: 1 },
  { delivery: { timeoutMs: 1000, maxAgeSeconds: 1 } },
  { delivery: { maxAgeSeconds: 7 * 86_400, whenExhausted: "hold" } },
  { timeZone: "UTC" },
  { dolphins: { ...least.dolphins, auth: { type: "login", username: "u", password: "p" } } },
  { dolphins: { ...least.dolphins, auth: { type: "header", name: "x-api-key", value: "v" } } },
])("a tenant record may say %j", (change) => {
  expect(issues({ ...least, ...change })).toEqual({});
});

test("a tenant record may name local targets in local development", () => {
  const local = {
    dolphins: { baseUrl: "http://127.0.0.1:9200" },
    desk: { type: "native", url: "http://localhost:9100" },
  };
  expect(issues(local, true)).toEqual({});
  expect(Object.keys(issues(local, false))).toEqual(["dolphins.baseUrl", "desk.url"]);
});

test("a tenant record is refused without an echo of its secrets", () => {
  const auth = { type: "header", name: "a b", value: "s3cret\n" };
  expect(JSON.stringify(issues({ ...least, dolphins: { ...least.dolphins, auth } }))).not.toContain("s3cret");
});

const pathsWith = (name: string) =>
  paths({ ...least, dolphins: { ...least.dolphins, auth: { type: "header", name, value: "v" } } });

test.each(["Content-Type", "content-length", "Host", "connection", "transfer-encoding", "relay-attempt", "CF-Ray"])(
  "the header of an engine's authentication may not be one that the relay or the connection sets: %s",
  (name) => {
    expect(pathsWith(name)).toEqual(["dolphins.auth.name"]);
  },
);

test.each(["x-api-key", "Authorization", "apikey"])("the header of an engine's authentication may be %s", (name) => {
  expect(pathsWith(name)).toEqual([]);
});

const withAuth = (auth: object) => tenantOf({ ...least, dolphins: { ...least.dolphins, auth } });

test.each([
  [{ type: "bearer", token: "t0" }, { "dolphins.auth.token": "t0" }],
  [{ type: "basic", username: "u", password: "p0" }, { "dolphins.auth.password": "p0" }],
  [{ type: "header", name: "x-key", value: "v0" }, { "dolphins.auth.value": "v0" }],
  [{ type: "login", username: "u", password: "p1" }, { "dolphins.auth.password": "p1" }],
  [{ type: "none" }, {}],
])("the secrets of a record are found, each with its path: %j", async (auth, expected) => {
  const found: Record<string, string> = {};
  const tenant = withAuth(auth);
  const masked = await mapSecrets(tenant, (secret, path) => {
    found[path] = secret;
    return Promise.resolve("***");
  });
  expect(found).toEqual(expected);
  for (const path of Object.keys(expected)) {
    expect(valueAt(masked, path)).toBe("***");
    expect(valueAt(tenant, path)).toBe(found[path]);
  }
});

test("the secrets of a record are all that is changed, and in a copy", async () => {
  const tenant = withAuth({ type: "basic", username: "u", password: "p" });
  const before = structuredClone(tenant);
  const masked = await mapSecrets(tenant, () => "***");
  expect(tenant).toEqual(before);
  expect(masked).toEqual({
    ...before,
    dolphins: { ...before.dolphins, auth: { type: "basic", username: "u", password: "***" } },
  });
});

test("the secrets of a record are not at a path that is not there", () => {
  const tenant = tenantOf(least);
  expect(valueAt(tenant, "dolphins.auth.password")).toBeUndefined();
  expect(valueAt(tenant, "desk.url.length.more")).toBeUndefined();
});
