import * as fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import {
  digestOf,
  keyIdOf,
  newDataKey,
  openText,
  sealText,
  ticketKeyOf,
  type TicketKey,
} from "../../../src/crypto/sealed-text";

/** What was said opens for its ticket and its place, whatever it is, and for nothing else. */

const dataKey = newDataKey();
const PLACE = ["toDesk", "incoming", "msg_1"];
let key: TicketKey;

beforeAll(async () => {
  key = await ticketKeyOf(dataKey, "bank", "t");
});

const anything = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  // Halves of surrogate pairs.
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  fc.constantFrom("", "\ufeff", '\ufeff{"message":"Halo"}', "\u0000"),
);

test("any text opens as it was sealed, with half surrogate pairs repaired", async () => {
  await fc.assert(
    fc.asyncProperty(anything, async (text) => {
      const sealed = await sealText(key, PLACE, text);
      expect(keyIdOf(sealed)).toBe(dataKey.id);
      expect(await openText(key, PLACE, sealed)).toBe(text.toWellFormed());
    }),
  );
});

test("a text of 256 KiB opens, and is 35 bytes longer while it is sealed", async () => {
  const text = "ñ".repeat(128 * 1024);
  const sealed = await sealText(key, PLACE, text);
  expect(sealed.byteLength).toBe(256 * 1024 + 35);
  expect(await openText(key, PLACE, sealed)).toBe(text);
});

test("the same text is sealed otherwise each time, and none of its words can be found in that", async () => {
  const text = "rahasia sekali ".repeat(10);
  const [one, other] = await Promise.all([sealText(key, PLACE, text), sealText(key, PLACE, text)]);
  expect(new Uint8Array(one)).not.toEqual(new Uint8Array(other));
  for (const sealed of [one, other]) expect(new TextDecoder("latin1").decode(sealed)).not.toContain("rahasia");
});

test("a sealed text does not open with any one byte changed, cut short, or lengthened", async () => {
  const sealed = new Uint8Array(await sealText(key, PLACE, "Halo"));
  const opens = async (bytes: Uint8Array) => {
    const { buffer } = bytes.slice();
    return keyIdOf(buffer) === dataKey.id && (await openText(key, PLACE, buffer)) !== undefined;
  };
  expect(await opens(sealed)).toBe(true);
  for (let at = 0; at < sealed.byteLength; at++) {
    expect(await opens(sealed.with(at, (sealed[at] ?? 0) ^ 1))).toBe(false);
    expect(await opens(sealed.subarray(0, at))).toBe(false);
  }
  expect(await opens(new Uint8Array([...sealed, 0]))).toBe(false);
});

test("a sealed text does not open in another lane, kind or message, in another ticket, for another tenant, or with another key", async () => {
  const sealed = await sealText(key, PLACE, "Halo");
  const elsewhere = [
    ["toDolphins", "incoming", "msg_1"],
    ["toDesk", "failure", "msg_1"],
    ["toDesk", "incoming", "msg_2"],
    ["toDesk", "incoming"],
    ['toDesk","incoming', "msg_1"],
  ];
  for (const place of elsewhere) expect(await openText(key, place, sealed)).toBeUndefined();
  const others = await Promise.all([
    ticketKeyOf(dataKey, "bank", "t2"),
    ticketKeyOf(dataKey, "bank2", "t"),
    ticketKeyOf(dataKey, 'bank","t', ""),
    ticketKeyOf({ ...newDataKey(), id: dataKey.id }, "bank", "t"),
  ]);
  for (const other of others) expect(await openText(other, PLACE, sealed)).toBeUndefined();
});

test("a digest is the same for the same text of one ticket, and another for any other text or ticket", async () => {
  const other = await ticketKeyOf(dataKey, "bank", "t2");
  await fc.assert(
    fc.asyncProperty(fc.string(), fc.string(), async (one, two) => {
      const digest = await digestOf(key, one);
      expect(digest).toMatch(/^[\w-]{22}$/);
      expect(await digestOf(key, one)).toBe(digest);
      expect((await digestOf(key, two)) === digest).toBe(one === two);
      expect(await digestOf(other, one)).not.toBe(digest);
    }),
  );
});
