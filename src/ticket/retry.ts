import type { Outcome } from "../egress/outcome";
import { isoTime, type Attempt } from "../model/timeline";

/** Waits before the 2nd, 3rd, … attempt, in seconds; the last goes on. People wait in a chat, so the first are short. */
const BACKOFF_SECONDS = [1, 2, 4, 8, 15, 30, 60, 120, 300, 600];
const LONGEST_SECONDS = 600;
const JITTER = 0.2;
/** More are not kept for the timeline: a row stays far below the platform's 2 MB. */
const ATTEMPTS_KEPT = 20;

export type DeliveryPolicy = { maxAgeSeconds: number; whenExhausted: "advance" | "hold" };

/** What is on record of a message that has been tried. */
export type Trial = {
  attempts: Attempt[];
  /** All attempts ever, while `attempts` keeps the newest. */
  attemptCount: number;
  /** Epoch ms from which its age counts: its acceptance, or its last replay. */
  roundStartedAtMs: number;
  /** Attempts since then. */
  roundTries: number;
};

type DeadReason = "rejected" | "blocked" | "exhausted";
export type Verdict =
  | { state: "delivered" }
  | { state: "dead"; reason: DeadReason }
  | { state: "waiting"; nextAttemptAtMs: number };

/** The wait in ms after the `tries`-th attempt failed; `random` is in [0, 1). `Retry-After` may lengthen it up to 600 s. */
function backoffMs(tries: number, random: number, retryAfterMs = 0): number {
  const base = (BACKOFF_SECONDS[tries - 1] ?? LONGEST_SECONDS) * 1000;
  const jittered = base * (1 + JITTER * (2 * random - 1));
  return Math.round(Math.max(jittered, Math.min(retryAfterMs, LONGEST_SECONDS * 1000)));
}

/** Puts an attempt on record and says what becomes of the message. `random` is in [0, 1). */
export function conclude(
  before: Trial,
  outcome: Outcome,
  policy: DeliveryPolicy,
  time: { startedAtMs: number; nowMs: number },
  random: number,
): { trial: Trial; verdict: Verdict } {
  const trial = { ...before, attemptCount: before.attemptCount + 1, roundTries: before.roundTries + 1 };
  const verdict = judge(outcome, trial, policy, time.nowMs, random);
  const attempt: Attempt = { at: isoTime(time.startedAtMs), ms: time.nowMs - time.startedAtMs };
  if (outcome.kind === "blocked") {
    attempt.error = `blocked: ${outcome.error}`;
  } else {
    if (outcome.status !== undefined) attempt.status = outcome.status;
    if (outcome.kind !== "delivered")
      attempt.error = outcome.answer ? `${outcome.error}: ${outcome.answer}` : outcome.error;
  }
  if (verdict.state === "dead" && verdict.reason === "exhausted") {
    attempt.error = `given up after ${policy.maxAgeSeconds} seconds; the last attempt: ${attempt.error ?? ""}`;
  }
  trial.attempts = [...before.attempts, attempt].slice(-ATTEMPTS_KEPT);
  return { trial, verdict };
}

function judge(outcome: Outcome, trial: Trial, policy: DeliveryPolicy, nowMs: number, random: number): Verdict {
  switch (outcome.kind) {
    case "delivered":
      return { state: "delivered" };
    case "rejected":
    case "blocked":
      return { state: "dead", reason: outcome.kind };
    case "retry": {
      const deadlineMs = trial.roundStartedAtMs + policy.maxAgeSeconds * 1000;
      const nextAttemptAtMs = nowMs + backoffMs(trial.roundTries, random, outcome.retryAfterMs);
      if (policy.whenExhausted === "hold") return { state: "waiting", nextAttemptAtMs };
      if (nowMs >= deadlineMs) return { state: "dead", reason: "exhausted" };
      // The last attempt is made at the deadline, not given up before it.
      return { state: "waiting", nextAttemptAtMs: Math.min(nextAttemptAtMs, deadlineMs) };
    }
  }
}
