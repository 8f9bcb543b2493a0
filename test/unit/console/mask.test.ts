import * as fc from "fast-check";
import { expect, test } from "vitest";
import { masked } from "../../../console/lib/mask";

test.each([
  ["4111 1111 1111 1111", "•••• •••• •••• 1111"],
  ["kartu saya 5555555555554444, tolong", "kartu saya ••••••••••••4444, tolong"],
  ["378282246310005", "•••••••••••0005"],
  ["Kode OTP Anda 482913. Jangan beri tahu siapa pun.", "Kode OTP Anda ••••••. Jangan beri tahu siapa pun."],
  ["482913 is your verification code", "•••••• is your verification code"],
  ["kode verifikasi: 12 34 56", "kode verifikasi: •• •• ••"],
])("%j is shown as %j", (text, shown) => {
  expect(masked(text)).toBe(shown);
});

test.each([
  "628128778222",
  "pesanan 4111111111111112",
  "Rp 1.500.000 untuk 12 orang",
  "-6.208812345678901,106.845612345678901",
  "2026-11-24 10:15",
  "nomor tiket EM-1531501168358",
])("%j is no secret and stays", (text) => {
  expect(masked(text)).toBe(text);
});

test("nothing but digits is covered, and a text keeps its length", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."0123456789 -.kodeOTP\n".split("")) }), (text) => {
      expect(masked(text).length).toBe(text.length);
      expect(masked(text).replaceAll(/[\d•]/g, "")).toBe(text.replaceAll(/\d/g, ""));
    }),
  );
});
