import { expect, test } from "vitest";
import { changesBetween } from "../../../src/model/audit";

test("what changed of a record is named by its path, with the value before and after", () => {
  const before = { name: "Bank", retentionDays: 30, desk: { type: "native", url: "https://a.example" }, tags: ["x"] };
  const after = {
    name: "Bank",
    retentionDays: 7,
    desk: { type: "native", url: "https://b.example", secret: "***" },
    tags: [],
  };
  expect(changesBetween(before, after)).toEqual([
    { path: "retentionDays", before: 30, after: 7 },
    { path: "desk.url", before: "https://a.example", after: "https://b.example" },
    { path: "desk.secret", after: "***" },
    { path: "tags", before: ["x"], after: [] },
  ]);
});

test("what changed of a record that was not there is all of it, and of one that is as it was nothing", () => {
  expect(changesBetween(undefined, { name: "Bank" })).toEqual([{ path: "", after: { name: "Bank" } }]);
  expect(changesBetween({ a: { b: 1 } }, { a: { b: 1 } })).toEqual([]);
});

test("what changed is kept short, however much it was", () => {
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`field${at}`, "x".repeat(9000)]));
  const changes = changesBetween({}, many);
  expect(changes).toHaveLength(100);
  expect(String(changes[0]?.after)).toHaveLength(301);
});
