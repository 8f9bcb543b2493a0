import { expect, test } from "vitest";
import { World } from "./lane.world";

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
