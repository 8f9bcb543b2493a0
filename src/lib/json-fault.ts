/**
 * Where a text stops being JSON, and what is wrong there. JSON.parse itself names no place for some faults, and its words
 * are V8's, which change with the runtime. Nothing here calls itself, so a text may be nested to any depth.
 */
export type JsonFault = { at: number; what: string };

/** What the grammar wants next, and what to say where it is not there. */
const MISSING = {
  name: "a field name in double quotes is missing",
  colon: "a colon is missing",
  value: "a value is missing",
  comma: "a comma is missing",
};
type Due = keyof typeof MISSING;

const SPACE = /[ \t\n\r]*/y;
/** A text as far as its closing quote, or as the first character that may not stand in it. */
// oxlint-disable-next-line no-control-regex
const TEXT = /"(?:[^"\\\0-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*/y;
const WORD_OR_NUMBER = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y;

/** Undefined when the whole text is JSON. */
export function faultIn(text: string): JsonFault | undefined {
  /** What closes the objects and arrays that are open, the innermost last. */
  const closers: string[] = [];
  let due: Due = "value";
  /** The innermost object or array has just been opened, so it may close at once. */
  let isEmpty = false;
  for (let at = endOf(SPACE, text, 0); ; at = endOf(SPACE, text, at)) {
    const character = text.charAt(at);
    const closer = closers.at(-1) ?? "";
    if (character === closer && (due === "comma" || isEmpty)) {
      if (closer === "") return undefined;
      closers.pop();
      due = "comma";
      at += 1;
    } else if (character === '"' && (due === "name" || due === "value")) {
      const end = endOf(TEXT, text, at);
      if (text[end] !== '"') return faultInText(text, at, end);
      due = due === "name" ? "colon" : "comma";
      at = end + 1;
    } else if (due === "value" && (character === "{" || character === "[")) {
      closers.push(character === "{" ? "}" : "]");
      due = character === "{" ? "name" : "value";
      at += 1;
    } else if (due === "value" && endOf(WORD_OR_NUMBER, text, at) > at) {
      due = "comma";
      at = endOf(WORD_OR_NUMBER, text, at);
    } else if (due === "colon" && character === ":") {
      due = "value";
      at += 1;
    } else if (due === "comma" && character === "," && closer !== "") {
      due = closer === "}" ? "name" : "value";
      at += 1;
    } else {
      return { at, what: whatIsWrong(text.slice(at, at + 2), due, closer) };
    }
    isEmpty = character === "{" || character === "[";
  }
}

/** Where a match that begins at this place ends. */
function endOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

/** The text begins at `start`, and `at` is the first place that is no part of one. */
function faultInText(text: string, start: number, at: number): JsonFault {
  const next = text.slice(at, at + 2);
  if (next === "" || next === "\\") return { at: start, what: "a text is not closed with a double quote" };
  if (/^[\r\n]/.test(next))
    return { at, what: "a line ends within a text: close the text, or write the line break as \\n" };
  if (next === "\\u") return { at, what: "a \\u escape is not followed by four hex digits" };
  if (next.startsWith("\\")) return { at, what: "a backslash is followed by a letter that JSON does not know" };
  return { at, what: "a control character stands in a text and has to be escaped" };
}

function whatIsWrong(next: string, due: Due, closer: string): string {
  if (next === "//" || next === "/*") return "comments are not part of JSON";
  if (due === "comma" && closer === "") return "there is something after the end of the JSON";
  if (due === "comma" && next === "") return `a closing ${closer} is missing`;
  if (due === "value" && /^[-+.\d]/.test(next)) return "a number is malformed";
  if (due === "value" && /^[^,:\]}]/.test(next)) return "there is no JSON value";
  return MISSING[due];
}
