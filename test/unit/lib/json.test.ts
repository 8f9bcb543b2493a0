import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseJson, type Parsed } from "../../../src/lib/json";
import { RUN } from "../property";

function messageOf(text: string): string {
  const parsed = parseJson(text);
  return parsed.ok ? "it is JSON" : parsed.message;
}

const SAYS_WHY = /^The body is (not JSON|empty)/;

/** 0 and -0 are one number here, as they are on the wire. */
const parse = (text: string): unknown => JSON.parse(text, (_, value: unknown) => (value === 0 ? 0 : value));

/** What JSON.parse makes of a text, which is the measure. */
function reference(text: string): { value: unknown } | "a message" {
  try {
    return { value: parse(text) };
  } catch {
    return "a message";
  }
}

/** What was parsed, once it has gone out: within the body numbers may be kept as the text they came in. */
function sent(parsed: Parsed): { value: unknown } | string {
  if (!parsed.ok) return SAYS_WHY.test(parsed.message) ? "a message" : parsed.message;
  const { value } = parsed;
  return { value: typeof value === "number" ? value + 0 : parse(JSON.stringify(value)) };
}

/** Texts that are nearly JSON: cut, doubled or with something put in. */
const nearlyJson = fc
  .tuple(fc.json(), fc.nat(), fc.constantFrom("", ",", "}", "“", "'", "\\", "\u0000", "//", "NaN", "1", "\n", "\ufeff"))
  .map(([text, place, put]) => {
    const at = place % (text.length + 1);
    return text.slice(0, at) + put + text.slice(at + (place % 2));
  });
const anyText = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.json(), nearlyJson);

test("parsing JSON agrees with JSON.parse about every text", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(sent(parseJson(text))).toEqual(reference(text));
    }),
    { ...RUN, numRuns: 2000 },
  );
});

test("parsing JSON names a place that lies within the text", () => {
  fc.assert(
    fc.property(nearlyJson, (text) => {
      const place = /at line (\d+), column (\d+)/.exec(messageOf(text));
      const line = text.split("\n")[Number(place?.[1] ?? 1) - 1];
      expect(line).toBeDefined();
      expect(Number(place?.[2] ?? 1)).toBeLessThanOrEqual((line ?? "").length + 1);
    }),
    { ...RUN, numRuns: 1000 },
  );
});

test.each([
  ["", "The body is empty. Send one JSON object."],
  [" \n\t", "The body is empty. Send one JSON object."],
  ['{"a":1 "b":2}', "a comma is missing at line 1, column 8."],
  ['{\n  "a": 1\n  "b": 2\n}', "a comma is missing at line 3, column 3."],
  ['{\r\n  "a" 1}', "a colon is missing at line 2, column 7."],
  ["{a:1}", "at line 1, column 2."],
  ['{"a":}', "a value is missing at line 1, column 6."],
  ['{"a":1', "a closing } is missing at line 1, column 7."],
  ["[1,2", "a closing ] is missing at line 1, column 5."],
  ['{"a":1} x', "at line 1, column 9."],
  ['{"a":"b', "a text is not closed with a double quote at line 1, column 6."],
  [String.raw`{"a":"\x"}`, "a backslash is followed by a letter that JSON does not know at line 1, column 7."],
  ['{"a":"b\u0001"}', "a control character stands in a text and has to be escaped"],
  ['{"a":1, // note\n"b":2}', "comments are not part of JSON at line 1, column 9."],
  ["<html>", "at line 1, column 1."],
])("parsing JSON says of %j what is wrong and where", (text, said) => {
  expect(messageOf(text)).toContain(said);
});

test("parsing JSON names the smart quotes where those are the cause", () => {
  const message = messageOf('{\n "ticketNumber": “294c”\n}');
  expect(message).toContain("there is a smart quote (“) at line 2, column 18");
  expect(message).toContain("straight ones");
});

test("parsing JSON mentions smart quotes further on, where another fault comes first", () => {
  const message = messageOf('{"a":1 "b":“x”}');
  expect(message).toContain("a comma is missing at line 1, column 8");
  expect(message).toContain("also has smart quotes");
});

test("parsing JSON says nothing of smart quotes within a text, where they may stand", () => {
  expect(parseJson('{"message":"“Halo”"}')).toEqual({ ok: true, value: { message: "“Halo”" } });
});

test("parsing JSON finds the fault in the sample that 3Dolphins has published", () => {
  const sample = "{\n“ticketNumber”:”294c9ea88f7e649f8c37ae895ebab247”\n“channel”:”whatsapp”\n}";
  expect(messageOf(sample)).toContain("there is a smart quote (“) at line 2, column 1");
});

test.each([
  '{"a":12345678901234567890}',
  '{"a":[0.1234567890123456789]}',
  '{"a":{"b":1E400,"c":-1e-7}}',
  '{"a":100000000000000000000000,"b":"12345678901234567890"}',
  "[1.0000000000000000]",
])("parsing JSON keeps a number that would change as it came: %s", (text) => {
  const parsed = parseJson(text);
  expect(parsed.ok && JSON.stringify(parsed.value)).toBe(text);
});

test("parsing JSON says so when a number that it has to keep is nested too deep", () => {
  const levels = 100_000;
  const text = "[".repeat(levels) + "1234567890123456789" + "]".repeat(levels);
  expect(messageOf(text)).toBe("The body is not JSON that can be read: it is nested too deep.");
});

test.each([
  ["arrays", "["],
  ["objects", '{"a":'],
])("parsing JSON has a message for %s that open without end", (_, opening) => {
  expect(messageOf(opening.repeat(40_000))).toMatch(/^The body is not JSON/);
});
