import type { Outcome } from "../egress/outcome";
import { elapsedMs } from "../lib/clock";
import type { Attempt } from "../model/answers";
import type { DeadReason } from "../model/delivery";
import { isoTime } from "../model/timeline";
import type { StoredAttempt } from "./stored-text";

/** Waits before the 2nd, 3rd, … attempt, in seconds; the last goes on. People wait in a chat, so the first are short. */
const BACKOFF_SECONDS = [1, 2, 4, 8, 15, 30, 60, 120, 300, 600];
const LONGEST_SECONDS = 600;
/** In place of the first wait, where the far end answered 5xx at once. It may be one bad worker of many, and the lane waits meanwhile. */
const QUICK_SECONDS = 0.1;
/** An attempt that took longer was not answered at once: then the far end has enough to do. */
const AT_ONCE_MS = 1_000;
const JITTER = 0.2;
/** No message waits longer for its next attempt. */
export const LONGEST_WAIT_MS = LONGEST_SECONDS * 1000 * (1 + JITTER);
/** More are not kept for the timeline: a row stays far below the platform's 2 MB. */
const ATTEMPTS_KEPT = 20;

export type DeliveryPolicy = { maxAgeSeconds: number; whenExhausted: "advance" | "hold" };

/** What is on record of a message that has been tried. */
export type AttemptHistory = {
  attempts: StoredAttempt[];
  /** All attempts ever, while `attempts` keeps the newest. */
  attemptCount: number;
  /** Epoch ms from which its age counts: its acceptance, or its last replay. */
  roundStartedAtMs: number;
  /** Attempts since then. */
  roundTries: number;
};

/** What becomes of a message after an attempt. */
export type Disposition =
  | { state: "delivered" }
  | { state: "dead"; reason: DeadReason }
  | { state: "waiting"; nextAttemptAtMs: number };

/** Of a message that was never tried. */
export const noAttempts = (acceptedAtMs: number): AttemptHistory => ({
  attempts: [],
  attemptCount: 0,
  roundStartedAtMs: acceptedAtMs,
  roundTries: 0,
});

/** `pausedMs` is for how long the lane was paused since the message's age began to count. */
type AttemptTime = { startedAtMs: number; nowMs: number; pausedMs?: number };

/** Puts an attempt on record and says what becomes of the message. `random` is in [0, 1). */
export function recordAttempt(
  before: AttemptHistory,
  outcome: Outcome,
  policy: DeliveryPolicy,
  time: AttemptTime,
  random: number,
): { history: AttemptHistory; disposition: Disposition } {
  const history = { ...before, attemptCount: before.attemptCount + 1, roundTries: before.roundTries + 1 };
  const disposition = judge(outcome, history, policy, time, random);
  const attempt = attemptOf(outcome, time.startedAtMs, time.nowMs);
  if (disposition.state === "dead" && disposition.reason === "exhausted") {
    attempt.givenUpAfterSeconds = policy.maxAgeSeconds;
  }
  history.attempts = [...before.attempts, attempt].slice(-ATTEMPTS_KEPT);
  return { history, disposition };
}

function attemptOf(outcome: Outcome, startedAtMs: number, nowMs: number): Attempt {
  const attempt: Attempt = { at: isoTime(startedAtMs), ms: elapsedMs(startedAtMs, nowMs), outcome: outcome.kind };
  if (outcome.kind === "blocked") return { ...attempt, detail: outcome.error };
  if (outcome.status !== undefined) attempt.status = outcome.status;
  if (outcome.kind === "delivered") return attempt;
  if (outcome.error !== `HTTP ${outcome.status}`) attempt.detail = outcome.error;
  if (outcome.answer) attempt.answer = outcome.answer;
  if (outcome.kind === "retry" && outcome.noAnswer) attempt.noAnswer = outcome.noAnswer;
  if ("during" in outcome) attempt.during = outcome.during;
  return attempt;
}

function judge(
  outcome: Outcome,
  { roundStartedAtMs, roundTries }: AttemptHistory,
  policy: DeliveryPolicy,
  { startedAtMs, nowMs, pausedMs = 0 }: AttemptTime,
  random: number,
): Disposition {
  switch (outcome.kind) {
    case "delivered":
      return { state: "delivered" };
    case "rejected":
    case "blocked":
      return { state: "dead", reason: outcome.kind };
    case "retry": {
      const deadlineMs = roundStartedAtMs + policy.maxAgeSeconds * 1000 + pausedMs;
      const isQuick = roundTries === 1 && (outcome.status ?? 0) >= 500 && elapsedMs(startedAtMs, nowMs) <= AT_ONCE_MS;
      const waitSeconds = isQuick ? QUICK_SECONDS : secondsAfter(roundTries);
      const nextAttemptAtMs = nowMs + backoffMs(waitSeconds, random, outcome.retryAfterMs);
      if (policy.whenExhausted === "hold") return { state: "waiting", nextAttemptAtMs };
      if (nowMs >= deadlineMs) return { state: "dead", reason: "exhausted" };
      // The last attempt is made at the deadline, not given up before it.
      return { state: "waiting", nextAttemptAtMs: Math.min(nextAttemptAtMs, deadlineMs) };
    }
  }
}

/** Whether a message waits longer than its own backoff: then the far end has asked for that, by `Retry-After`. */
export function isAskedToWait({ attempts, roundTries }: AttemptHistory, nextAttemptAtMs: number): boolean {
  const last = attempts.at(-1);
  const endedAtMs = last ? Date.parse(last.at) + last.ms : 0;
  return last !== undefined && nextAttemptAtMs - endedAtMs > backoffMs(secondsAfter(roundTries), 1);
}

const secondsAfter = (tries: number): number => BACKOFF_SECONDS[tries - 1] ?? LONGEST_SECONDS;

/** The wait in ms, spread at random; `random` is in [0, 1). `Retry-After` may lengthen it up to 600 s. */
function backoffMs(seconds: number, random: number, retryAfterMs = 0): number {
  const jittered = seconds * 1000 * (1 + JITTER * (2 * random - 1));
  return Math.round(Math.max(jittered, Math.min(retryAfterMs, LONGEST_SECONDS * 1000)));
}
