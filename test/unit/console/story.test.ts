import { expect, test } from "vitest";
import { adviceFor, failureOf } from "../../../console/ticket/failure";
import { storyOf } from "../../../console/ticket/story";
import { noAttempts, recordAttempt, type DeliveryPolicy } from "../../../src/ticket/retry";
import type { Outcome } from "../../../src/egress/outcome";
import type { Attempt } from "../../../src/model/answers";
import { withError } from "../../../src/model/attempt";
import type { LaneView, TimelineMessage } from "../../../src/model/answers";

const policy: DeliveryPolicy = { maxAgeSeconds: 60, whenExhausted: "advance" };
const at = "2026-11-24T02:13:00.000Z";
const startedAtMs = Date.parse(at);

/** The attempt as the relay records and shows it, so that the console reads what is really written. */
function recorded(outcome: Outcome, ageMs = 0): Attempt {
  const before = noAttempts(startedAtMs - ageMs);
  const { history } = recordAttempt(before, outcome, policy, { startedAtMs, nowMs: startedAtMs + 31 }, 0.5);
  const [attempt] = history.attempts;
  if (!attempt) throw new Error("No attempt was recorded.");
  return withError(attempt);
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

test.each<[string, Outcome, ReturnType<typeof failureOf>, string]>([
  [
    "a status with an answer",
    { kind: "retry", status: 503, error: "HTTP 503", answer: "maintenance: until 3" },
    { kind: "answered", status: 503, answer: "maintenance: until 3" },
    "fixFarEnd",
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
    { kind: "answered", status: 302, answer: "HTTP 302: redirects are not followed" },
    "checkUrl",
  ],
  [
    "a time limit",
    { kind: "retry", error: "no complete answer within 10000 ms", noAnswer: "timeout" },
    { kind: "timeout", ms: 31 },
    "tooSlow",
  ],
  [
    "no connection",
    { kind: "retry", error: "no connection: refused", noAnswer: "connection" },
    { kind: "unreachable", detail: "no connection: refused" },
    "checkNetwork",
  ],
  [
    "a blocked target",
    { kind: "blocked", error: "the target's URL names an internal host" },
    { kind: "blocked", detail: "the target's URL names an internal host" },
    "fixUrl",
  ],
  [
    "a desk's own words",
    { kind: "rejected", error: "the media is empty" },
    { kind: "other", detail: "the media is empty" },
    "readAnswer",
  ],
  [
    "a desk's own words about a status",
    { kind: "rejected", status: 200, error: "the answer is not the desk's: no id" },
    { kind: "answered", status: 200, answer: "the answer is not the desk's: no id" },
    "readAnswer",
  ],
])("what an attempt says went wrong is read from the record of %s", (_, outcome, failure, advice) => {
  const read = failureOf(recorded(outcome));
  expect(read).toEqual(failure);
  expect(read && adviceFor(read)).toBe(advice);
});

test("what an attempt says went wrong is the last attempt's when the message was given up", () => {
  const attempt = recorded({ kind: "retry", status: 503, error: "HTTP 503", answer: "down" }, 61_000);
  expect(attempt.error).toBe("given up after 60 seconds; the last attempt: HTTP 503: down");
  expect(failureOf(attempt)).toEqual({ kind: "answered", status: 503, answer: "down" });
});

test.each<[string, Attempt, ReturnType<typeof failureOf>]>([
  [
    "with a status",
    { at, ms: 1, status: 503, error: "HTTP 503: down" },
    { kind: "answered", status: 503, answer: "HTTP 503: down" },
  ],
  ["without one", { at, ms: 1, error: "no connection: refused" }, { kind: "other", detail: "no connection: refused" }],
  ["that delivered", { at, ms: 1, status: 200 }, undefined],
])(
  "what an attempt says went wrong is the whole text of an attempt %s that was recorded before its fields were kept",
  (_, attempt, failure) => {
    expect(failureOf(withError(attempt))).toEqual(failure);
  },
);

test("what an attempt says went wrong is nothing for an attempt that delivered", () => {
  expect(failureOf(recorded({ kind: "delivered", status: 200 }))).toBeUndefined();
});

const failed = recorded({ kind: "retry", status: 503, error: "HTTP 503", answer: "maintenance" });
const waiting = lane({
  waiting: 3,
  blockedBy: "msg_7",
  oldestWaitingSince: at,
  nextAttemptAt: "2026-11-24T02:31:05.000Z",
});

test("the story of a lane says for which message it waits, since when, why, and until when", () => {
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

test("the story of a lane says that the next attempt is due once its time has come", () => {
  const nowMs = Date.parse("2026-11-24T02:31:06.000Z");
  expect(storyOf(waiting, [message({ attempts: [failed] })], nowMs)).toMatchObject({ nextAttemptAt: undefined });
});

test("the story of a lane says that a message is being sent while its first attempt lasts", () => {
  expect(storyOf(waiting, [message({})], startedAtMs)).toMatchObject({ kind: "sending", sequence: 7 });
});

test("the story of a lane says that it waits also when the message at its head was not read", () => {
  expect(storyOf(waiting, [], startedAtMs)).toMatchObject({ kind: "waiting", sequence: undefined, since: at });
});

test("the story of a lane names the newest dead letter when nothing waits", () => {
  const dead = [6, 7].map((sequence) =>
    message({ id: `msg_${sequence}`, sequence, state: "dead", attempts: [failed] }),
  );
  expect(storyOf(lane({ dead: 2 }), dead, startedAtMs)).toMatchObject({ kind: "dead", dead: 2, sequence: 7, at });
});

test("the story of a lane is quiet when all is delivered", () => {
  expect(storyOf(lane({}), [message({ state: "delivered" })], startedAtMs)).toEqual({ kind: "quiet", delivered: 6 });
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
])(
  "what Cloudflare says by %i in a far end's place is not taken for its answer, and has advice of its own",
  (status, advice) => {
    const outcome: Outcome = { kind: "retry", status, error: `HTTP ${status}`, answer: `error code: ${status}` };
    const failure = failureOf(recorded(outcome));
    expect(failure).toEqual({ kind: "unreached", status });
    expect(failure && adviceFor(failure)).toBe(advice);
  },
);
