import { afterAll, beforeAll, expect, test } from "vitest";
import type { Reply } from "../support/http.ts";
import { openTicket } from "../support/tenant.ts";
import { type World, startWorld } from "../support/world.ts";

/** The limiters count requests by fifties. */
const RATE_LIMIT = 4;
const ALLOWED = RATE_LIMIT * 50;
const WRONG_LIMIT = 60;

let world: World;
beforeAll(async () => {
  world = await startWorld({ rateLimits: { CALLER_RATE: RATE_LIMIT, FAILURE_RATE: WRONG_LIMIT } });
});
afterAll(() => world.stop());

test("of a thousand wrong keys from one address nearly all are told to wait, and the engine there goes on", async () => {
  const tenant = await world.tenant();
  const statuses: number[] = [];
  const guess = (n: number) => world.call(`/v1/dolphins/guess-${n}/incoming`, { method: "POST", body: {} });
  for (let n = 0; n < 1_000; n += 50) {
    const answers = await Promise.all(Array.from({ length: 50 }, (_, at) => guess(n + at)));
    statuses.push(...answers.map(({ status }) => status));
    if (n % 200 === 0) await openTicket(tenant);
  }
  expect(new Set(statuses)).toEqual(new Set([401, 429]));
  // The limiter counts in fixed periods, and a slow machine may see a few of them.
  expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(10 * WRONG_LIMIT);
});

test("an operator who sends too many requests in 10 seconds is told to wait, and nobody else is", async () => {
  const tenant = await world.tenant();
  const number = await openTicket(tenant);
  let served = 0;
  let refused: Reply | undefined;
  // The limiter counts in fixed periods: a run that meets the end of one may get twice as far.
  while (refused === undefined && served <= 2 * ALLOWED) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => world.admin("GET", "/admin/tenants")));
    served += answers.filter(({ status }) => status === 200).length;
    refused = answers.find(({ status }) => status !== 200);
  }
  expect(refused).toBeRefused(429, "rate_limited");
  expect(refused?.headers.get("retry-after")).toBe("10");
  expect(served).toBeGreaterThanOrEqual(ALLOWED - 50);
  expect(await tenant.reply(number)).toBeAccepted();
});
