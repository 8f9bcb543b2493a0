import { type Random, between } from "./random.ts";

/** What the proxy does to one request on its way from the relay to a far end. */
export const FATES = {
  passed: "passed on, and the answer passed back",
  delayed: "the same, slowly",
  refused: "connection reset, nothing passed on",
  failed: "answered 5xx by the proxy, nothing passed on",
  hung: "nothing passed on, no answer until the relay gives up",
  answerLost: "passed on, then the connection reset with no answer",
  answerCut: "passed on, then the connection closed in the middle of the answer",
  answerHung: "passed on, then no answer until the relay gives up",
} as const;
export type Fate = keyof typeof FATES;

export type Decision = { fate: Fate; delayMs: number; status: number };

/** Of every request. A quarter fail; most of what a message then waits is the relay's first retries, 1 and 2 seconds. */
const SHARES: [Fate, number][] = [
  ["delayed", 0.15],
  ["refused", 0.05],
  ["failed", 0.06],
  ["hung", 0.02],
  ["answerLost", 0.05],
  ["answerCut", 0.04],
  ["answerHung", 0.03],
];
/** Far below the tenant's timeoutMs, so that a delay alone never loses an outcome. */
const DELAY_MS = [20, 350] as const;
/** All of them mean "try again" (protocol 2.5). 501 would mean a dead letter. */
const STATUSES = [500, 502, 503, 504, 507];

export const PASS: Decision = { fate: "passed", delayMs: 0, status: 200 };

/** Takes the same count of numbers each time: the n-th decision of a seed does not depend on those before it. */
export function decide(random: Random): Decision {
  const point = random();
  const delayMs = between(random, ...DELAY_MS);
  const status = STATUSES[Math.floor(random() * STATUSES.length)] ?? 503;
  let sum = 0;
  for (const [fate, share] of SHARES) {
    sum += share;
    if (point < sum) return { fate, delayMs: fate === "delayed" ? delayMs : 0, status };
  }
  return { ...PASS, status };
}
