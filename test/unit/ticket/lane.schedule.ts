import * as fc from "fast-check";
import type { EventKind } from "../../../src/model/event";
import type { LaneName } from "../../../src/model/answers";
import type { DeliveryPolicy } from "../../../src/ticket/retry";
import type { FarEnd, Said } from "./lane.reference";

/** Whatever can happen to a ticket, in any order. */

export type Operation =
  | { do: "accept"; said: Said & { kind: EventKind } }
  /** The far end answers the attempt under way, if there is one. */
  | { do: "end"; lane: LaneName; far: FarEnd; retryAfterMs: number; random: number; isRecorded: boolean }
  | { do: "pass"; ms: number }
  | { do: "passUntilDue"; lane: LaneName }
  /** Until the first of what lies is taken. */
  | { do: "passUntilTaken" }
  /** The clock is set back, and something touches the ticket after that. */
  | { do: "setClockBack"; ms: number }
  /** `taken`: the far end had the attempt under way already. */
  | { do: "crash"; taken: Record<LaneName, boolean> }
  | { do: "replay"; which: "all" | number[]; twice: boolean }
  | { do: "discard"; which: "all" | number[] }
  /** By an operator, or, unless it is `even` before a Retry-After, by a wave. */
  | { do: "retry"; lanes: LaneName[]; even: boolean }
  /** At the tenant's index. */
  | { do: "turn"; lane: LaneName; isPaused: boolean }
  /** What the index has said last reaches the ticket, or what it has said before that. */
  | { do: "push"; lane: LaneName; back: number }
  /** A pause that the ticket knows of, and its end; then the word of its beginning comes again. */
  | { do: "pauseFor"; lane: LaneName; ms: number }
  /** An attempt finds its lane paused, by what the index has said last or before that. */
  | { do: "hold"; lane: LaneName; back: number }
  | { do: "prune"; olderThanMs: number }
  | { do: "configure"; policy: DeliveryPolicy; notifyFailures: boolean };

const HOUR_MS = 3600_000;
const DAY_MS = 24 * HOUR_MS;

const lane = fc.constantFrom<LaneName>("toDesk", "toDolphins", "toDolphins");
const SAID: Record<LaneName, EventKind[]> = {
  toDesk: ["incoming", "incoming", "command"],
  toDolphins: ["outgoing", "outgoing", "outgoing", "command"],
};
const accepting = lane
  .chain((to) =>
    fc.record({
      lane: fc.constant(to),
      kind: fc.constantFrom(...SAID[to]),
      body: fc.constantFrom(1, 1, 2, 3, 500),
      key: fc.constantFrom(undefined, undefined, undefined, "a", "b"),
      fromWebhook: fc.constant(to === "toDolphins"),
      isOrdered: to === "toDolphins" ? fc.constantFrom(true, true, false) : fc.constant(false),
      reply: fc.record({ key: fc.integer({ min: 1, max: 6 }), ageMs: fc.constantFrom(0, 0, 2_000, 2_001) }),
    }),
  )
  .map(({ isOrdered, reply, ...said }): Operation => {
    const order = said.kind === "command" ? { key: null } : reply;
    return { do: "accept", said: { ...said, order: isOrdered ? order : undefined } };
  });
const ending: fc.Arbitrary<Operation> = fc.record({
  do: fc.constant("end"),
  lane,
  far: fc.constantFrom<FarEnd>("delivered", "delivered", "rejected", "blocked", "unreachable", "unreachable", "lost"),
  retryAfterMs: fc.constantFrom(0, 0, 0, 5_000, 9_999_999),
  random: fc.constantFrom(0, 0.25, 0.5, 0.999),
  isRecorded: fc.integer({ min: 0, max: 15 }).map((n) => n > 0),
});
const which = fc.oneof(fc.constant("all" as const), fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 4 }));
const back = fc.constantFrom(0, 0, 1, 1, 2);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 8, arbitrary: accepting },
  { weight: 12, arbitrary: ending },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("pass"),
      ms: fc.oneof(
        { weight: 8, arbitrary: fc.integer({ min: 1, max: 90_000 }) },
        { weight: 16, arbitrary: fc.integer({ min: 1, max: 1_500 }) },
        fc.constant(DAY_MS),
      ),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "passUntilTaken" }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("passUntilDue"), lane }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("setClockBack"), ms: fc.constant(HOUR_MS) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("crash"),
      taken: fc.record({ toDesk: fc.boolean(), toDolphins: fc.boolean() }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("replay"), which, twice: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("discard"), which }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("retry"),
      lanes: fc.constantFrom<LaneName[]>(["toDesk"], ["toDolphins"], ["toDesk", "toDolphins"]),
      even: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("pauseFor"), lane, ms: fc.constantFrom(500, 20_000, DAY_MS) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("turn"), lane, isPaused: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("push"), lane, back }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("hold"), lane, back }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("prune"), olderThanMs: fc.constantFrom(0, 60_000) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("configure"),
      policy: fc.record({
        maxAgeSeconds: fc.constantFrom(1, 10, 60, 86_400),
        whenExhausted: fc.constantFrom("advance", "hold"),
      }),
      notifyFailures: fc.boolean(),
    }),
  },
);

export const schedule = fc.array(operation, { maxLength: 40, size: "max" });
