import { beforeEach, expect, test, vi } from "vitest";
import { nextStep } from "../../../src/ticket/lane";
import { deliveryStatus } from "../../../src/ticket/views";
import { sqlRows } from "./lane.sql";
import { World } from "./lane.world";

/** What the schedules of lane.model.test.ts do not reach: who waits for an end, and how long a run of attempts is. */

const delivered = { kind: "delivered", status: 200 } as const;
const rejected = { kind: "rejected", status: 422, error: "HTTP 422" } as const;
const event = JSON.stringify({ message: "Halo" });

const incoming = (world: World) => world.accept({ lane: "toDesk", kind: "incoming", event });
const reply = (world: World) => world.accept({ lane: "toDolphins", kind: "outgoing", event });

// A line is written for each attempt.
beforeEach(() => {
  vi.spyOn(console, "log").mockReturnValue();
});

test.each([
  { ends: "delivered", outcome: delivered, status: { state: "delivered" } },
  {
    ends: "among the dead letters",
    outcome: { ...rejected, answer: "no such channel" },
    status: { state: "dead", reason: "rejected", last: { error: "HTTP 422: no such channel" } },
  },
])("a caller who waits for a message learns at once that it ended $ends", async ({ outcome, status }) => {
  const world = new World();
  incoming(world);
  // Nobody would wait for an hour: if the settling wakes nobody, this test runs into its time limit.
  const answer = deliveryStatus("toDesk", 1, 3600_000, world.deps);
  await world.end("toDesk", outcome);
  expect(await answer).toMatchObject(status);
});

test("a caller who waits for a message that is tried again is answered when the time is over", async () => {
  vi.useFakeTimers();
  const world = new World();
  incoming(world);
  const answer = deliveryStatus("toDesk", 1, 20_000, world.deps);
  await world.end("toDesk", { kind: "retry", status: 503, error: "HTTP 503" });
  await vi.advanceTimersByTimeAsync(20_000);
  expect(await answer).toEqual({ state: "waiting" });
  vi.useRealTimers();
});

test("a run ends after 400 attempts, and the alarm starts the next one at once", async () => {
  const world = new World();
  for (let n = 0; n < 402; n++) incoming(world);
  for (let n = 1; n < 400; n++) await world.end("toDesk", delivered);
  expect(world.flights.toDesk?.sequence).toBe(400);
  expect(await world.end("toDesk", delivered)).toBe(false);
  expect(world.flights.toDesk).toBeUndefined();
  expect(nextStep(world.lane("toDesk"), world.nowMs)).toEqual({ do: "deliver", sequence: 401 });
  expect(world.alarmAtMs).toBeLessThanOrEqual(world.nowMs + 10);
  world.pass(world.nowMs + 10);
  expect(world.flights.toDesk?.sequence).toBe(401);
});

test("a run in which every reply is refused and reported to the desk ends after 400 attempts as well", async () => {
  const world = new World();
  world.notifyFailures = true;
  incoming(world);
  await world.end("toDesk", delivered);
  for (let n = 0; n < 402; n++) reply(world);
  for (let n = 1; n < 400; n++) await world.end("toDolphins", rejected);
  expect(await world.end("toDolphins", rejected)).toBe(false);
  expect(world.flights.toDolphins).toBeUndefined();
  expect(world.flights.toDesk?.sequence).toBe(2);
  world.pass(world.nowMs + 10);
  expect(world.flights.toDolphins?.sequence).toBe(401);
});

test("a message whose outcome cannot be recorded waits for five seconds, holds up those behind it, and is tried again", async () => {
  const world = new World();
  incoming(world);
  incoming(world);
  world.failsToRecord = true;
  await world.end("toDesk", delivered);
  expect(world.flights.toDesk).toBeUndefined();
  expect(world.lane("toDesk")).toMatchObject({ inFlight: undefined, requeued: [{ sequence: 1 }] });
  expect(world.alarmAtMs).toBe(world.nowMs + 5_000);
  world.pass(world.nowMs + 5_000);
  // The attempt that was not recorded does not count.
  expect(world.flights.toDesk).toMatchObject({ sequence: 1, attempt: 1 });
  await world.end("toDesk", delivered);
  expect(world.flights.toDesk?.sequence).toBe(2);
});

test("a refused reply whose report to the desk cannot be written is tried again, and reported then", async () => {
  const rows = sqlRows();
  const world = new World(rows);
  world.notifyFailures = true;
  incoming(world);
  await world.end("toDesk", delivered);
  reply(world);
  const full = vi.spyOn(rows, "insertMessage").mockImplementationOnce(() => {
    throw new Error("the disk is full");
  });
  await world.end("toDolphins", rejected);
  expect(full).toHaveBeenCalled();
  expect(world.lane("toDolphins").dead).toBe(0);
  await world.crash();
  world.pass(world.nowMs + 5_000);
  await world.end("toDolphins", rejected);
  expect(world.lane("toDolphins").dead).toBe(1);
  expect(world.flights.toDesk?.sequence).toBe(2);
});

test.each(["live", "between restarts"])(
  "when the clock is set back %s, the next touch tries what waits, and the alarm stands no further ahead than a retry",
  async (when) => {
    const world = new World();
    incoming(world);
    await world.end("toDesk", { kind: "retry", status: 503, error: "HTTP 503", retryAfterMs: 600_000 });
    world.nowMs -= 3600_000;
    if (when === "between restarts") await world.crash();
    reply(world);
    expect(world.flights.toDesk).toMatchObject({ sequence: 1, attempt: 2 });
    expect((world.alarmAtMs ?? Number.POSITIVE_INFINITY) - world.nowMs).toBeLessThanOrEqual(8_000);
    await world.end("toDolphins", delivered);
    await world.end("toDesk", { kind: "retry", status: 503, error: "HTTP 503", retryAfterMs: 600_000 });
    expect((world.alarmAtMs ?? Number.POSITIVE_INFINITY) - world.nowMs).toBeLessThanOrEqual(720_000);
  },
);
