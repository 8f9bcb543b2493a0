import * as fc from "fast-check";
import { expect, test } from "vitest";
import { RecentBodies } from "../../../src/ticket/recent-bodies";
import type { LaneName } from "../../../src/model/answers";
import { LANES } from "../../../src/model/timeline";

const WINDOW_MS = 10_000;
/** So many bodies are remembered for certain, however close they come. */
const CERTAIN = 50;

/** Whether it is known, and from now on it is. */
function see(recent: RecentBodies, lane: LaneName, body: string, nowMs: number): boolean {
  const isKnown = recent.has(lane, body, nowMs);
  recent.add(lane, body, nowMs);
  return isKnown;
}

const steps = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 0, max: 6_000 }),
    lane: fc.constantFrom(...LANES),
    body: fc.constantFrom("a", "b", "c"),
  }),
);

test("a body is known that came less than 10 seconds ago in the same direction, and no other", () => {
  fc.assert(
    fc.property(steps, (all) => {
      const recent = new RecentBodies();
      const seenAtMs = new Map<string, number>();
      let nowMs = 1_700_000_000_000;
      for (const { afterMs, lane, body } of all) {
        nowMs += afterMs;
        expect(see(recent, lane, body, nowMs)).toBe(nowMs - (seenAtMs.get(lane + body) ?? 0) < WINDOW_MS);
        seenAtMs.set(lane + body, nowMs);
      }
    }),
  );
});

test("of many that come at once those are known that came last, and not ever more of them", () => {
  const recent = new RecentBodies();
  const bodies = Array.from({ length: 10 * CERTAIN }, (_, n) => String(n));
  for (const body of bodies) expect(see(recent, "toDesk", body, 0)).toBe(false);
  // Each that is asked for counts as one that came.
  expect(bodies.slice(-CERTAIN).map((body) => see(recent, "toDesk", body, 1))).toEqual(Array(CERTAIN).fill(true));
  expect(see(recent, "toDesk", "0", 1)).toBe(false);
});

test("a body that came before the clock was set back by an hour is not taken for one of the last 10 seconds", () => {
  const recent = new RecentBodies();
  see(recent, "toDesk", "a", 3600_000);
  expect(see(recent, "toDesk", "a", 0)).toBe(false);
});
