import { expect, test } from "vitest";
import { newMessageId } from "../../../src/lib/message-id";

test("a message id is a UUID of version 7 that begins with the time", () => {
  const before = Date.now();
  const id = newMessageId();
  expect(id).toMatch(/^msg_[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
  const atMs = Number.parseInt(id.slice("msg_".length, "msg_".length + 12), 16);
  expect(atMs).toBeGreaterThanOrEqual(before);
  expect(atMs).toBeLessThanOrEqual(Date.now());
});

test("no two messages have one id", () => {
  const many = 10_000;
  expect(new Set(Array.from({ length: many }, newMessageId)).size).toBe(many);
});
