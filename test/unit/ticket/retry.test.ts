import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Outcome } from "../../../src/egress/outcome";
import { withError } from "../../../src/model/attempt";
import { noAttempts, recordAttempt, type AttemptHistory, type DeliveryPolicy } from "../../../src/ticket/retry";
import { RUN } from "../property";

const SCHEDULE_SECONDS = [1, 2, 4, 8, 15, 30, 60, 120, 300, 600, 600, 600, 600];
const startMs = Date.UTC(2026, 0, 1);
const fresh = noAttempts(startMs);
const patient: DeliveryPolicy = { maxAgeSeconds: 86_400, whenExhausted: "advance" };
/** It asks for calm, and so has the whole schedule. */
const failing = { kind: "retry", status: 429, error: "HTTP 429" } as const;

/** Zero time passes in an attempt here, but where a test says otherwise. */
const at = (nowMs: number) => ({ startedAtMs: nowMs, nowMs });

/** How long the wait after the n-th failure is. */
function waitMs(tries: number, random: number, retryAfterMs?: number): number {
  const outcome: Outcome = retryAfterMs === undefined ? failing : { ...failing, retryAfterMs };
  const { disposition } = recordAttempt({ ...fresh, roundTries: tries - 1 }, outcome, patient, at(startMs), random);
  return disposition.state === "waiting" ? disposition.nextAttemptAtMs - startMs : Number.NaN;
}

const tries = fc.integer({ min: 1, max: SCHEDULE_SECONDS.length });
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const baseMs = (n: number) => (SCHEDULE_SECONDS[n - 1] ?? 0) * 1000;

describe("the wait before the next attempt", () => {
  test.each(SCHEDULE_SECONDS.map((seconds, index) => ({ tries: index + 1, seconds })))(
    "the wait after failure $tries is $seconds s, in the middle of its range",
    ({ tries: n, seconds }) => {
      expect(waitMs(n, 0.5)).toBe(seconds * 1000);
    },
  );

  test("the wait stays at 600 s for as long as it takes", () => {
    expect(waitMs(1000, 0.5)).toBe(600_000);
  });

  test("the wait is within 20 % of the schedule for every random value", () => {
    fc.assert(
      fc.property(tries, random, (n, value) => {
        expect(waitMs(n, value)).toBeGreaterThanOrEqual(baseMs(n) * 0.8);
        expect(waitMs(n, value)).toBeLessThanOrEqual(baseMs(n) * 1.2);
      }),
      RUN,
    );
    expect(waitMs(1, 0)).toBe(800);
    expect(waitMs(10, 0)).toBe(480_000);
    expect(waitMs(1, 1 - Number.EPSILON)).toBe(1200);
  });

  test("the wait is lengthened by Retry-After up to 600 s, and never shortened", () => {
    fc.assert(
      fc.property(tries, random, fc.nat(2_000_000), (n, value, retryAfterMs) => {
        const plain = waitMs(n, value);
        expect(waitMs(n, value, retryAfterMs)).toBe(Math.max(plain, Math.min(retryAfterMs, 600_000)));
      }),
      RUN,
    );
    expect(waitMs(1, 0.5, 30_000)).toBe(30_000);
    expect(waitMs(1, 0.5, 3_600_000)).toBe(600_000);
    expect(waitMs(8, 0.5, 30_000)).toBe(120_000);
  });

  test("the wait counts from the end of the attempt, not from its start", () => {
    const time = { startedAtMs: startMs, nowMs: startMs + 9_000 };
    const { history, disposition } = recordAttempt(fresh, failing, patient, time, 0.5);
    expect(disposition).toEqual({ state: "waiting", nextAttemptAtMs: startMs + 10_000 });
    expect(history.attempts).toEqual([{ at: "2026-01-01T00:00:00.000Z", ms: 9_000, outcome: "retry", status: 429 }]);
  });
});

