import * as fc from "fast-check";
import { expect, test } from "vitest";
import { redact, secretsIn } from "../../../src/egress/redaction";
import { partsIn } from "../../e2e/support/readings";
import { RUN } from "../property";

type Encode = (text: string, random: () => number) => string;

const each =
  (encode: (char: string, random: () => number) => string): Encode =>
  (text, random) =>
    Array.from(text, (char) => encode(char, random)).join("");

const eitherCase = (text: string, random: () => number) => (random() < 0.5 ? text.toLowerCase() : text.toUpperCase());
const NAMED: Record<string, string> = { "<": "&lt;", ">": "&gt;", "&": "&amp;", '"': "&quot;", "'": "&#39;" };

const percent: Encode = each((char, random) => {
  const must = /[^\w.~-]/u.test(char);
  if (!must && random() < 0.7) return char;
  const bytes = [...new TextEncoder().encode(char)];
  return bytes.map((byte) => `%${eitherCase(byte.toString(16).padStart(2, "0"), random)}`).join("");
});
const html: Encode = each((char, random) => {
  const code = char.codePointAt(0) ?? 0;
  if (NAMED[char] !== undefined && random() < 0.5) return NAMED[char];
  if (NAMED[char] === undefined && random() < 0.6) return char;
  return random() < 0.5 ? `&#${code};` : `&#${eitherCase("x", random)}${eitherCase(code.toString(16), random)};`;
});
const json: Encode = (text) => JSON.stringify(text).slice(1, -1);
const jsonOfPhp: Encode = each((char, random) => {
  if (/[<>&'\u007f-\uffff]/.test(char) || random() < 0.3) {
    const units = Array.from({ length: char.length }, (_, at) => char.charCodeAt(at).toString(16).padStart(4, "0"));
    return units.map((unit) => `\\u${eitherCase(unit, random)}`).join("");
  }
  return char === "/" ? String.raw`\/` : JSON.stringify(char).slice(1, -1);
});
const base64 =
  (before: string): Encode =>
  (text, random) =>
    Buffer.from(before + text + "&x=1").toString(random() < 0.5 ? "base64" : "base64url");
const folded: Encode = (text, random) => base64("user:")(text, random).replaceAll(/.{76}/g, (line) => `${line}\r\n`);
const hex: Encode = (text) => Buffer.from(text).toString("hex");

const ENCODINGS: Record<string, Encode> = {
  "as it is": (text) => text,
  "in capitals": (text) => (/^[\u0020-\u007e]*$/.test(text) ? text.toUpperCase() : text),
  "percent-encoded": percent,
  "percent-encoded twice": (text, random) => percent(text, random).replaceAll("%", "%25"),
  "as a form": (text, random) => percent(text, random).replaceAll("%20", "+"),
  "escaped for HTML": html,
  "escaped for HTML twice": (text, random) => html(text, random).replaceAll("&", "&amp;"),
  "escaped for JSON": json,
  "escaped for JSON twice": (text, random) => json(json(text, random), random),
  "escaped for JSON by PHP": jsonOfPhp,
  "escaped for HTML within JSON": (text, random) => jsonOfPhp(html(text, random), () => 1),
  "escaped for JSON within HTML": (text, random) => html(json(text, random), random),
  "escaped for JSON, percent-encoded": (text, random) => percent(json(text, random), random),
  "in base64": base64(""),
  "in base64, one byte behind": base64("7"),
  "in base64, two bytes behind": base64("7:"),
  "in base64, in lines": folded,
  "in base64, percent-encoded": (text, random) => percent(base64("user:")(text, random), random),
  "in base64, escaped for JSON": (text, random) => jsonOfPhp(base64("user:")(text, random), random),
  "in base64, escaped for HTML": (text, random) => html(base64("user:")(text, random), random),
  "in hex": hex,
};

const secrets = fc.oneof(
  fc.string({
    minLength: 6,
    maxLength: 40,
    unit: fc.constantFrom(...Array.from('abcXYZ019!#$%&+/=<>"\\ -_.~:;,@{}[]')),
  }),
  fc.string({ minLength: 6, maxLength: 30, unit: "grapheme" }).filter((text) => !/\p{Cc}/u.test(text)),
  fc.stringMatching(/^[\w+/=.-]{20,200}$/),
);
/** What is beside it, and is nothing of the secret itself. */
const surrounding = fc.string({ maxLength: 30, unit: fc.constantFrom(...Array.from('Q€|^`*()\n\t {}[]":,%&\\+')) });

/** Of what is no ASCII, and of what looks like an escape, there are too many spellings. */
const hasEnough = (secret: string) => secret.replaceAll(/[^\0-\x7f]|\\[ux]?|[%&].{0,5}/g, "").length >= 6;

const isDigits = (secret: string) => /^\d+$/.test(secret);

test.each(Object.keys(ENCODINGS))("nothing is left of a secret that comes back %s", (name) => {
  const encode = ENCODINGS[name];
  if (!encode) throw new Error(name);
  fc.assert(
    fc.property(secrets, surrounding, surrounding, fc.integer(), (secret, beside, after, seed) => {
      // A lone escape sign would make one of the secret's first letters.
      const before = beside.replace(/[%&\\]+$/, "");
      fc.pre(secret.trim() === secret && secret.isWellFormed() && !isDigits(secret) && hasEnough(secret));
      const encoded = encode(secret, randomOf(seed));
      const shown = redact(`${before}${encoded}${after}`, [secret]);
      expect(shown).toContain("***");
      expect(partsIn(shown, secret, `${before}\n${after}`), shown).toEqual([]);
      // What was there before it stays, but for what may belong to it.
      expect(shown.startsWith(before.replace(/[^\w\t {}[\]":,]*$/, ""))).toBe(true);
    }),
    { numRuns: 100, ...RUN },
  );
});

/** Numbers in [0, 1) that a seed determines. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >>> 8) / 0x800000;
  };
}

test("what has no secret in it stays as it is", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(redact(text, ["a-secret-that-no-text-has", "€ßÄ€ßÄ€ßÄ"])).toBe(text);
    }),
    RUN,
  );
});

test("a secret of fewer than six characters takes nothing out of a text by itself", () => {
  expect(redact('{"status":"failed","at":"a"}', ["a", "faile"])).toBe('{"status":"failed","at":"a"}');
});

test.each([1, 5, 11, 12, 30])(
  "a text that is cut off behind %i characters of a secret keeps none of them",
  (length) => {
    const secret = "0123456789-abcdefghijklmnop-qrstuvwxyz";
    const begun = secret.slice(0, length);
    expect(redact(`Bearer ${begun}`, [secret], true)).toBe("Bearer ***");
    const encoded = Buffer.from(`Basic ${secret}`)
      .toString("base64")
      .slice(8, 8 + length);
    expect(redact(`{"was":"${encoded}`, [secret], true)).toBe('{"was":"***');
    expect(redact(`{"was":"${begun}%2`, [secret], true)).toBe('{"was":"***');
  },
);

test("a secret that the far end has cut off is taken out from its twelfth character on", () => {
  const secret = "0123456789-abcdefghijklmnop";
  expect(redact("Bearer 0123456789-abcdefg… was refused", [secret])).toBe("Bearer ***… was refused");
  expect(redact("Bearer 0123456789-… was refused", [secret])).toBe("Bearer 0123456789-… was refused");
});

test("JSON stays JSON, whatever is taken out of it", () => {
  const text = fc.string({ maxLength: 8, unit: fc.constantFrom(...Array.from('nutr41\\"/&%<7é {')) });
  fc.assert(
    fc.property(
      fc.string({ minLength: 6, maxLength: 9, unit: fc.constantFrom(...Array.from("nutr41<7é&%")) }),
      text,
      text,
      (secret, before, after) => {
        const value = { [`key ${secret}`]: [`${before}${secret}${after}`, 7, null], number: 12 };
        const shown = redact(JSON.stringify(value), [secret]);
        expect(() => JSON.parse(shown) as unknown, shown).not.toThrow();
        expect(JSON.parse(shown)).toMatchObject({ number: 12 });
      },
    ),
    { numRuns: 2_000, ...RUN },
  );
});

test("a secret of digits is taken out where it is a number of its own, and other numbers stay", () => {
  const text =
    '{"pin":12345678,"pins":["12345678", 12345678 ],"at":1712345678000,"phone":"0812345678","said":"PIN 12345678."}';
  expect(redact(text, ["12345678"])).toBe(
    '{"pin":0,"pins":["***", 0 ],"at":1712345678000,"phone":"0812345678","said":"PIN ***."}',
  );
});

test("the credentials of a request are found in its headers", () => {
  expect(secretsIn({ authorization: "Bearer abc.def", accept: "*/*", "webhook-signature": "v1,x" })).toEqual([
    "abc.def",
  ]);
  expect(secretsIn({ authorization: `Basic ${btoa("user:pass:word")}` })).toEqual([
    "dXNlcjpwYXNzOndvcmQ=",
    "user:pass:word",
    "pass:word",
  ]);
  expect(secretsIn({ "api-access-token": "t1", "X-Api-Key": "k1", "idempotency-key": "msg_1" })).toEqual(["t1", "k1"]);
});
