import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { Directory } from "../../../src/tenants/directory";
import { accepted, fresh, incoming, registerTenant, useFarEnds } from "../world";

const farEnds = useFarEnds();

/** Longer than an isolate goes by what it has read. */
const FORGET_MS = 31_000;

/** KV is away: every question to it fails. */
function takeKvAway() {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + FORGET_MS });
  const away = () => Promise.reject(new Error("KV is away"));
  const kv = new Proxy(env.DIRECTORY, { get: () => away });
  return new Directory(kv);
}

test("while KV is away, a tenant that was read before is served as it was then", async () => {
  const owner = await registerTenant({ name: "Bank ABC" });
  const directory = takeKvAway();
  expect(await directory.tenant(owner)).toMatchObject({ owner, name: "Bank ABC" });
  expect(await directory.policy(owner)).toMatchObject({ retentionDays: 30 });
});

test("while KV is away, a tenant that was never read is a failure, and not a tenant that is not there", async () => {
  await expect(takeKvAway().tenant(fresh("owner"))).rejects.toThrow("KV is away");
});

test("while KV is away, an event of a known tenant is accepted and delivered all the same", async () => {
  const owner = await registerTenant();
  await accepted(incoming(owner, "t", "before"));
  await farEnds.until(1);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + FORGET_MS });
  vi.spyOn(env.DIRECTORY, "get").mockRejectedValue(new Error("KV is away"));
  await accepted(incoming(owner, "t", "meanwhile"));
  await farEnds.until(2);
  expect(farEnds.texts()).toEqual(["before", "meanwhile"]);
});
