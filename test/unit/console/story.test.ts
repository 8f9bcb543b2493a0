import { describe, expect, test } from "vitest";
import { adviceFor, failureOf } from "../../../console/ticket/failure";
import { storyOf } from "../../../console/ticket/story";
import { conclude, type DeliveryPolicy } from "../../../src/ticket/retry";
import type { Outcome } from "../../../src/egress/outcome";
import type { Attempt, LaneView, TimelineMessage } from "../../../src/model/timeline";

const policy: DeliveryPolicy = { maxAgeSeconds: 60, whenExhausted: "advance" };
const at = "2026-11-24T02:13:00.000Z";
const startedAtMs = Date.parse(at);

/** The attempt as the relay records it, so that the console reads what is really written. */
function recorded(outcome: Outcome, ageMs = 0): Attempt {
  const before = { attempts: [], attemptCount: 0, roundStartedAtMs: startedAtMs - ageMs, roundTries: 0 };
  const { trial } = conclude(before, outcome, policy, { startedAtMs, nowMs: startedAtMs + 31 }, 0.5);
  const [attempt] = trial.attempts;
  if (!attempt) throw new Error("No attempt was recorded.");
  return attempt;
}

const message = (change: Partial<TimelineMessage>): TimelineMessage => ({
  id: "msg_7",
  lane: "toDesk",
  sequence: 7,
  kind: "incoming",
  state: "waiting",
  acceptedAt: at,
  suspectedDuplicate: false,
  attempts: [],
  event: {},
  ...change,
});

const lane = (change: Partial<LaneView>): LaneView => ({ accepted: 7, delivered: 6, waiting: 0, dead: 0, ...change });

describe("what an attempt says went wrong", () => {
  test.each<[string, Outcome, ReturnType<typeof failureOf>, string]>([
    [
      "a status with an answer",
      { kind: "retry", status: 503, error: "HTTP 503", answer: "maintenance: until 3" },
      { kind: "answered", status: 503, answer: "maintenance: until 3" },
      "mendFarEnd",
    ],
    [
      "a status without one",
      { kind: "rejected", status: 401, error: "HTTP 401" },
      { kind: "answered", status: 401, answer: "" },
      "checkSecret",
    ],
    [
      "a success that says failure",
      { kind: "rejected", status: 200, error: "HTTP 200, but the body says failure", answer: '{"status":"failed"}' },
      { kind: "saidFailure", status: 200, answer: '{"status":"failed"}' },
      "readAnswer",
    ],
    [
      "a redirect",
      { kind: "rejected", status: 302, error: "HTTP 302: redirects are not followed" },
      { kind: "answered", status: 302, answer: "redirects are not followed" },
      "checkUrl",
    ],
    [
      "a time limit",
      { kind: "retry", error: "no complete answer within 10000 ms", timedOut: true },
      { kind: "timeout", ms: 10_000 },
      "tooSlow",
    ],
    [
      "no connection",
      { kind: "retry", error: "no connection: refused" },
      { kind: "unreachable", detail: "refused" },
      "checkNetwork",
    ],
    [
      "a blocked target",
      { kind: "blocked", error: "the target's URL names an internal host" },
      { kind: "blocked", detail: "the target's URL names an internal host" },
      "mendUrl",
    ],
    [
      "a desk's own words",
      { kind: "rejected", error: "the media is empty" },
      { kind: "other", detail: "the media is empty" },
      "readAnswer",
    ],
  ])("is read from the record of %s", (_, outcome, failure, advice) => {
    const read = failureOf(recorded(outcome));
    expect(read).toEqual(failure);
    expect(read && adviceFor(read)).toBe(advice);
  });

  test.each([
    [520, "checkAddress"],
    [521, "checkAddress"],
    [522, "checkAddress"],
    [523, "checkAddress"],
    [524, "tooSlow"],
    [525, "checkCertificate"],
    [526, "checkCertificate"],
    [530, "checkName"],
  ])("is Cloudflare's word for not getting through, as %i", (status, advice) => {
    expect(adviceFor({ kind: "answered", status, answer: "" })).toBe(advice);
  });

  test("is the last attempt's when the message was given up", () => {
    const attempt = recorded({ kind: "retry", status: 503, error: "HTTP 503", answer: "down" }, 61_000);
    expect(attempt.error).toContain("given up");
    expect(failureOf(attempt)).toEqual({ kind: "answered", status: 503, answer: "down" });
  });

  test("is nothing for an attempt that delivered", () => {
    expect(failureOf(recorded({ kind: "delivered", status: 200 }))).toBeUndefined();
  });
});

describe("the story of a lane", () => {
  const failed = recorded({ kind: "retry", status: 503, error: "HTTP 503", answer: "maintenance" });
  const waiting = lane({
    waiting: 3,
    blockedBy: "msg_7",
    oldestWaitingSince: at,
    nextAttemptAt: "2026-11-24T02:31:05.000Z",
  });

  test("says for which message it waits, since when, why, and until when", () => {
    const messages = [message({ attempts: [failed] }), message({ id: "msg_8", sequence: 8 })];
    expect(storyOf(waiting, messages, startedAtMs)).toEqual({
      kind: "waiting",
      sequence: 7,
      since: at,
      waiting: 3,
      failure: { kind: "answered", status: 503, answer: "maintenance" },
      nextAttemptAt: "2026-11-24T02:31:05.000Z",
    });
  });

  test("says that the next attempt is due once its time has come", () => {
    const nowMs = Date.parse("2026-11-24T02:31:06.000Z");
    expect(storyOf(waiting, [message({ attempts: [failed] })], nowMs)).toMatchObject({ nextAttemptAt: undefined });
  });

  test("says that a message is being sent while its first attempt lasts", () => {
    expect(storyOf(waiting, [message({})], startedAtMs)).toMatchObject({ kind: "sending", sequence: 7 });
  });

  test("says that it waits also when the message at its head was not read", () => {
    expect(storyOf(waiting, [], startedAtMs)).toMatchObject({ kind: "waiting", sequence: undefined, since: at });
  });

  test("names the newest dead letter when nothing waits", () => {
    const dead = [6, 7].map((sequence) =>
      message({ id: `msg_${sequence}`, sequence, state: "dead", attempts: [failed] }),
    );
    expect(storyOf(lane({ dead: 2 }), dead, startedAtMs)).toMatchObject({ kind: "dead", dead: 2, sequence: 7, at });
  });

  test("is quiet when all is delivered", () => {
    expect(storyOf(lane({}), [message({ state: "delivered" })], startedAtMs)).toEqual({ kind: "quiet", delivered: 6 });
  });
});