describe("the first retry after a 5xx", () => {
  const broken = { kind: "retry", status: 503, error: "HTTP 503" } as const;
  const after = (outcome: Outcome, { tries: n = 1, tookMs = 50, value = 0.5 } = {}) => {
    const time = { startedAtMs: startMs - tookMs, nowMs: startMs };
    const { disposition } = recordAttempt({ ...fresh, roundTries: n - 1 }, outcome, patient, time, value);
    return disposition.state === "waiting" ? disposition.nextAttemptAtMs - startMs : Number.NaN;
  };

  test("a far end that answers 5xx at once is asked again after 100 ms, give or take a fifth", () => {
    expect(after(broken)).toBe(100);
    expect(after({ ...broken, status: 500 }, { tookMs: 1_000 })).toBe(100);
    expect([after(broken, { value: 0 }), after(broken, { value: 1 - Number.EPSILON })]).toEqual([80, 120]);
  });

  test("the second retry waits as long as if the first had waited a second", () => {
    expect(after(broken, { tries: 2 })).toBe(2_000);
  });

  test("a longer Retry-After is obeyed by the first retry too", () => {
    expect(after({ ...broken, retryAfterMs: 30_000 })).toBe(30_000);
    expect(after({ ...broken, retryAfterMs: 0 })).toBe(100);
  });

  test("a 5xx that took over a second, no answer, and any other status wait a second", () => {
    expect(after(broken, { tookMs: 1_001 })).toBe(1_000);
    expect(after({ kind: "retry", error: "no connection", noAnswer: "connection" })).toBe(1_000);
    for (const status of [408, 425, 429]) expect(after({ ...broken, status })).toBe(1_000);
  });
});

describe("exhaustion", () => {
  const minute: DeliveryPolicy = { maxAgeSeconds: 60, whenExhausted: "advance" };

  /** Attempts from acceptance to the end, each at the moment the one before asked for. */
  function untilTheEnd(policy: DeliveryPolicy, most: number) {
    let history = fresh;
    const atMs: number[] = [];
    for (let nowMs = startMs; atMs.length < most;) {
      atMs.push(nowMs - startMs);
      const recorded = recordAttempt(history, failing, policy, at(nowMs), 0.5);
      history = recorded.history;
      if (recorded.disposition.state !== "waiting") return { atMs, history, disposition: recorded.disposition };
      nowMs = recorded.disposition.nextAttemptAtMs;
    }
    return { atMs, history, disposition: undefined };
  }

  test("a message is exhausted at maxAgeSeconds, after a last attempt at that very moment", () => {
    const { atMs, disposition } = untilTheEnd(minute, 100);
    expect(atMs).toEqual([0, 1_000, 3_000, 7_000, 15_000, 30_000, 60_000]);
    expect(disposition).toEqual({ state: "dead", reason: "exhausted" });
  });

  test("the last attempt of an exhausted message says that and why it was given up", () => {
    const { history } = untilTheEnd(minute, 100);
    const [before, last] = history.attempts.slice(-2).map(withError);
    expect(last?.error).toBe("given up after 60 seconds; the last attempt: HTTP 429");
    expect(last).toMatchObject({ outcome: "retry", status: 429, givenUpAfterSeconds: 60 });
    expect(before).toMatchObject({ outcome: "retry", status: 429, error: "HTTP 429" });
    expect(before).not.toHaveProperty("givenUpAfterSeconds");
  });

  test("with hold a message is never exhausted, and the lane tries on", () => {
    const { atMs, history, disposition } = untilTheEnd({ ...minute, whenExhausted: "hold" }, 40);
    expect(disposition).toBeUndefined();
    expect(atMs.slice(-2)).toEqual([(atMs.at(-1) ?? 0) - 600_000, atMs.at(-1)]);
    expect(history.attemptCount).toBe(40);
  });

  test("a long Retry-After does not skip the last attempt at the deadline", () => {
    const { disposition } = recordAttempt(fresh, { ...failing, retryAfterMs: 600_000 }, minute, at(startMs), 0.5);
    expect(disposition).toEqual({ state: "waiting", nextAttemptAtMs: startMs + 60_000 });
  });

  test("the age of a message counts from its last replay", () => {
    const replayed: AttemptHistory = { ...fresh, attemptCount: 30, roundStartedAtMs: startMs + 86_400_000 };
    const { disposition } = recordAttempt(replayed, failing, minute, at(startMs + 86_401_000), 0.5);
    expect(disposition).toEqual({ state: "waiting", nextAttemptAtMs: startMs + 86_402_000 });
  });

  test("a delivery after the deadline counts as one", () => {
    const { disposition } = recordAttempt(fresh, { kind: "delivered", status: 200 }, minute, at(startMs + 99_000), 0.5);
    expect(disposition).toEqual({ state: "delivered" });
  });
});

