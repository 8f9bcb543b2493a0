/** A stream of numbers in [0, 1), the same for the same seed and name. Each user of chance has a stream of its own. */
export type Random = () => number;

/** mulberry32, started from an FNV-1a hash of the name. */
export function randomStream(seed: number, name: string): Random {
  let state = seed >>> 0;
  for (const character of name) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** From `low` up to, not including, `high`. */
export function between(random: Random, low: number, high: number): number {
  return low + random() * (high - low);
}
