import * as fc from "fast-check";
import { expect, test } from "vitest";
import { faultIn } from "../../../src/lib/json-fault";
import { RUN } from "../property";

/** Whether V8 takes a text for JSON, and else the place of the fault where its message names one. */
function v8(text: string): { isJson: boolean; at?: number } {
  try {
    JSON.parse(text);
    return { isJson: true };
  } catch (error) {
    const [, at] = /at position (\d+)/.exec(String(error)) ?? [];
    return { isJson: false, ...(at !== undefined && { at: Number(at) }) };
  }
}

/** A fault of these kinds lies within one token: V8 names the character, where the relay may name the beginning. */
const WITHIN = /number|JSON value|backslash|escape|not closed/;

const PIECES = [
  "{",
  "}",
  "[",
  "]",
  ":",
  ",",
  '"a"',
  '"',
  "\\",
  "\\u00",
  "1",
  "-",
  ".",
  "e",
  "true",
  "nul",
  " ",
  "\n",
  "/",
];
const anyText = fc.oneof(
  fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).map((pieces) => pieces.join("")),
  fc.string({ unit: "binary" }),
  fc.tuple(fc.json(), fc.nat(), fc.constantFrom(...PIECES)).map(([text, place, put]) => {
    const at = place % (text.length + 1);
    return text.slice(0, at) + put + text.slice(at + (place % 2));
  }),
);

test("a fault is found in just those texts that JSON.parse refuses", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(faultIn(text) === undefined).toBe(v8(text).isJson);
    }),
    { ...RUN, numRuns: 5000 },
  );
});

test("a fault's place is the one that V8 names, or the beginning of the token it lies in", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const { at } = v8(text);
      const fault = faultIn(text);
      if (at === undefined || !fault) return;
      // A token has no blank in it, unless it is a text.
      const isInToken = fault.at <= at && /^("[^]*|\S*)$/.test(text.slice(fault.at, at));
      const agrees = WITHIN.test(fault.what) ? isInToken : fault.at === at;
      expect([text, fault, agrees]).toEqual([text, fault, true]);
    }),
    { ...RUN, numRuns: 5000 },
  );
});

test.each([
  ["[01]", "a number is malformed", 1],
  ["[-]", "a number is malformed", 1],
  ["[+1]", "a number is malformed", 1],
  ["[1.5.2]", "a number is malformed", 1],
  ['{"a": True}', "there is no JSON value", 6],
  ["[NaN]", "there is no JSON value", 1],
  ["[1,]", "a value is missing", 3],
  ['{"a":1,}', "a field name in double quotes is missing", 7],
  ["{'a':1}", "a field name in double quotes is missing", 1],
  ['["a\nb"]', "a line ends within a text: close the text, or write the line break as \\n", 3],
  [String.raw`["\u12"]`, "a \\u escape is not followed by four hex digits", 2],
  [String.raw`["a\ `.trim(), "a text is not closed with a double quote", 1],
  ['{"a":1}{"b":2}', "there is something after the end of the JSON", 7],
  ["[1/* one */]", "comments are not part of JSON", 2],
  ["\ufeff{}", "there is no JSON value", 0],
])("the fault in %j is that %s", (text, what, at) => {
  expect(faultIn(text)).toEqual({ at, what });
});

test.each(["[", '{"a":', '["', "[1 ", "\\"])("the fault is found in a text of many %j", (opening) => {
  expect(faultIn(opening.repeat(60_000))).toBeDefined();
});
