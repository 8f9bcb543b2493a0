import * as fc from "fast-check";
import ipaddr from "ipaddr.js";
import { expect, test } from "vitest";
import { isAddress, specialRange } from "../../../src/egress/public-address";
import { RUN } from "../property";

/** ipaddr.js is the measure: it reads every spelling and knows IANA's ranges. */

/** As the URL parser writes it, which is all that the relay is given to judge. */
const hostOf = (bytes: readonly number[]): string => {
  const text = ipaddr.fromByteArray([...bytes]).toString();
  return new URL(text.includes(":") ? `https://[${text}]` : `https://${text}`).hostname.replace(/^\[|\]$/g, "");
};

/** Out of 2000::/3 alone are public addresses given. ipaddr.js calls the rest of IPv6 unicast as well, which nobody has yet. */
const isAssigned = (bytes: readonly number[]): boolean => bytes.length === 4 || (bytes[0] ?? 0) >> 5 === 1;

function isPublic(bytes: readonly number[]): boolean {
  const address = ipaddr.process(hostOf(bytes));
  return address.range() === "unicast" && isAssigned(address.toByteArray());
}

type Block = [{ toByteArray: () => number[] }, number];
const blocksOf = (ranges: object): Block[] =>
  Object.values(ranges).flatMap((range: Block | Block[]) =>
    Array.isArray(range[0]) ? (range as Block[]) : [range as Block],
  );
const BLOCKS = [
  ...blocksOf((ipaddr.IPv4.parse("0.0.0.0") as unknown as { SpecialRanges: object }).SpecialRanges),
  ...blocksOf((ipaddr.IPv6.parse("::") as unknown as { SpecialRanges: object }).SpecialRanges),
].map(([base, length]) => ({ base: base.toByteArray(), length }));

/** An address of so many bytes that is this much above another. */
function moved(bytes: readonly number[], by: bigint): number[] {
  const size = BigInt(bytes.length * 8);
  const value = BigInt.asUintN(Number(size), BigInt(`0x${Buffer.from(bytes).toString("hex")}`) + by);
  return [...Buffer.from(value.toString(16).padStart(bytes.length * 2, "0"), "hex")];
}

/** Its first and last address, and those right before and after. */
function edges({ base, length }: { base: number[]; length: number }): number[][] {
  const count = 1n << BigInt(base.length * 8 - length);
  return [-1n, 0n, count - 1n, count].map((by) => moved(base, by));
}

const mapped = (ipv4: readonly number[]): number[] => [...Array<number>(10).fill(0), 255, 255, ...ipv4];

test("an address is special just where ipaddr.js says so, at the edges of all ranges", () => {
  const all = BLOCKS.flatMap(edges);
  expect(all.length).toBeGreaterThan(100);
  for (const bytes of [...all, ...all.filter(({ length }) => length === 4).map(mapped)]) {
    expect([hostOf(bytes), specialRange(hostOf(bytes)) === undefined]).toEqual([hostOf(bytes), isPublic(bytes)]);
  }
});

test("an address is special just where ipaddr.js says so, wherever it lies", () => {
  const bytes = (length: number) => fc.array(fc.nat(255), { minLength: length, maxLength: length });
  const inBlock = fc
    .tuple(fc.constantFrom(...BLOCKS), bytes(16))
    .map(([{ base, length }, random]) =>
      base.map((byte, at) => byte | ((random[at] ?? 0) & (0xff >> Math.max(0, Math.min(8, length - at * 8))))),
    );
  const nearBlock = fc
    .tuple(inBlock, fc.nat(127))
    .map(([address, bit]) => address.map((byte, at) => (at === bit >> 3 ? byte ^ (0x80 >> (bit & 7)) : byte)));
  const ipv4 = bytes(4);
  const ipv6 = fc.oneof(
    bytes(16),
    bytes(16).map((random) => [0x20, random.slice(1)].flat()),
    bytes(16).map((random) => [0x26, random.slice(1)].flat()),
  );
  fc.assert(
    fc.property(fc.oneof(ipv4, ipv4.map(mapped), ipv6, inBlock, nearBlock), (address) => {
      const host = hostOf(address);
      expect(isAddress(host)).toBe(true);
      expect([host, specialRange(host) === undefined]).toEqual([host, isPublic(address)]);
    }),
    { ...RUN, numRuns: 5000 },
  );
});

test.each(["bank.example", "1.2.3.example", "0x7f.1.example", "", "."])("%j is no address", (host) => {
  expect(isAddress(host)).toBe(false);
});
