import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  brokenAtEnd,
  canonicalJson,
  firstBroken,
  linkAfter,
  START,
  type Link,
  type Place,
} from "../../../src/audit/chain";

const entries = fc.array(fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 }), { minLength: 2, maxLength: 12 });

async function chainOf(all: object[], from: Place = START): Promise<Link[]> {
  const links: Link[] = [];
  for (const entry of all) links.push(await linkAfter(links.at(-1) ?? from, entry));
  return links;
}

/** As the log itself checks: what is stored, behind where it begins, against the head that was kept. */
const check = async (links: Link[], head: Place, from: Place = START): Promise<number | undefined> =>
  (await firstBroken(from, links)) ?? brokenAtEnd(links.at(-1) ?? from, head);

const headOf = (links: Link[]): Place => links.at(-1) ?? START;

test("a log that was only added to is whole, from its beginning and from behind any entry", async () => {
  const property = fc.asyncProperty(entries, fc.nat(), async (all, cut) => {
    const links = await chainOf(all);
    const at = cut % links.length;
    expect(await check(links, headOf(links))).toBeUndefined();
    expect(await check(links.slice(at + 1), headOf(links), links[at])).toBeUndefined();
  });
  await fc.assert(property);
});

test("a change to any entry is found there, and so is one with a new hash to go with it", async () => {
  const property = fc.asyncProperty(entries, fc.nat(), fc.jsonValue(), async (all, which, value) => {
    const links = await chainOf(all);
    const at = which % links.length;
    const { seq, json, hash } = links[at] as Link;
    const before = links[at - 1] ?? START;
    const other = await linkAfter(before, { ...all[at], "changed to": [value] });
    const changed = (link: Link) => links.map((each, index) => (index === at ? link : each));
    expect(await check(changed({ seq, json: other.json, hash }), headOf(links))).toBe(seq);
    expect(await check(changed({ seq, json, hash: other.hash }), headOf(links))).toBe(seq);
    // With a hash of its own it fits itself: then the next one does not fit, or the head.
    expect(await check(changed(other), headOf(links))).toBe(at === links.length - 1 ? seq : seq + 1);
  });
  await fc.assert(property);
});

test("a deletion of any entries is found at the first of them, also at the end", async () => {
  const property = fc.asyncProperty(entries, fc.nat(), fc.integer({ min: 1, max: 12 }), async (all, which, count) => {
    const links = await chainOf(all);
    const at = which % links.length;
    expect(await check(links.toSpliced(at, count), headOf(links))).toBe(at + 1);
  });
  await fc.assert(property);
});

test("a swap of two entries is found at the first of them, with their numbers and without", async () => {
  const property = fc.asyncProperty(entries, fc.nat(), fc.nat(), async (all, one, other) => {
    const links = await chainOf(all);
    const [a, b] = [one % links.length, other % links.length].toSorted((x, y) => x - y) as [number, number];
    fc.pre(a !== b);
    const [first, second] = [links[a], links[b]] as [Link, Link];
    expect(await check(links.with(a, second).with(b, first), headOf(links))).toBe(a + 1);
    const renumbered = links.with(a, { ...second, seq: first.seq }).with(b, { ...first, seq: second.seq });
    expect(await check(renumbered, headOf(links))).toBe(a + 1);
  });
  await fc.assert(property);
});

test("an entry that was put behind the last one is found", async () => {
  const links = await chainOf([{ action: "replayed" }, { action: "signed_out" }]);
  const more = await linkAfter(headOf(links), { action: "nobody did this" });
  expect(await check([...links, more], headOf(links))).toBe(3);
});

test("the same entry is the same text, in whatever order its fields came", () => {
  const property = fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (entry) => {
    const turned = Object.fromEntries(Object.entries(entry).toReversed());
    expect(canonicalJson(turned)).toBe(canonicalJson(entry));
    expect(JSON.parse(canonicalJson(entry))).toEqual(JSON.parse(JSON.stringify(entry)));
  });
  fc.assert(property);
});
