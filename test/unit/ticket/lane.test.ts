import { describe, expect, test } from "vitest";
import * as lanes from "../../../src/ticket/lane";

/** What the schedules of lane.model.test.ts do not reach: the limits, and the order of several replays. */

const times = (n: number, change: (lane: lanes.Lane) => lanes.Lane, from = lanes.EMPTY_LANE): lanes.Lane =>
  Array.from({ length: n }).reduce<lanes.Lane>(change, from);

const accept = (lane: lanes.Lane) => lanes.accept(lane, 10);
const nowMs = 1_000_000;

describe("a lane", () => {
  test("a lane has nothing to do when it is empty", () => {
    expect(lanes.nextStep(lanes.EMPTY_LANE, nowMs)).toEqual({ do: "rest" });
    expect(lanes.headOf(lanes.EMPTY_LANE)).toBeUndefined();
    expect(lanes.waitingCount(lanes.EMPTY_LANE)).toBe(0);
  });

  test("a lane is full at 1,000 waiting messages, and not before", () => {
    expect(lanes.isFull(times(999, accept), 10)).toBe(false);
    expect(lanes.isFull(times(1000, accept), 10)).toBe(true);
  });

  test("a lane counts only what waits towards its limit", () => {
    const delivered = lanes.settle(lanes.begin(times(1000, accept), 1), 1, { state: "delivered" }, 10);
    expect(lanes.isFull(delivered, 10)).toBe(false);
    const dead = lanes.settle(lanes.begin(times(1000, accept), 1), 1, { state: "dead" }, 10);
    expect(lanes.isFull(dead, 10)).toBe(false);
    expect(lanes.isFull(lanes.replay(dead, [1], 10), 10)).toBe(true);
  });

  test("a lane takes one message of any size when nothing waits", () => {
    expect(lanes.isFull(lanes.EMPTY_LANE, 256 * 1024)).toBe(false);
  });

  test("a lane begins no attempt while another is in flight", () => {
    expect(lanes.nextStep(lanes.begin(times(2, accept), 1), nowMs)).toEqual({ do: "rest" });
  });

  test("a lane delivers replays in their original order, ahead of what waits, whatever order they are asked in", () => {
    let lane = times(4, accept);
    for (const sequence of [1, 2, 3]) lane = lanes.settle(lanes.begin(lane, sequence), sequence, { state: "dead" }, 10);
    lane = lanes.replay(lanes.replay(lane, [3], 10), [2, 1], 20);
    const order: number[] = [];
    for (let step = lanes.nextStep(lane, nowMs); step.do === "deliver"; step = lanes.nextStep(lane, nowMs)) {
      order.push(step.sequence);
      lane = lanes.settle(lanes.begin(lane, step.sequence), step.sequence, { state: "delivered" }, 10);
    }
    expect(order).toEqual([1, 2, 3, 4]);
  });

  test("a lane keeps the wait of a failed message while a replay goes ahead of it", () => {
    let lane = lanes.settle(lanes.begin(times(2, accept), 1), 1, { state: "dead" }, 10);
    lane = lanes.begin(lane, 2);
    lane = lanes.replay(lane, [1], 10);
    const untilMs = nowMs + 600_000;
    lane = lanes.settle(lane, 2, { state: "waiting", nextAttemptAtMs: untilMs }, 0);
    expect(lanes.nextStep(lane, nowMs)).toEqual({ do: "deliver", sequence: 1 });
    lane = lanes.settle(lanes.begin(lane, 1), 1, { state: "delivered" }, 10);
    expect(lanes.nextStep(lane, nowMs)).toEqual({ do: "wait", untilMs });
  });

  test("a lane does not wait for a time that no retry can have set, as after its clock was set back", () => {
    const waiting = (untilMs: number) =>
      lanes.settle(lanes.begin(times(1, accept), 1), 1, { state: "waiting", nextAttemptAtMs: untilMs }, 0);
    const longest = nowMs + 720_000;
    expect(lanes.nextStep(waiting(longest), nowMs)).toEqual({ do: "wait", untilMs: longest });
    expect(lanes.nextStep(waiting(longest + 1), nowMs)).toEqual({ do: "deliver", sequence: 1 });
    expect(lanes.notBeforeMsOf(waiting(longest + 1), nowMs)).toBe(0);
  });
});
