import { describe, expect, test } from "vitest";
import { readText } from "../../../src/http/charset";

const TEXT = '{"message":"Dé “halo” 👍"}';
const LATIN = '{"message":"Café ü"}';

/** UTF-32 as Java writes it, without a mark. */
function utf32(text: string, isLittleEndian: boolean): Uint8Array {
  const points = Array.from(text, (character) => character.codePointAt(0) ?? 0);
  const view = new DataView(new ArrayBuffer(points.length * 4));
  points.forEach((point, index) => view.setUint32(index * 4, point, isLittleEndian));
  return new Uint8Array(view.buffer);
}
const utf16 = (text: string) => Buffer.from(text, "utf16le");

describe("the text of an engine's body", () => {
  test.each<[string, Uint8Array]>([
    ["UTF-8", Buffer.from(TEXT)],
    ["UTF-8 with a mark", Buffer.from(`\uFEFF${TEXT}`)],
    ["UTF-16LE with a mark", utf16(`\uFEFF${TEXT}`)],
    ["UTF-16BE with a mark", utf16(`\uFEFF${TEXT}`).swap16()],
    ["UTF-16LE", utf16(TEXT)],
    ["UTF-16BE", utf16(TEXT).swap16()],
    ["UTF-32LE with a mark", utf32(`\uFEFF${TEXT}`, true)],
    ["UTF-32BE with a mark", utf32(`\uFEFF${TEXT}`, false)],
    ["UTF-32LE", utf32(TEXT, true)],
    ["UTF-32BE", utf32(TEXT, false)],
  ])("the text of an engine's body is read as %s whatever its content type says", (_, bytes) => {
    for (const type of ["", "application/json; charset=utf-8", "text/plain; charset=ISO-8859-1", "a; charset=utf-16"]) {
      expect(readText(bytes, type)).toBe(TEXT);
    }
  });

  test.each([
    "",
    "application/json",
    "application/json; charset=utf-8",
    'text/plain; charset="ISO-8859-1"',
    "text/plain;CHARSET=iso-8859-1",
    "text/plain; charset='latin1'; x=y",
    "text/plain; charset=klingon",
    "text/plain; charset=",
    "charset",
  ])("the text of an engine's body that is Latin-1 is read as such with the content type %j", (type) => {
    expect(readText(Buffer.from(LATIN, "latin1"), type)).toBe(LATIN);
  });

  test("the text of an engine's body that is no UTF-8 is read by the charset of its content type", () => {
    const bytes = Uint8Array.from([0x22, 0x82, 0xa0, 0x22]);
    expect(readText(bytes, "application/json; charset=Shift_JIS")).toBe('"あ"');
    expect(readText(bytes, "application/json")).toBe('"‚\u00a0"');
  });

  test("the text of an engine's body with a mark of UTF-8 is UTF-8, though a character of it is broken", () => {
    expect(readText(Buffer.from([0xef, 0xbb, 0xbf, 0x22, 0xc3, 0x22]), "")).toBe('"\uFFFD"');
  });

  test("the text of an engine's body may be empty or short", () => {
    expect(readText(new Uint8Array(), "")).toBe("");
    expect(readText(Buffer.from("1"), "")).toBe("1");
  });
});
