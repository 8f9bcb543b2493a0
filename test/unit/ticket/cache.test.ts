import { expect, test, vi } from "vitest";
import { unsealed, World } from "./lane.world";

const HERE = "chatwoot https://here.example 1 7";
const THERE = "chatwoot https://there.example 1 7";
const kept = { conversationId: 102 };

function openedTicket(): World {
  const world = new World();
  world.accept({ lane: "toDesk", kind: "incoming", event: "{}" });
  return world;
}

test("what is kept of a conversation is void for another far end, also after a crash", async () => {
  const world = openedTicket();
  world.deps.cache.keepConversation("toDesk", HERE, kept);
  await world.crash();
  expect(world.deps.cache.conversation("toDesk", THERE)).toBeUndefined();
  expect(world.deps.cache.conversation("toDesk", HERE)).toEqual(kept);
});

test("what an earlier version kept belongs to the first far end that asks for it", async () => {
  const world = openedTicket();
  world.deps.cache.change({ conversations: JSON.stringify({ toDesk: kept }) });
  await world.crash();
  expect(world.deps.cache.conversation("toDesk", HERE)).toEqual(kept);
  await world.crash();
  expect(world.deps.cache.conversation("toDesk", THERE)).toBeUndefined();
});

test("a long message that came lately is not read back, while those that wait are few", () => {
  const world = new World();
  const read = vi.spyOn(world.deps.store, "readMessage");
  const event = JSON.stringify({ message: "x".repeat(40 * 1024) });
  for (let n = 0; n < 4; n++) world.accept({ lane: "toDesk", kind: "incoming", event });
  for (const sequence of [1, 2, 3, 4])
    expect(unsealed(world.deps.cache.message("toDesk", sequence)?.event)).toBe(event);
  expect(read.mock.calls).toEqual([["toDesk", 4]]);
});
