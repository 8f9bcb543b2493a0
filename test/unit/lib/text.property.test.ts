import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clip, clipBytes, clipStart, split } from "../../../src/lib/text";
import { RUN } from "../property";

const FAMILY = "👨‍👩‍👧‍👦";
const ACCENTED = "e\u0301";

/** What chats are made of: words, lines, emoji of several code points, accents and blanks that carry one. */
const text = fc
  .array(
    fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 12 }),
      fc.constantFrom(" ", "\n", "\r\n", "   ", " \u0301", FAMILY, ACCENTED, "🇮🇩", "👍🏽", "각", "halo"),
    ),
    { maxLength: 40, size: "max" },
  )
  .map((parts) => parts.join(""));
/** Longer than any of these graphemes, so that none has to be cut. */
const limit = fc.integer({ min: 16, max: 60 });

const graphemes = (of: string) => [...new Intl.Segmenter().segment(of)].map(({ segment }) => segment);
const bytes = (of: string) => new TextEncoder().encode(of).byteLength;

/** Whether a part of a text is whole graphemes of it, from `start` on. */
function isWhole(whole: string, part: string, start: number): boolean {
  const boundaries = new Set([whole.length]);
  let at = 0;
  for (const grapheme of graphemes(whole)) {
    boundaries.add(at);
    at += grapheme.length;
  }
  return boundaries.has(start) && boundaries.has(start + part.length);
}

describe("a text that is cut", () => {
  test("a text that is cut keeps as many whole graphemes of its beginning as fit", () => {
    fc.assert(
      fc.property(text, limit, (whole, most) => {
        const kept = clip(whole, most);
        expect(whole.startsWith(kept)).toBe(true);
        expect(kept.length).toBeLessThanOrEqual(most);
        expect(isWhole(whole, kept, 0)).toBe(true);
        const [next = ""] = graphemes(whole.slice(kept.length));
        expect(next === "" || kept.length + next.length > most).toBe(true);
      }),
      RUN,
    );
  });

  test("a text that is cut keeps as many whole graphemes of its end as fit", () => {
    fc.assert(
      fc.property(text, limit, (whole, most) => {
        const kept = clipStart(whole, most);
        expect(whole.endsWith(kept)).toBe(true);
        expect(kept.length).toBeLessThanOrEqual(most);
        const left = whole.length - kept.length;
        expect(isWhole(whole, kept, left)).toBe(true);
        const last = graphemes(whole.slice(0, left)).at(-1) ?? "";
        expect(last === "" || kept.length + last.length > most).toBe(true);
      }),
      RUN,
    );
  });

  test("a text that is cut keeps as many whole graphemes as fit into a number of bytes", () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 40, max: 120 }), (whole, most) => {
        const kept = clipBytes(whole, most);
        expect(whole.startsWith(kept)).toBe(true);
        expect(bytes(kept)).toBeLessThanOrEqual(most);
        expect(isWhole(whole, kept, 0)).toBe(true);
      }),
      RUN,
    );
  });

  test("a text that is cut has no half of a surrogate pair in it, even where a grapheme is longer than the limit", () => {
    const strange = fc.tuple(fc.oneof(text, fc.string({ unit: "binary" })), fc.constantFrom("", FAMILY.repeat(5)));
    fc.assert(
      fc.property(strange, fc.integer({ min: 2, max: 9 }), ([some, more], most) => {
        const whole = some + more;
        const parts = [clip(whole, most), clipStart(whole, most), clipBytes(whole, most + 2), ...split(whole, most)];
        expect(parts.filter((part) => !part.isWellFormed())).toEqual([]);
        for (const part of split(whole, most)) expect(part.length).toBeLessThanOrEqual(most);
      }),
      RUN,
    );
  });

  test("a text that is cut keeps what fits of a grapheme that is longer than the limit", () => {
    expect(clip(FAMILY, 5)).toBe("👨‍👩");
    expect(clip(FAMILY, 4)).toBe("👨‍");
    expect(clipStart(FAMILY, 4)).toBe("‍👦".slice(-3));
    expect(clip("😀", 1)).toBe("");
    expect(split("😀", 1)).toEqual(["😀"]);
  });
});

describe("a text in pieces", () => {
  test("a text in pieces has pieces of whole graphemes within the limit, none of them blank, and every word is in one", () => {
    fc.assert(
      fc.property(text, limit, (whole, most) => {
        const pieces = split(whole, most);
        let at = 0;
        for (const piece of pieces) {
          expect(piece.length).toBeLessThanOrEqual(most);
          expect(piece.trim() !== "" || piece === whole).toBe(true);
          const start = whole.indexOf(piece, at);
          // Only blanks may have been left out before it.
          expect(whole.slice(at, start).trim()).toBe("");
          expect(isWhole(whole, piece, start)).toBe(true);
          at = start + piece.length;
        }
        expect(whole.slice(at).trim()).toBe("");
      }),
      RUN,
    );
  });

  test("a text in pieces stays whole when it fits, blank or not", () => {
    expect(["", "  ", "Halo"].map((short) => split(short, 4))).toEqual([[""], ["  "], ["Halo"]]);
  });

  test.each([
    ["behind the last line", "satu dua\ntiga empat lima", 14, ["satu dua\n", "tiga empat ", "lima"]],
    ["behind the last word where no line ends", "satu dua tiga empat", 12, ["satu dua ", "tiga empat"]],
    ["in a word that is too long", "x".repeat(10), 4, ["xxxx", "xxxx", "xx"]],
    ["in a word, where a cut behind a blank leaves the piece half empty", "ab xxxxxxxx", 8, ["ab xxxxx", "xxx"]],
    ["not between a blank and the accent on it", "satudua \u0301tigaxx", 12, ["satudua \u0301tig", "axx"]],
    ["leaving out what is blank", `satu${" ".repeat(9)}dua`, 6, ["satu  ", " dua"]],
  ])("a text in pieces is cut %s", (_where, whole, most, pieces) => {
    expect(split(whole, most)).toEqual(pieces);
  });
});
