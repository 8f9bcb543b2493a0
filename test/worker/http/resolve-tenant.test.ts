import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import {
  accepted,
  call,
  fresh,
  incoming,
  OPERATOR,
  outgoing,
  registerTenant,
  ticketOf,
  tokenOf,
  useFarEnds,
} from "../world";

/** Whose ticket it is, where a desk gives no owner. */

const farEnds = useFarEnds();

const reply = async (token: string, number: string) => {
  const answer = await outgoing(token, number, "reply");
  const { error } = (await answer.json()) as { error?: { code: string } };
  return error?.code ?? "accepted";
};

const mappings = async () => (await env.DIRECTORY.list({ prefix: "ticket:" })).keys.length;

test("a ticket of a desk's only tenant is not mapped, and is that tenant's all the same", async () => {
  const owner = await registerTenant();
  await accepted(incoming(owner, "t", "hello"));
  await farEnds.until(1);
  expect(await reply(await tokenOf(owner), "t")).toBe("accepted");
  expect(await mappings()).toBe(0);
});

test("a ticket from before the desk had a second tenant is still found", async () => {
  const deskId = fresh("desk");
  const owner = await registerTenant({ deskId });
  await accepted(incoming(owner, "old", "hello"));
  await farEnds.until(1);
  const other = await registerTenant({ deskId });
  expect(await reply(await tokenOf(other), "old")).toBe("accepted");
  // An object that starts anew sees that its ticket has to be mapped now.
  await evictDurableObject(ticketOf(owner, "old"));
  expect(await reply(await tokenOf(other), "old")).toBe("accepted");
  await vi.waitFor(async () => expect(await mappings()).toBe(1));
});

test("a second tenant's tickets are mapped, and those of the first too from then on", async () => {
  const deskId = fresh("desk");
  const owners = [await registerTenant({ deskId }), await registerTenant({ deskId })];
  for (const [n, owner] of owners.entries()) await accepted(incoming(owner, `t${n}`, "hello"));
  await vi.waitFor(async () => expect(await mappings()).toBe(2));
  for (const n of [0, 1]) expect(await reply(await tokenOf(owners[n] ?? ""), `t${n}`)).toBe("accepted");
  expect(await reply(await tokenOf(owners[0] ?? ""), "t2")).toBe("unknown_ticket");
});

test("a number that an old ticket of the first and a new one of the second hold needs the owner", async () => {
  const deskId = fresh("desk");
  const owner = await registerTenant({ deskId });
  await accepted(incoming(owner, "same", "hello"));
  const other = await registerTenant({ deskId });
  await accepted(incoming(other, "same", "hello"));
  await vi.waitFor(async () => expect(await mappings()).toBe(1));
  expect(await reply(await tokenOf(owner), "same")).toBe("ambiguous_ticket");
});

test("the old tickets of a tenant that is deleted and put again, or only put again, are found", async () => {
  const deskId = fresh("desk");
  const owner = await registerTenant({ deskId });
  await accepted(incoming(owner, "old", "hello"));
  await farEnds.until(1);
  await registerTenant({ deskId });
  const record = JSON.stringify({
    deskId,
    dolphins: { baseUrl: "https://bank.example.com" },
    desk: { type: "native", url: "https://desk.example.com/hook" },
  });
  const put = () => call(`/admin/tenants/${owner}`, { method: "PUT", headers: OPERATOR, body: record });
  expect((await put()).status).toBe(200);
  expect((await call(`/admin/tenants/${owner}`, { method: "DELETE", headers: OPERATOR })).status).toBe(200);
  expect((await put()).status).toBe(200);
  expect(await reply(await tokenOf(owner), "old")).toBe("accepted");
});

test("a tenant whose record was put by an earlier release has its tickets mapped as before", async () => {
  const owner = await registerTenant();
  const [member] = (await env.DIRECTORY.list({ prefix: "member:" })).keys;
  await env.DIRECTORY.put(member?.name ?? "", "", { metadata: { owner } });
  await accepted(incoming(owner, "t", "hello"));
  await vi.waitFor(async () => expect(await mappings()).toBe(1));
});

test("a mapping that KV did not take is written by the alarm", async () => {
  const deskId = fresh("desk");
  await registerTenant({ deskId });
  const owner = await registerTenant({ deskId });
  const put = vi.spyOn(env.DIRECTORY, "put").mockRejectedValueOnce(new Error("KV is away"));
  await accepted(incoming(owner, "t", "hello"));
  await vi.waitFor(() => expect(put).toHaveBeenCalledOnce());
  expect(await mappings()).toBe(0);
  await vi.waitFor(async () => expect(await mappings()).toBe(1), { timeout: 15_000 });
});
