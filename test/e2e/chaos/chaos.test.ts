import { expect, inject, test } from "vitest";
import { noViolations } from "../../../dev/chaos/audit.ts";
import { runChaos } from "../../../dev/chaos/run.ts";

// Repeats the schedule of faults and kills, not their timing. `npm run chaos` takes other seeds, and longer.
const SEED = 20_261_123;

test("under faults and kills nothing accepted is lost, out of order, or repeated for no reason", async () => {
  await using cleanup = new AsyncDisposableStack();
  const result = await runChaos(
    {
      bundle: inject("bundle"),
      seed: SEED,
      driveMs: 9_000,
      isEnough: (sent) => {
        const accepted = sent.filter(({ state }) => state === "accepted");
        return accepted.length > 150 && accepted.some(({ label }) => label.includes(" Close at "));
      },
      kills: 3,
      tenants: 2,
      ticketsPerTenant: 4,
      pauseMs: 300,
      failuresInARow: 3,
      settleMs: 60_000,
    },
    cleanup,
  );
  expect(result.violations).toEqual(noViolations());
  expect(result.accepted).toBeGreaterThan(150);
  expect(result.delivered).toBe(result.accepted + result.unknownStored);
  expect(result.killed + result.stopped).toBe(3);
  expect(result.closes).toBeGreaterThan(0);
  const { fault, timeout, kill } = result.repeats;
  expect(fault + timeout + kill).toBeGreaterThan(0);
  const { refused = 0, failed = 0, answerLost = 0, answerCut = 0 } = result.fates;
  expect(Math.min(refused, failed, answerLost, answerCut)).toBeGreaterThan(0);
}, 180_000);
