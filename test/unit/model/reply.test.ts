import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { comparable, completeReply } from "../../../src/model/reply";
import { parseJson } from "../../../src/lib/json";
import { RUN } from "../property";

const TICKET = { channel: "whatsapp", customerName: "Farhan" };

describe("a reply", () => {
  test("a reply gets the channel and the customer's name that it left out", () => {
    expect(JSON.parse(completeReply('{"ticketNumber":"1","message":"ok"}', TICKET))).toEqual({
      ...TICKET,
      ticketNumber: "1",
      message: "ok",
    });
  });

  test("a reply keeps its own, empty or not, and every digit of its numbers", () => {
    const said = '{"channel":"x","customerName":"","n":12345678901234567890,"m":1.50}';
    expect(completeReply(said, TICKET)).toBe(said);
  });
});

/** As a request brings them. */
const isSameEvent = (one: string, other: string) => {
  const textOf = (event: string) => {
    const parsed = parseJson(event, { exactNumbers: true });
    return parsed.ok ? comparable(parsed.value) : "";
  };
  return textOf(one) === textOf(other);
};

describe("two events are the same", () => {
  test("two events are the same with their fields in any order, however deep", () => {
    expect(isSameEvent('{"a":1,"b":{"c":[1,{"d":2,"e":3}],"f":4}}', '{"b":{"f":4,"c":[1,{"e":3,"d":2}]},"a":1}')).toBe(
      true,
    );
  });

  test("two events are the same where one has a field without a value, which no JSON has", () => {
    expect(comparable({ a: 1, b: undefined })).toBe(comparable({ a: 1 }));
  });

  test.each([
    ['{"a":1}', '{"a":2}'],
    ['{"a":1}', '{"a":"1"}'],
    ['{"a":[1,2]}', '{"a":[2,1]}'],
    ['{"a":{}}', '{"a":[]}'],
    ['{"a":1}', '{"a":1,"b":2}'],
    ['{"a":12345678901234567890}', '{"a":12345678901234567891}'],
    ['{"a":{"pairs":[]}}', '{"a":{}}'],
    ['{"customerName":"F","a":1}', '{"customerName":"G","a":1}'],
    ['{"customerName":"F","a":1}', '{"a":1}'],
  ])("two events are not the same: %s and %s", (one, other) => {
    expect(isSameEvent(one, other)).toBe(false);
    expect(isSameEvent(other, one)).toBe(false);
  });

  test("two events are the same if and only if their fields are equal, whatever those are", () => {
    const fields = fc.dictionary(fc.string({ maxLength: 3 }), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 5 });
    const flat = fc.dictionary(fc.constantFrom("a", "b", "__proto__"), fc.nat(1), { maxKeys: 3 });
    const shuffled = (event: object) => JSON.stringify(Object.fromEntries(Object.entries(event).toReversed()));
    const sorted = (event: object) => JSON.stringify(Object.entries(event).toSorted(([a], [b]) => (a < b ? -1 : 1)));
    fc.assert(
      fc.property(fields, flat, flat, (any, one, other) => {
        expect(isSameEvent(JSON.stringify(any), shuffled(any))).toBe(true);
        expect(isSameEvent(JSON.stringify(one), JSON.stringify(other))).toBe(sorted(one) === sorted(other));
      }),
      RUN,
    );
  });
});
