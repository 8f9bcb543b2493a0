import * as fc from "fast-check";
import { beforeEach, expect, test, vi } from "vitest";
import { lieUntilMs } from "../../../src/ticket/order";
import { RUN } from "../property";
import { sqlRows } from "./lane.sql";
import { unsealed, World } from "./lane.world";

/** What a desk's webhooks come to when they are jobs of their own, and overtake each other. */

const nowMs = 1_000_000;
const fresh = { key: 5, ageMs: 2_000 };
const NONE = Number.NEGATIVE_INFINITY;

// A line is written for each attempt.
beforeEach(() => {
  vi.spyOn(console, "log").mockReturnValue();
});

test("a lane takes a fresh reply at once", () => {
  expect(lieUntilMs(fresh, [], NONE, nowMs)).toBeUndefined();
  expect(lieUntilMs(fresh, [], 5, nowMs)).toBeUndefined();
});

test("a lane takes a reply that is older than two seconds two seconds later", () => {
  expect(lieUntilMs({ key: 5, ageMs: 2_001 }, [], NONE, nowMs)).toBe(nowMs + 2_000);
});

test("a lane takes a reply whose key is below that of one stored lately, or of one that lies, two seconds later", () => {
  expect(lieUntilMs(fresh, [], 6, nowMs)).toBe(nowMs + 2_000);
  expect(lieUntilMs(fresh, [{ key: 6, untilMs: nowMs + 1 }], NONE, nowMs)).toBe(nowMs + 2_000);
});

test("a lane takes a fresh reply together with those that lie ahead of it, and does not wait for a Close", () => {
  const lying = [
    { key: 4, untilMs: nowMs + 500 },
    { key: 5, untilMs: nowMs + 700 },
    { key: null, untilMs: nowMs + 2_900 },
  ];
  expect(lieUntilMs(fresh, lying, 5, nowMs)).toBe(nowMs + 700);
  expect(lieUntilMs(fresh, lying.slice(2), 4, nowMs)).toBeUndefined();
});

test("a lane takes a Close three seconds later", () => {
  expect(lieUntilMs({ key: null }, [], NONE, nowMs)).toBe(nowMs + 3_000);
});

/** Twelve replies, the seventh with three parts, and the Close. */
type Sent = { text: string; order: { key: number; ageMs: number } | { key: null } };
const REPLIES = Array.from({ length: 12 }, (_, at): Sent[] => {
  const parts = at === 6 ? ["a", "b", "c"] : [""];
  return parts.map((part) => ({
    text: `reply ${at + 1}${part}`,
    order: { key: 800 + at * 3, ageMs: 8_000 - at * 400 },
  }));
});
const CLOSE: Sent[] = [{ text: "Close", order: { key: null } }];
const IN_ORDER = [...REPLIES, CLOSE].flat().map(({ text }) => text);

const shuffle = fc.record({
  webhooks: fc.shuffledSubarray([...REPLIES, CLOSE], { minLength: 13 }),
  gapsMs: fc.array(fc.integer({ min: 0, max: 140 }), { minLength: 15, maxLength: 15 }),
  crashes: fc.uniqueArray(fc.integer({ min: 0, max: 14 }), { maxLength: 3 }),
  repeated: fc.integer({ min: 0, max: 14 }),
});

test("twelve replies and a Close that come in any order go out in theirs, none refused and none twice, whatever crashes", async () => {
  let played = 0;
  const property = fc.asyncProperty(shuffle, async ({ webhooks, gapsMs, crashes, repeated }) => {
    const world = new World();
    world.accept({ lane: "toDesk", kind: "incoming", event: "{}" });
    const send = ({ text, order }: Sent) => {
      const kind = order.key === null ? "command" : "outgoing";
      const event = JSON.stringify({ text });
      return world.accept({ lane: "toDolphins", kind, event, idempotencyKey: text, fromWebhook: true, order });
    };
    const sent = webhooks.flat();
    const ids: string[] = [];
    for (const [at, webhook] of sent.entries()) {
      world.pass(world.nowMs + (gapsMs[at] ?? 0));
      if (crashes.includes(at)) await world.crash();
      const answer = send(webhook);
      expect(answer).toMatchObject({ ok: true, value: { repeat: false } });
      if (!answer.ok) return;
      expect(answer.value.sequence).toBeUndefined();
      ids.push(answer.value.id);
    }
    const again = sent.slice(repeated, repeated + 1).map(send);
    expect(again).toMatchObject([{ ok: true, value: { repeat: true, id: ids[repeated] } }]);

    const delivered: string[] = [];
    for (let turns = 0; turns < 40 && world.deps.cache.ticket?.state !== "closed"; turns++) {
      const { sequence } = world.flights.toDolphins ?? {};
      if (sequence === undefined) {
        world.pass(world.alarmAtMs ?? world.nowMs);
        continue;
      }
      const message = world.store.readMessage("toDolphins", sequence);
      delivered.push((JSON.parse(unsealed(message?.event)) as { text: string }).text);
      expect(sequence).toBe(delivered.length);
      await world.end("toDolphins", { kind: "delivered", status: 200 });
    }
    expect(delivered).toEqual(IN_ORDER);
    played++;
  });
  await fc.assert(property, { ...RUN, numRuns: 200 });
  expect(played).toBe(200);
});

function openedTicket(world = new World()): World {
  world.accept({ lane: "toDesk", kind: "incoming", event: "{}" });
  return world;
}

const close = (world: World, key = "first") =>
  world.accept({
    lane: "toDolphins",
    kind: "command",
    event: "{}",
    fromWebhook: true,
    order: { key: null },
    idempotencyKey: key,
  });

test("a reply that comes after a Close was taken is refused", () => {
  const world = openedTicket();
  close(world);
  world.pass(world.nowMs + 2_999);
  const reply = { lane: "toDolphins", kind: "outgoing", event: '{"text":"survey"}' } as const;
  expect(world.accept({ ...reply, order: { key: 1, ageMs: 0 } })).toMatchObject({ ok: true, value: { sequence: 1 } });
  world.pass(world.nowMs + 1);
  const refused = { ok: false, error: { code: "ticket_closed" } };
  expect(world.accept({ ...reply, order: { key: 2, ageMs: 0 } })).toEqual(refused);
});

test("the engine's Close, and another of the desk's, repeat one that lies", () => {
  const world = openedTicket();
  const first = close(world);
  const { id } = first.ok ? first.value : { id: "" };
  const repeat = { id, lane: "toDolphins", sequence: undefined, repeat: true, queued: false };
  expect(world.accept({ lane: "toDesk", kind: "command", event: "{}" })).toEqual({ ok: true, value: repeat });
  expect(close(world, "second")).toEqual({ ok: true, value: repeat });
});

test("when the clock is set back, the next touch takes what lies", () => {
  const world = openedTicket();
  close(world);
  world.nowMs -= 3600_000;
  expect(close(world, "second")).toMatchObject({ ok: true, value: { repeat: true } });
  expect(world.flights.toDolphins).toMatchObject({ sequence: 1 });
});

test("what lay when a release was rolled back lies no longer once that has stored something behind it", async () => {
  const world = openedTicket(new World(sqlRows()));
  close(world);
  const row = world.store.readMessage("toDolphins", 1);
  if (!row) throw new Error("there is no Close");
  world.store.insertMessage({ ...row, sequence: 2, id: "msg_2", orderKey: null, lyingUntilMs: null });
  await world.crash();
  expect(world.lane("toDolphins")).toMatchObject({ accepted: 2, lying: [] });
});
