import { expect, test } from "vitest";
import { call, fresh, operator, OPERATOR, registerTenant, useFarEnds } from "../world";

useFarEnds();

const RECORD = {
  dolphins: { baseUrl: "https://bank.example.com" },
  desk: { type: "native", url: "https://desk.example.com/hook" },
};
const versionOf = async (owner: string) =>
  (await call(`/admin/tenants/${owner}`, { headers: OPERATOR })).headers.get("etag") ?? "";
const put = (owner: string, record: object, ifMatch?: string) =>
  call(`/admin/tenants/${owner}`, {
    method: "PUT",
    headers: { ...OPERATOR, ...(ifMatch === undefined ? {} : { "if-match": ifMatch }) },
    body: JSON.stringify({ ...RECORD, ...record }),
  });
const nameOf = async (owner: string) =>
  ((await operator("GET", `/tenants/${owner}`)) as { tenant: { name: string } }).tenant.name;

test("of two who change a record as they have read it, the later one is refused, and told what differs", async () => {
  const owner = await registerTenant();
  const read = await versionOf(owner);
  const first = await put(owner, { name: "first", retentionDays: 7 }, read);
  expect(first.status).toBe(200);
  expect(first.headers.get("etag")).toBe(await versionOf(owner));
  const second = await put(owner, { name: "second" }, read);
  expect(second.status).toBe(412);
  expect(await second.json()).toMatchObject({
    error: {
      code: "precondition_failed",
      issues: [
        { path: "name", message: 'is now "first"' },
        { path: "retentionDays", message: "is now 7" },
      ],
    },
  });
  expect(await nameOf(owner)).toBe("first");
  expect((await put(owner, { name: "second" }, `"other", ${await versionOf(owner)}`)).status).toBe(200);
  expect((await put(owner, { name: "third" })).status).toBe(200);
});

test("of two who put at the very same time what they have read, one is refused", async () => {
  const owner = await registerTenant();
  const read = await versionOf(owner);
  const both = await Promise.all([put(owner, { name: "a" }, read), put(owner, { name: "b" }, read)]);
  expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 412]);
});

test("a version of a record that is not there matches nothing, and a pause makes no other version", async () => {
  expect((await put(fresh("owner"), {}, "*")).status).toBe(412);
  const owner = await registerTenant();
  const read = await versionOf(owner);
  await operator("POST", `/tenants/${owner}/pause`);
  expect((await put(owner, { name: "paused" }, read)).status).toBe(200);
  expect((await put(owner, { name: "any" }, "*")).status).toBe(200);
});