describe("the record of attempts", () => {
  test("an attempt during which the clock was set back took no less than no time", () => {
    const time = { startedAtMs: startMs, nowMs: startMs - 3600_000 };
    expect(recordAttempt(fresh, failing, patient, time, 0.5).history.attempts).toMatchObject([{ ms: 0 }]);
  });

  test("the record keeps the newest 20 attempts while the count goes on", () => {
    let history = fresh;
    for (let n = 0; n < 33; n++) {
      history = recordAttempt(history, failing, { ...patient, whenExhausted: "hold" }, at(startMs + n), 0.5).history;
    }
    expect(history.attemptCount).toBe(33);
    expect(history.roundTries).toBe(33);
    expect(history.attempts.map((attempt) => Date.parse(attempt.at) - startMs)).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 13),
    );
  });

  test("recording an attempt leaves the history it is added to as it was", () => {
    const before = recordAttempt(fresh, failing, patient, at(startMs), 0.5).history;
    const copy = structuredClone(before);
    recordAttempt(before, failing, patient, at(startMs + 1), 0.5);
    expect(before).toEqual(copy);
    expect(fresh.attempts).toEqual([]);
  });

  test.each<{ outcome: Outcome; state: string; reason?: string; fields: object; error?: string }>([
    { outcome: { kind: "delivered", status: 204, answer: "taken" }, state: "delivered", fields: { status: 204 } },
    {
      outcome: { kind: "rejected", status: 400, error: "HTTP 400", answer: "no such ticket" },
      state: "dead",
      reason: "rejected",
      fields: { status: 400, answer: "no such ticket" },
      error: "HTTP 400: no such ticket",
    },
    {
      outcome: { kind: "rejected", status: 302, error: "HTTP 302: redirects are not followed" },
      state: "dead",
      reason: "rejected",
      fields: { status: 302, detail: "HTTP 302: redirects are not followed" },
      error: "HTTP 302: redirects are not followed",
    },
    {
      outcome: { kind: "rejected", error: "login: HTTP 401" },
      state: "dead",
      reason: "rejected",
      fields: { detail: "login: HTTP 401" },
      error: "login: HTTP 401",
    },
    {
      outcome: { kind: "blocked", error: "the target's URL must begin with https://" },
      state: "dead",
      reason: "blocked",
      fields: { detail: "the target's URL must begin with https://" },
      error: "blocked: the target's URL must begin with https://",
    },
    {
      outcome: { kind: "retry", status: 500, error: "HTTP 500", answer: "down" },
      state: "waiting",
      fields: { status: 500, answer: "down" },
      error: "HTTP 500: down",
    },
    {
      outcome: { kind: "retry", error: "no connection: refused", noAnswer: "connection" },
      state: "waiting",
      fields: { detail: "no connection: refused", noAnswer: "connection" },
      error: "no connection: refused",
    },
  ])(
    "an attempt that ended as $outcome.kind keeps its fields, and its error reads: $error",
    ({ outcome, state, reason, fields, error }) => {
      const { history, disposition } = recordAttempt(fresh, outcome, patient, at(startMs), 0.5);
      expect(disposition).toMatchObject(reason === undefined ? { state } : { state, reason });
      const kept = { at: "2026-01-01T00:00:00.000Z", ms: 0, outcome: outcome.kind, ...fields };
      expect(history.attempts).toEqual([kept]);
      expect(history.attempts.map(withError)).toEqual([error === undefined ? kept : { ...kept, error }]);
    },
  );

  test("an attempt recorded by the first version is shown as it was written", () => {
    for (const old of [
      { status: 503, error: "HTTP 503: down" },
      { error: "blocked: the host is not public" },
      { status: 200 },
    ]) {
      const attempt = { at: "2026-01-01T00:00:00.000Z", ms: 0, ...old };
      expect(withError(attempt)).toEqual(attempt);
    }
  });
});
