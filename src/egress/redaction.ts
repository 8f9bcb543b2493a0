import { fromBase64, utf8 } from "../crypto/bytes";
import { memo } from "../lib/bounded-map";
import { MASK } from "../lib/record-fields";

/**
 * Takes secrets out of what a far end answers: it may repeat the request, in a page of its own making. A secret is found as it
 * is, in base64 and in hex, all that with whatever escapes of URLs, HTML and JSON, in any case, and also where it is cut off.
 * Pure.
 */

/** A shorter one is not looked for by itself: the letter "a" would blank out every text. */
const SHORTEST_SECRET = 6;
/** So much of its beginning gives a secret away, where the far end has cut the rest off. */
const TELLING_LENGTH = 12;
/** Escapes within escapes are undone so often. */
const MOST_LAYERS = 4;

const ESCAPE =
  /[\r\n]+|\\+(?:u([\da-fA-F]{4})|x([\da-fA-F]{2})|[rn])?|%([\da-fA-F]{2})|&(?:#[xX]([\da-fA-F]{1,8})|#(\d{1,8})|(lt|gt|amp|quot|apos));?|[^\0-\x7f]+/g;
const NAMED: Record<string, string> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/**
 * What an escape stands for. A backslash and a line's end are nothing, since an encoding may add them. What is not ASCII is
 * nothing either: it has as many spellings as there are character sets.
 */
function unescaped(
  _: string,
  unit?: string,
  byte?: string,
  percent?: string,
  hexadecimal?: string,
  decimal?: string,
  name?: string,
): string {
  if (name !== undefined) return NAMED[name] ?? "";
  const hex = unit ?? byte ?? percent ?? hexadecimal;
  const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
  return code > 0 && code < 128 ? String.fromCharCode(code) : "";
}

/** For comparing: in lower case, and the letters as one by which the alphabets of base64, and a blank in a form, differ. */
function folded(text: string): string {
  const lower = text.toLowerCase();
  const same = lower.length === text.length ? lower : text.replaceAll(/[A-Z]+/g, (some) => some.toLowerCase());
  return same.replaceAll(/[- ]/g, "+").replaceAll("_", "/");
}

/** The text, and what it is with one layer of escapes undone after another. */
function layersOf(text: string): string[] {
  const layers = [text];
  for (let inner = text; layers.length <= MOST_LAYERS; layers.push(inner)) {
    const before = inner;
    inner = before.replaceAll(ESCAPE, unescaped);
    if (inner === before) break;
  }
  return layers;
}

const innermost = (text: string): string => layersOf(text).at(-1) ?? "";

type Form = { needle: string; isBase64: boolean };

/** What is the same in base64 wherever the secret stands: without the letters that are shared with what is beside it. */
function base64Of(bytes: Uint8Array, before: number): string {
  const all = btoa(String.fromCharCode(...new Uint8Array(before), ...bytes));
  return all.slice(Math.ceil((before * 4) / 3), Math.floor(((before + bytes.byteLength) * 4) / 3));
}

/** What stands in a text where the secret does. */
const formsOf = memo(500, (secret: string): Form[] => {
  const plain = new Set([secret, innermost(secret), ...foreignSpellings(secret)]);
  // As it stands in a header, in a body of JSON or in a URL, all of which may have been encoded after that.
  const sent = new Set([secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]);
  const bytes = [...sent].map(utf8);
  const hex = bytes.map((some) => Array.from(some, (byte) => byte.toString(16).padStart(2, "0")).join(""));
  const base64 = bytes.flatMap((some) => [0, 1, 2].map((before) => base64Of(some, before)));
  return [
    ...[...plain, ...hex].map((text) => ({ needle: folded(text), isBase64: false })),
    ...base64.map((text) => ({ needle: folded(text), isBase64: true })),
  ].filter(({ needle }) => needle.length >= SHORTEST_SECRET);
});

/** Of a secret that has hardly any ASCII, the usual spellings of the rest. */
function foreignSpellings(secret: string): string[] {
  if (innermost(secret).length >= SHORTEST_SECRET) return [];
  const written = (write: (char: string) => string) => secret.replaceAll(/[^\0-\x7f]/gu, (char) => write(char));
  const unit = (code: number) => `\\u${code.toString(16).padStart(4, "0")}`;
  return [
    encodeURIComponent(secret),
    written((char) => Array.from({ length: char.length }, (_, at) => unit(char.charCodeAt(at))).join("")),
    written((char) => `&#${char.codePointAt(0) ?? 0};`),
    written((char) => `&#x${(char.codePointAt(0) ?? 0).toString(16)};`),
  ];
}

type Span = { start: number; end: number };

/** What follows in the same base64 text is taken as well: the secret's last letter is shared with it. */
const BASE64_REST = /[\w+/=]*/y;

function spansIn(view: string, { needle, isBase64 }: Form, isCut: boolean): Span[] {
  const spans: Span[] = [];
  const head = needle.slice(0, TELLING_LENGTH);
  for (let start = view.indexOf(head); start !== -1; start = view.indexOf(head, spans.at(-1)?.end)) {
    let end = start + head.length;
    while (end - start < needle.length && view[end] === needle[end - start]) end++;
    BASE64_REST.lastIndex = end;
    if (isBase64) end += BASE64_REST.exec(view)?.[0].length ?? 0;
    spans.push({ start, end });
  }
  const tails = isCut ? Array.from({ length: head.length - 1 }, (_, at) => head.length - 1 - at) : [];
  const begun = tails.find((length) => view.endsWith(head.slice(0, length)));
  return begun === undefined ? spans : [...spans, { start: view.length - begun, end: view.length }];
}

/** Where in a layer the spans of the next one are. */
function spansOutside(layer: string, spans: Span[]): Span[] {
  const wanted = [...new Set(spans.flatMap(({ start, end }) => [start, end - 1]))].toSorted((a, b) => a - b);
  const places = new Map<number, Span>();
  let [inside, outside, at] = [0, 0, 0];
  /** So many characters go on as they are, or as one of the next layer. */
  const pass = (length: number, isEscape: boolean) => {
    const end = inside + (isEscape ? 1 : length);
    for (let next = wanted[at]; next !== undefined && next < end; next = wanted[++at]) {
      const start = outside + (next - inside);
      places.set(next, { start, end: isEscape ? start + length : start + 1 });
    }
    inside = end;
    outside += length;
  };
  for (const match of layer.matchAll(ESCAPE)) {
    pass(match.index - outside, false);
    if (unescaped(...(match as unknown as Parameters<typeof unescaped>)) === "") outside += match[0].length;
    else pass(match[0].length, true);
  }
  pass(layer.length - outside, false);
  return spans.map(({ start, end }) => ({
    start: places.get(start)?.start ?? 0,
    end: places.get(end - 1)?.end ?? layer.length,
  }));
}

/** An escape that a secret seems to begin within. What is left of one would make JSON unreadable. */
const BROKEN_ESCAPE = /\\+(?:u[\da-f]{0,3}|x[\da-f]?)?$/i;
const FOREIGN = String.raw`(?:[^\0-\x7f]|(?:&|\\+u0026)(?:amp;)*#x?[\da-f]+;?|%(?:25)*[89a-f][\da-f]|\\+u[\da-f]{4}|\\+x[89a-f][\da-f])*`;
const [FOREIGN_BEFORE, FOREIGN_AFTER] = [new RegExp(`${FOREIGN}$`, "i"), new RegExp(`^${FOREIGN}`, "i")];
const BESIDE = 200;

/** With what belongs to it on either side, and has not been looked for. */
function widened(text: string, secret: string, { start, end }: Span): Span {
  const before = text.slice(Math.max(0, start - BESIDE), start);
  const edge = /^[^\0-\x7f]/.test(secret) ? FOREIGN_BEFORE : BROKEN_ESCAPE;
  const after = /[^\0-\x7f]$/.test(secret) ? FOREIGN_AFTER.exec(text.slice(end, end + BESIDE)) : null;
  return { start: start - (edge.exec(before)?.[0].length ?? 0), end: end + (after?.[0].length ?? 0) };
}

/** Digits among more digits are another number, such as a time or a telephone's. */
const isWithinNumber = (text: string, { start, end }: Span): boolean =>
  /^\d+$/.test(text.slice(start, end)) && (/\d/.test(text.charAt(start - 1)) || /\d/.test(text.charAt(end)));

/** What stands in place of a span: a number, where JSON has one there. */
function maskFor(text: string, { start, end }: Span): string {
  const isNumber =
    /^\d+$/.test(text.slice(start, end)) &&
    /[:,[]\s*-?$/.test(text.slice(Math.max(0, start - 8), start)) &&
    /^\s*[,}\]]/.test(text.slice(end, end + 8));
  return isNumber ? "0" : MASK;
}

