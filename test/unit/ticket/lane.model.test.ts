import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { Outcome } from "../../../src/egress/outcome";
import type { EventKind } from "../../../src/model/event";
import { nextStep, waitingCount } from "../../../src/ticket/lane";
import type { DeliveryPolicy } from "../../../src/ticket/retry";
import { LANES, type LaneName } from "../../../src/model/timeline";
import { Reference, type FarEnd } from "./lane.reference";
import { sqlRows } from "./lane.sql";
import { REPORT_BYTES, World } from "./lane.world";
import { RUN } from "../property";

/** Any interleaving of what can happen to a ticket: the machine of src beside the naive reference, compared at each step. */

type Operation =
  | { do: "accept"; lane: LaneName; kind: EventKind; bytes: number }
  /** Starts the attempt that is due, or ends the one in flight. */
  | { do: "attempt"; lane: LaneName; far: FarEnd; retryAfterMs: number; random: number }
  | { do: "pass"; ms: number }
  | { do: "passUntilDue"; lane: LaneName }
  /** `taken`: the far end had the attempt in flight already. */
  | { do: "crash"; taken: Record<LaneName, boolean> }
  | { do: "replay"; which: "all" | number[]; twice: boolean }
  | { do: "tidy"; olderThanMs: number }
  | { do: "configure"; policy: DeliveryPolicy; notifyFailures: boolean };

const lane = fc.constantFrom<LaneName>("toDesk", "toDolphins", "toDolphins");
const accepting = fc
  .record({
    lane,
    isClose: fc.integer({ min: 0, max: 7 }).map((n) => n === 0),
    bytes: fc.integer({ min: 1, max: 999 }),
  })
  .map(({ lane: to, isClose, bytes }): Operation => {
    const said: EventKind = to === "toDesk" ? "incoming" : "outgoing";
    return { do: "accept", lane: to, kind: isClose ? "command" : said, bytes };
  });
const attempting: fc.Arbitrary<Operation> = fc.record({
  do: fc.constant("attempt"),
  lane,
  far: fc.constantFrom<FarEnd>("delivered", "delivered", "rejected", "blocked", "unreachable", "unreachable", "lost"),
  retryAfterMs: fc.constantFrom(0, 0, 0, 5_000, 9_999_999),
  random: fc.constantFrom(0, 0.25, 0.5, 0.999),
});
const which = fc.oneof(fc.constant("all" as const), fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 4 }));
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 7, arbitrary: accepting },
  { weight: 16, arbitrary: attempting },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("pass"), ms: fc.integer({ min: 1, max: 90_000 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("passUntilDue"), lane }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("crash"),
      taken: fc.record({ toDesk: fc.boolean(), toDolphins: fc.boolean() }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("replay"), which, twice: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("tidy"), olderThanMs: fc.constantFrom(0, 60_000) }),
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

/** Corners that the schedules have to reach: a model that never gets there proves nothing. */
const reached = {
  replayedInFlight: 0,
  replayedAhead: 0,
  replayedTwice: 0,
  exhausted: 0,
  heldPastAge: 0,
  crashedUnheard: 0,
  crashedHeard: 0,
  repeated: 0,
  closed: 0,
  reopened: 0,
  replyRefused: 0,
  notified: 0,
};

function outcomeOf(far: FarEnd, retryAfterMs: number): Outcome {
  switch (far) {
    case "delivered":
      return { kind: "delivered", status: 200 };
    case "rejected":
      return { kind: "rejected", status: 400, error: "HTTP 400" };
    case "blocked":
      return { kind: "blocked", error: "the target's URL names an internal host" };
    case "unreachable":
      return { kind: "retry", status: 503, error: "HTTP 503", retryAfterMs };
    case "lost":
      return { kind: "retry", error: "no complete answer within 10000 ms" };
  }
}

function apply(world: World, reference: Reference, now: Operation): void {
  switch (now.do) {
    case "accept": {
      const wasClosed = reference.ticketState === "closed";
      const sequence = world.accept(now.lane, now.kind, now.bytes);
      expect(sequence).toBe(reference.accept(now.lane, now.kind, now.bytes, world.nowMs));
      if (sequence === undefined) reached.replyRefused++;
      if (wasClosed && now.kind === "incoming") reached.reopened++;
      return;
    }
    case "attempt":
      return reference.inFlight[now.lane] ? end(world, reference, now) : start(world, reference, now.lane);
    case "pass":
      world.nowMs += now.ms;
      return;
    case "passUntilDue":
      return passUntilDue(world, now.lane);
    case "crash":
      for (const name of LANES) {
        const message = reference.inFlight[name];
        if (!message) continue;
        if (now.taken[name]) expect(reference.take(message, false)).toBeUndefined();
        reached[now.taken[name] ? "crashedHeard" : "crashedUnheard"]++;
      }
      reference.inFlight = {};
      return world.crash();
    case "replay": {
      const { which: wanted } = now;
      const isWanted = (_: LaneName, sequence: number) => wanted === "all" || wanted.includes(sequence);
      for (let times = now.twice ? 2 : 1; times > 0; times--) replay(world, reference, isWanted);
      return;
    }
    case "tidy":
      return world.tidy(now.olderThanMs);
    case "configure":
      world.policy = now.policy;
      world.notifyFailures = now.notifyFailures;
      return;
  }
}

function start(world: World, reference: Reference, name: LaneName): void {
  const head = reference.head(name);
  const sequence = world.start(name);
  if (sequence === undefined) {
    // Nothing is due: then there is nothing, or its time has not come.
    if (head) expect(head.dueMs).toBeGreaterThan(world.nowMs);
    return;
  }
  expect(sequence).toBe(head?.sequence);
  if (head) expect(head.dueMs).toBeLessThanOrEqual(world.nowMs);
  if (head) reference.inFlight[name] = head;
}

