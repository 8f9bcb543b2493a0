import { utf8 } from "../crypto/bytes";

/**
 * What makes a change to the log show: each entry has the hash of the one before it in its own. To change one, or to take
 * one out, is to change the hash of all that come after it.
 */

/** One entry as it is stored: its JSON, and its hash. */
export type Link = { seq: number; json: string; hash: string };
/** Where a chain has come to. */
export type Place = Pick<Link, "seq" | "hash">;

/** Before the first entry. */
export const START: Place = { seq: 0, hash: "0".repeat(64) };

/** JSON with the keys of every object in alphabetical order: what is the same is the same text. */
export const canonicalJson = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );

async function hashOf(before: string, json: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", utf8(`${before}\n${json}`));
  return new Uint8Array(hash).toHex();
}

/** The entry that follows on `before`. */
export async function linkAfter(before: Place, entry: object): Promise<Link> {
  const seq = before.seq + 1;
  const json = canonicalJson({ ...entry, seq });
  return { seq, json, hash: await hashOf(before.hash, json) };
}

/** The number of the first entry that is not as it was written, or not there; undefined when all follow on `before`. */
export async function firstBroken(before: Place, links: Link[]): Promise<number | undefined> {
  let at = before;
  for (const link of links) {
    if (link.seq !== at.seq + 1 || link.hash !== (await hashOf(at.hash, link.json))) return at.seq + 1;
    at = link;
  }
  return undefined;
}

/** The same of where the chain ends: it has to be the head that was kept with the newest entry. */
export function brokenAtEnd(end: Place, head: Place): number | undefined {
  if (end.seq !== head.seq) return Math.min(end.seq, head.seq) + 1;
  return end.hash === head.hash ? undefined : end.seq;
}