/** The text without any of the secrets. `isCut` says that it goes on behind its end, perhaps in the middle of one. */
export function redact(text: string, secrets: readonly string[], isCut = false): string {
  const long = new Set(
    secrets.map((secret) => secret.toWellFormed()).filter(({ length }) => length >= SHORTEST_SECRET),
  );
  if (long.size === 0 || text.length < SHORTEST_SECRET) return text;
  const shown = isCut ? text.replace(/[%&\\][^%&\\]{0,9}$/, "") : text;
  const layers = layersOf(shown);
  const views = layers.map(folded);
  const spans = [...long].flatMap((secret) => {
    const forms = formsOf(secret);
    return views.flatMap((view, depth) => {
      let found = forms.flatMap((form) => spansIn(view, form, isCut));
      if (found.length === 0) return [];
      for (const outer of layers.slice(0, depth).toReversed()) found = spansOutside(outer, found);
      return found.filter((span) => !isWithinNumber(shown, span)).map((span) => widened(shown, secret, span));
    });
  });
  let [kept, at] = ["", 0];
  for (const span of spans.toSorted((a, b) => a.start - b.start)) {
    if (span.start >= at) kept += shown.slice(at, span.start) + maskFor(shown, span);
    at = Math.max(at, span.end);
  }
  return kept + shown.slice(at);
}

const CREDENTIAL = /auth|token|secret|key|cookie|pass/i;
const NO_CREDENTIAL = /^(?:idempotency|webhook|relay)-/i;

/** What in a request's headers is a secret. Of HTTP Basic, the password and the whole, in clear and as it is sent. */
export function secretsIn(headers: Record<string, string>): string[] {
  return Object.entries(headers)
    .filter(([name]) => CREDENTIAL.test(name) && !NO_CREDENTIAL.test(name))
    .flatMap(([, value]) => {
      const [, scheme = "", credential = value] = /^(basic|bearer) +(.*)$/i.exec(value) ?? [];
      if (scheme.toLowerCase() !== "basic") return credential;
      const clear = new TextDecoder().decode(fromBase64(credential));
      return [credential, clear, clear.slice(clear.indexOf(":") + 1)];
    });
}
