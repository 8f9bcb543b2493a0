import { expect, test } from "vitest";
import { countOutOfOrder, drivenOf, median, quantile, spreadOf, standardError } from "../../../dev/bench/figures.ts";

const sent = (key: string, sentAtMs: number, answeredAtMs: number, ok = true) => ({ key, sentAtMs, answeredAtMs, ok });
const arrived = (key: string, atMs: number, ticket = "t") => ({ key, ticket, atMs });

test("a quantile is one of the values, whatever order they came in", () => {
  const values = Array.from({ length: 100 }, (_, n) => 99 - n);
  expect([0, 0.5, 0.9, 0.99, 1].map((share) => quantile(values, share))).toEqual([0, 50, 90, 99, 99]);
  expect(median([3, 1, 2])).toBe(2);
  expect(quantile([], 0.5)).toBeNaN();
});

test("the standard error is that of the mean, and of one value there is none", () => {
  expect(standardError([1, 2, 3, 4])).toBeCloseTo(0.6455, 4);
  expect(standardError([7, 7, 7])).toBe(0);
  expect(spreadOf([0.5, 0.7, 0.6])).toBe("0.60 ± 0.06 (0.50 – 0.70)");
  expect(spreadOf([0.5])).toBe("0.50 (0.50 – 0.50)");
});

test("a message that overtakes one accepted before it was sent is out of order", () => {
  const both = [sent("a", 0, 10), sent("b", 20, 30)];
  expect(countOutOfOrder(both, [arrived("a", 25), arrived("b", 40)])).toBe(0);
  expect(countOutOfOrder(both, [arrived("b", 40), arrived("a", 50)])).toBe(1);
  expect(countOutOfOrder(both, [arrived("b", 40, "other"), arrived("a", 50)])).toBe(0);
});

test("two messages that were under way at once may arrive in either order", () => {
  expect(countOutOfOrder([sent("a", 0, 25), sent("b", 20, 30)], [arrived("b", 40), arrived("a", 50)])).toBe(0);
});

test("a message counts as lost, repeated and late by its first arrival", () => {
  const driven = drivenOf(
    [sent("a", 100, 110), sent("b", 120, 140), sent("c", 150, 160, false), sent("d", 170, 175)],
    [arrived("a", 130), arrived("b", 150), arrived("a", 300)],
    100,
  );
  expect(driven).toMatchObject({ refused: 1, lost: 1, repeated: 1, outOfOrder: 0, acceptingMs: 75, deliveringMs: 50 });
  expect(driven.acceptsMs).toEqual([10, 20, 10, 5]);
  expect(driven.lagsMs).toEqual([30, 30]);
});
