import { faultIn } from "./json-fault";

export type Parsed = { ok: true; value: unknown } | { ok: false; message: string };

const SMART_QUOTES = /[\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f]/;

/** A number that a double may not hold as it stands: many digits, or an exponent. */
const LONG_NUMBER = /[:,[]\s*-?(?:\d[\d.]{14}|[\d.]+[eE])/;
/** A number that JavaScript may write otherwise than it came: `1.50`, `-0`, `1E3`. */
const INEXACT_NUMBER = /[:,[]\s*(?:-0|-?\d{15,}|-?\d+[.eE][\d.eE+-]*)\s*[,}\]]/;
const SAFE_DIGITS = 15;
/** Below this a double loses digits, and in the end everything. */
const SMALLEST_NORMAL = 2.2250738585072014e-308;

/** Not in the compiler's library yet: ECMAScript proposal "JSON.parse source text access", in V8 since 11.4. */
type SourceText = { rawJSON: (text: string) => unknown; isRawJSON: (value: unknown) => value is { rawJSON: string } };
const sourceText = JSON as unknown as SourceText;
type Reviver = (this: unknown, key: string, value: unknown, context?: { source?: string }) => unknown;

const significantDigits = (source: string): number =>
  source
    .replace(/[eE].*$/, "")
    .replace(".", "")
    .replace(/^-?0*/, "").length;

/** Keeps some numbers as the text they came in, so that a field the relay does not know goes on as it came. */
const keepNumbers =
  (isKept: (value: number, source: string) => boolean): Reviver =>
  (_key, value, context) =>
    typeof value === "number" && context?.source !== undefined && isKept(value, context.source)
      ? sourceText.rawJSON(context.source)
      : value;

/** Whether this is a number that was kept as the text it came in: `JSON.stringify` gives that text. */
export const isKeptNumber = (value: unknown): boolean => sourceText.isRawJSON(value);

/** The digits of a number that was kept as the text it came in. */
export const rawNumberOf = (value: unknown): string | undefined =>
  sourceText.isRawJSON(value) ? value.rawJSON : undefined;

function isChanged(value: number, source: string): boolean {
  const digits = significantDigits(source);
  return !Number.isFinite(value) || digits > SAFE_DIGITS || (digits > 0 && Math.abs(value) < SMALLEST_NORMAL);
}

/**
 * Parses JSON. The message of a failure names line and column (from 1), and the smart quotes where those are the cause. A
 * number that a double cannot hold is kept as its text; with `exactNumbers`, every one that would be written otherwise.
 */
export function parseJson(text: string, { exactNumbers = false } = {}): Parsed {
  const isKept = exactNumbers ? isRewritten : isChanged;
  try {
    const value: unknown = (exactNumbers ? INEXACT_NUMBER : LONG_NUMBER).test(text)
      ? JSON.parse(text, keepNumbers(isKept))
      : JSON.parse(text);
    return { ok: true, value };
  } catch {
    return { ok: false, message: explain(text) };
  }
}

/** For a far end's answer, which may be anything: its JSON, or undefined when it is none. */
export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isRewritten = (value: number, source: string): boolean => String(value) !== source;

function explain(text: string): string {
  if (text.trim() === "") return "The body is empty. Send one JSON object.";
  const fault = faultIn(text);
  // JSON.parse calls itself for each level where it keeps numbers, and may run out of room.
  if (!fault) return "The body is not JSON that can be read: it is nested too deep.";
  const before = text.slice(0, fault.at).split("\n");
  const place = `line ${before.length}, column ${(before.at(-1) ?? "").length + 1}`;
  const character = text.charAt(fault.at);
  if (SMART_QUOTES.test(character)) {
    return `The body is not JSON: there is a smart quote (${character}) at ${place}. Replace the smart quotes, which word processors put in, with straight ones (").`;
  }
  const also = SMART_QUOTES.test(text)
    ? ' The body also has smart quotes (“ ”): JSON takes only straight ones (").'
    : "";
  return `The body is not JSON: ${fault.what} at ${place}.${also}`;
}
