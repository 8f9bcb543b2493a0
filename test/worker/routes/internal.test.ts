import { listDurableObjectIds } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { fresh, incoming, useFarEnds } from "../world";

const { sent } = useFarEnds();

test("a fault of the relay itself is a 500 that says so, is logged with its request's id, and stores nothing", async () => {
  const owner = fresh("owner");
  await env.DIRECTORY.put(`tenant:${owner}`, "{ a record that somebody wrote by hand");
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => lines.push(line));
  const answer = await incoming(owner, "t", "hello");
  expect(answer.status).toBe(500);
  expect(await answer.json()).toEqual({
    status: "error",
    error: { code: "internal", message: expect.stringContaining("Send it again") as unknown },
  });
  const line = lines.map((one) => JSON.parse(one) as Record<string, unknown>).find((one) => one["code"] === "internal");
  expect(line).toMatchObject({ event: "refused", status: 500, owner, ticketNumber: "t" });
  expect(line?.["requestId"]).toBe(answer.headers.get("x-request-id"));
  expect(await listDurableObjectIds(env.TICKET)).toEqual([]);
  expect(sent).toEqual([]);
});
