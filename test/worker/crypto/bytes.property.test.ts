import * as fc from "fast-check";
import { expect, test } from "vitest";
import { byteLength, equalSecrets, fromBase64, toBase64Url } from "../../../src/crypto/bytes";

/** Texts of every kind, halves of surrogate pairs among them, many of them around and over the 8 KiB that are kept for them. */
const texts = fc
  .tuple(fc.string({ unit: "binary", minLength: 1 }), fc.constantFrom(0, 4_096, 8_192, 20_000), fc.nat(8))
  .map(([unit, length, more]) => unit.repeat(Math.ceil(length / unit.length)).slice(0, length) + unit.slice(0, more));

test("a text's length in bytes is what it encodes to, however long it is", () => {
  fc.assert(
    fc.property(texts, (text) => {
      expect(byteLength(text)).toBe(new TextEncoder().encode(text).byteLength);
    }),
  );
});

test("secrets are equal when every character is, however long they are", () => {
  fc.assert(
    fc.property(texts, fc.nat(), (text, at) => {
      const secret = text.toWellFormed();
      expect(equalSecrets(secret, secret)).toBe(true);
      expect(equalSecrets(secret, `${secret}x`)).toBe(false);
      if (secret === "") return;
      const place = at % secret.length;
      const other = `${secret.slice(0, place)}${secret[place] === "x" ? "y" : "x"}${secret.slice(place + 1)}`;
      expect(equalSecrets(secret, other)).toBe(false);
      expect(equalSecrets(other, secret)).toBe(false);
    }),
  );
});

test("bytes written as base64url are read again, and need no escape in a URL", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const text = toBase64Url(bytes);
      expect(text).toMatch(/^[A-Za-z0-9_-]*$/);
      expect([...(fromBase64(text) ?? [])]).toEqual([...bytes]);
    }),
  );
});
