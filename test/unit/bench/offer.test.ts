import { expect, test } from "vitest";
import { NAMES, optionsOf } from "../../../dev/bench/args.ts";
import { scheduleOf } from "../../../dev/bench/load.ts";
import { isAmongFailing } from "../../../dev/bench/sink.ts";

test("each message is due within its own slot, so that the rate is kept whatever the random values", () => {
  const load = { tickets: 2, messages: 100, bytes: 200, perSecond: 50 };
  const schedule = scheduleOf(load, Math.random);
  expect(schedule).toHaveLength(100);
  expect(schedule.every((dueMs, number) => dueMs >= number * 20 && dueMs < (number + 1) * 20)).toBe(true);
  expect(scheduleOf({ ...load, messages: 3 }, () => 0.5)).toEqual([10, 30, 50]);
});

test("failures are spread evenly over the requests", () => {
  const failing = (share: number) => Array.from({ length: 100 }, (_, n) => n).filter((n) => isAmongFailing(n, share));
  expect(failing(0)).toEqual([]);
  expect(failing(0.05)).toEqual([19, 39, 59, 79, 99]);
});

test("the bench measures everything when nothing is asked for", () => {
  expect(optionsOf([])).toEqual({
    help: false,
    pairs: 5,
    only: NAMES,
    json: "bench.json",
    rates: [],
    tickets: 200,
    seconds: 20,
    failing: 0,
    medium: "memory",
  });
});

test("an offered load takes several rates, and the share of what fails", () => {
  const line = "--rate 100,400,700 --tickets 50 --seconds 5 --fail 0.05 --disk --pairs 2";
  expect(optionsOf(line.split(" "))).toMatchObject({
    pairs: 2,
    rates: [100, 400, 700],
    tickets: 50,
    seconds: 5,
    failing: 0.05,
    medium: "disk",
  });
});

test.each([
  [["--pairs", "0"], "--pairs must be a whole number"],
  [["--rate", "100,fast"], "--rate must be a whole number"],
  [["--fail", "1"], "--fail must be a share"],
  [["--only", "disk,dsik"], 'knows no "dsik"'],
])("a slip in %j is said before anything is built", (args, message) => {
  expect(() => optionsOf(args)).toThrow(message);
});
