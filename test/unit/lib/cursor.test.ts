import * as fc from "fast-check";
import { expect, test } from "vitest";
import { cursorOf } from "../../../src/lib/cursor";
import { RUN } from "../property";

const cursor = cursorOf("id", "lane");

test("a cursor that was written reads as it was", () => {
  const part = fc.maxSafeNat();
  fc.assert(
    fc.property(part, part, (id, lane) => {
      expect(cursor.read(cursor.write({ id, lane }))).toEqual({ id, lane });
    }),
    RUN,
  );
  expect(cursor.write({ lane: 1, id: 17 })).toBe("17.1");
});

test.each(["", "17", "17.", ".1", "17.1.0", "17.1 ", "-1.0", "1.5e3", "x.1", "17,1", "12345678901234567.1"])(
  "%j is no cursor of two numbers",
  (text) => expect(cursor.read(text)).toBeUndefined(),
);
