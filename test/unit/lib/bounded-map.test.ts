import { expect, test, vi } from "vitest";
import { BoundedMap, memo } from "../../../src/lib/bounded-map";

test("a bounded map that is full drops the key that was set longest ago", () => {
  const map = new BoundedMap<string, number>(2);
  map.set("a", 1).set("b", 2).set("c", 3);
  expect([...map]).toEqual([
    ["b", 2],
    ["c", 3],
  ]);
});

test("a key that is set again in a bounded map is the newest, and pushes nothing out", () => {
  const map = new BoundedMap<string, number>(2);
  map.set("a", 1).set("b", 2).set("b", 3);
  expect([...map.keys()]).toEqual(["a", "b"]);
  expect([...map.set("a", 4).keys()]).toEqual(["b", "a"]);
});

test("a memo makes the value of a key once, and again when the key has been dropped", () => {
  const make = vi.fn<(key: string) => number>((key) => key.length);
  const lengthOf = memo(2, make);
  expect(["a", "bb", "a", "ccc", "a"].map(lengthOf)).toEqual([1, 2, 1, 3, 1]);
  expect(make.mock.calls.flat()).toEqual(["a", "bb", "ccc", "a"]);
});