function end(world: World, reference: Reference, { lane: name, far, retryAfterMs, random }: Ending): void {
  const message = reference.inFlight[name];
  if (!message) return;
  if (far === "delivered" || far === "lost") {
    if (message.taken > 0) reached.repeated++;
    expect(reference.take(message, far === "delivered")).toBeUndefined();
  }
  const { verdict, attemptCount } = world.end(name, outcomeOf(far, retryAfterMs), random);
  expect(reference.settle(message, far, world.policy, world.nowMs, verdict)).toBeUndefined();
  expect(attemptCount).toBe(message.tries);
  delete reference.inFlight[name];
  if (verdict.state === "dead" && name === "toDolphins" && world.notifyFailures) {
    reference.accept("toDesk", "failure", REPORT_BYTES, world.nowMs);
    reached.notified++;
  }
  if (verdict.state === "dead" && verdict.reason === "exhausted") reached.exhausted++;
  if (world.policy.whenExhausted === "hold") {
    expect(verdict).not.toHaveProperty("reason", "exhausted");
    if (world.nowMs > message.sinceMs + world.policy.maxAgeSeconds * 1000) reached.heldPastAge++;
  }
  if (reference.ticketState === "closed") reached.closed++;
}
type Ending = Pick<Extract<Operation, { do: "attempt" }>, "lane" | "far" | "retryAfterMs" | "random">;

function passUntilDue(world: World, name: LaneName): void {
  const step = nextStep(world.lane(name), world.nowMs);
  if (step.do === "wait") world.nowMs = step.untilMs;
}

function replay(world: World, reference: Reference, isWanted: (lane: LaneName, sequence: number) => boolean): void {
  const replayed = world.replay(isWanted);
  expect(replayed).toEqual(reference.replay(isWanted, world.nowMs));
  for (const name of LANES) {
    const [first] = replayed[name];
    if (first === undefined) continue;
    if (reference.inFlight[name]) {
      reached.replayedInFlight++;
      if (first < reference.inFlight[name].sequence) reached.replayedAhead++;
    } else {
      const head = reference.head(name)?.sequence;
      expect(nextStep(world.lane(name), world.nowMs)).toEqual({ do: "deliver", sequence: head });
    }
    if (reference.messages[name].some((message) => message.replays > 1)) reached.replayedTwice++;
  }
}

/** `toEqual`, which is too slow to be asked a million times. */
function expectSame(actual: object, expected: object): void {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) expect(actual).toEqual(expected);
}

/** What holds at every moment. */
function check(world: World, reference: Reference): void {
  expect(world.state).toBe(reference.ticketState);
  for (const name of LANES) {
    const machine = world.lane(name);
    const waiting = reference.withState(name, "waiting");
    const [head] = waiting;
    const accepted = reference.messages[name].length;
    const dead = reference.withState(name, "dead").length;
    const delivered = reference.withState(name, "delivered").length;
    const counts = {
      accepted: machine.accepted,
      waiting: waitingCount(machine),
      dead: machine.dead,
      delivered: machine.accepted - waitingCount(machine) - machine.dead,
      waitingBytes: machine.waitingBytes,
      inFlight: machine.inFlight,
    };
    expectSame(counts, {
      accepted,
      waiting: waiting.length,
      dead,
      delivered,
      waitingBytes: waiting.reduce((sum, message) => sum + message.bytes, 0),
      inFlight: reference.inFlight[name]?.sequence,
    });

    // Whenever there is work, something will wake the lane: the attempt's end, the moment, or a time.
    const step = nextStep(machine, world.nowMs);
    if (reference.inFlight[name] || !head) expectSame(step, { do: "rest" });
    else {
      const due = { do: "wait", untilMs: head.dueMs };
      expectSame(step, head.dueMs > world.nowMs ? due : { do: "deliver", sequence: head.sequence });
    }

    // A crash now would change nothing but what was in flight.
    const rebuilt = world.rebuilt(name);
    expectSame(rebuilt, { ...machine, inFlight: undefined });
  }
}

/** With a far end that takes everything, all that waits is delivered and nothing is stuck. */
function drain(world: World, reference: Reference): void {
  for (const name of LANES) {
    for (let turns = 4 * reference.messages[name].length + 4; turns > 0; turns--) {
      passUntilDue(world, name);
      if (!reference.inFlight[name]) start(world, reference, name);
      end(world, reference, { lane: name, far: "delivered", retryAfterMs: 0, random: 0 });
      check(world, reference);
    }
    expect(reference.withState(name, "waiting")).toEqual([]);
  }
}

function play(operations: Operation[], world: World): void {
  const reference = new Reference();
  for (const now of operations) {
    apply(world, reference, now);
    check(world, reference);
  }
  drain(world, reference);
}

const schedule = fc.array(operation, { maxLength: 40, size: "max" });

it("a lane keeps its promises through every interleaving", { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(schedule, (operations) => play(operations, new World())),
    { ...RUN, numRuns: 10_000 },
  );
  expect(Object.entries(reached).filter(([, times]) => times <= 10)).toEqual([]);
});

it("and so it does over the tables of the store", { timeout: 120_000 }, () => {
  let played = 0;
  fc.assert(
    fc.property(schedule, (operations) => {
      play(operations, new World(sqlRows()));
      played++;
    }),
    { ...RUN, numRuns: 300 },
  );
  expect(played).toBe(300);
});
