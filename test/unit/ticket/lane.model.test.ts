import * as fc from "fast-check";
import { beforeEach, expect, test, vi } from "vitest";
import type { Outcome } from "../../../src/egress/outcome";
import { LANES, type Which } from "../../../src/model/timeline";
import type { LaneName } from "../../../src/model/answers";
import { RUN } from "../property";
import { check, expectSame } from "./lane.check";
import { Reference, type FarEnd, type Said } from "./lane.reference";
import { schedule, type Operation } from "./lane.schedule";
import { sqlRows } from "./lane.sql";
import { OWNER, TICKET, unsealed, World } from "./lane.world";

/** Any interleaving of what can happen to a ticket: the ticket's own code beside the naive reference, compared at each step. */

type Ending = Extract<Operation, { do: "end" }>;

/** Corners that the schedules have to reach: a model that never gets there proves nothing. */
const reached = {
  replayedInFlight: 0,
  replayedAhead: 0,
  replayedTwice: 0,
  replayedLate: 0,
  exhausted: 0,
  heldPastAge: 0,
  crashedUntaken: 0,
  crashedTaken: 0,
  unrecorded: 0,
  repeated: 0,
  closed: 0,
  reopened: 0,
  replyRefused: 0,
  notified: 0,
  keyRepeated: 0,
  keyMismatched: 0,
  closeRepeated: 0,
  echoed: 0,
  suspected: 0,
  lay: 0,
  layBehindAnother: 0,
  takenAheadOfEarlier: 0,
  tookCloseLast: 0,
  repliedWhileCloseLay: 0,
  reopenedWhileCloseLay: 0,
  lyingRepeated: 0,
  crashedLying: 0,
  waitedByAnotherClock: 0,
  discarded: 0,
  retried: 0,
  leftInPeace: 0,
  paused: 0,
  pausedInFlight: 0,
  held: 0,
  heldTooLate: 0,
  resumed: 0,
  pushedTooLate: 0,
  outlivedByPause: 0,
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
      return { kind: "retry", error: "no complete answer within 10000 ms", noAnswer: "timeout" };
  }
}

async function apply(world: World, reference: Reference, now: Operation): Promise<void> {
  switch (now.do) {
    case "accept":
      return accept(world, reference, now.said);
    case "end":
      return end(world, reference, now);
    case "pass":
      return pass(world, reference, world.nowMs + now.ms);
    case "passUntilDue":
      return passUntilDue(world, reference, now.lane);
    case "passUntilTaken":
      return passUntilTaken(world, reference);
    case "setClockBack":
      return setClockBack(world, reference, now.ms);
    case "crash":
      if (LANES.some((name) => reference.lying[name].length > 0)) reached.crashedLying++;
      for (const name of LANES) {
        const message = reference.inFlight[name];
        if (!message) continue;
        if (now.taken[name]) expect(reference.take(message, false)).toBeUndefined();
        reached[now.taken[name] ? "crashedTaken" : "crashedUntaken"]++;
      }
      reference.crash();
      return world.crash();
    case "replay":
      for (let times = now.twice ? 2 : 1; times > 0; times--) replay(world, reference, now.which);
      return;
    case "discard": {
      const { isWanted, which } = wantedBy(reference, now.which);
      const expected = reference.discard(isWanted);
      expect(world.discard(which)).toEqual({ ok: true, value: expected });
      reached.discarded += expected.length;
      return;
    }
    case "retry": {
      const mayBe = now.lanes.filter(
        (name) => reference.head(name) && !reference.inFlight[name] && !reference.isPaused(name),
      );
      const expected = reference.retry(now.lanes, now.even, world.nowMs);
      expectSame(world.retry(now.lanes, now.even), expected);
      reached.retried += expected;
      reached.leftInPeace += mayBe.length - expected;
      return expected > 0 ? woke(world, reference) : undefined;
    }
    case "turn":
      return world.turn(now.lane, now.isPaused);
    case "push":
      return push(world, reference, now.lane, now.back);
    case "pauseFor":
      world.turn(now.lane, true);
      push(world, reference, now.lane, 0);
      pass(world, reference, world.nowMs + now.ms);
      world.turn(now.lane, false);
      push(world, reference, now.lane, 0);
      return push(world, reference, now.lane, 1);
    case "hold":
      return hold(world, reference, now.lane, now.back);
    case "prune":
      world.prune(now.olderThanMs);
      for (const name of LANES) {
        const states = ["delivered", "dead", "discarded"] as const;
        for (const message of states.flatMap((state) => reference.withState(name, state))) {
          const isOld = message.acceptedAtMs < world.nowMs - now.olderThanMs;
          if (isOld) message.isGone = world.store.readMessage(name, message.sequence) === undefined;
        }
      }
      return;
    case "configure":
      world.policy = now.policy;
      world.notifyFailures = now.notifyFailures;
      return;
  }
}

function accept(world: World, reference: Reference, said: Extract<Operation, { do: "accept" }>["said"]): void {
  const wasClosed = reference.ticketState === "closed";
  const [closeBefore, { nowMs }] = [reference.close, world];
  const expected = reference.expected(said, nowMs);
  const event = JSON.stringify({ kind: said.kind, text: "x".repeat(said.body) });
  const customerName = `customer ${nowMs}`;
  const about = { customerName, idempotencyKey: said.key, fromWebhook: said.fromWebhook, order: said.order };
  const answer = world.accept({ lane: said.lane, kind: said.kind, event, ...about });
  if ("refused" in expected) {
    expect(answer).toEqual({ ok: false, error: { code: expected.refused } });
    reached[expected.refused === "ticket_closed" ? "replyRefused" : "keyMismatched"]++;
  } else if (!answer.ok) {
    expect(answer).toMatchObject({ ok: true });
  } else if ("repeats" in expected) {
    const { id, lane: its, sequence, key } = expected.repeats;
    expect(answer.value).toEqual({ id, lane: its, sequence: sequence || undefined, repeat: true, queued: false });
    if (sequence === 0) reached.lyingRepeated++;
    const isByKey = said.key !== undefined && key === said.key;
    reached[isByKey ? "keyRepeated" : expected.repeats === closeBefore ? "closeRepeated" : "echoed"]++;
  } else {
    const { id } = answer.value;
    const closeLay = reference.close && reference.isLying(reference.close);
    if (closeLay && said.kind === "outgoing") reached.repliedWhileCloseLay++;
    if (closeLay && said.kind === "incoming") reached.reopenedWhileCloseLay++;
    const { sequence, lyingUntilMs } = reference.add(said, { id, bytes: event.length }, nowMs);
    expect(answer.value).toMatchObject({ lane: said.lane, repeat: false });
    expectSame(answer.value.sequence, sequence || undefined);
    if (lyingUntilMs !== undefined) reached.lay++;
    if (said.order?.key && lyingUntilMs !== undefined && lyingUntilMs < nowMs + 2_000) reached.layBehindAnother++;
    const row = world.store.readMessage(said.lane, sequence || world.store.findNewest(said.lane, id) || 0);
    expectSame(row?.suspectedDuplicate, expected.isSuspected ? 1 : 0);
    if (said.kind === "incoming") reference.customerName = customerName;
    if (expected.isSuspected) reached.suspected++;
    if (wasClosed && said.kind === "incoming") reached.reopened++;
  }
  woke(world, reference);
  if (!answer.ok || answer.value.repeat) return;
  const { sequence } = answer.value;
  expect(answer.value.queued).toBe(sequence === undefined || reference.inFlight[said.lane]?.sequence !== sequence);
}

/** The ticket was touched. What is due is under way now, and it is what the reference says. */
function woke(world: World, reference: Reference): void {
  reference.isAsleep = false;
  const taken = reference.enter(world.nowMs);
  if (taken.some(({ acceptedAtMs }, at) => acceptedAtMs > (taken[at + 1]?.acceptedAtMs ?? acceptedAtMs))) {
    reached.takenAheadOfEarlier++;
  }
  if (taken.length > 1 && taken.at(-1)?.kind === "command") reached.tookCloseLast++;
  begun(world, reference);
}

function begun(world: World, reference: Reference): void {
  for (const name of LANES) {
    const flight = world.flights[name];
    if (!flight || reference.inFlight[name]) continue;
    expectSame(reference.begin(name, flight.sequence, world.nowMs), undefined);
    expectSame(flight.attempt, 1 + (reference.head(name)?.tries ?? 0));
  }
}

async function end(world: World, reference: Reference, now: Omit<Ending, "do">): Promise<void> {
  const { lane: name, far, isRecorded } = now;
  const message = reference.inFlight[name];
  if (!message) return;
  const { sequence } = message;
  if (far === "delivered" || far === "lost") {
    if (message.taken > 0) reached.repeated++;
    expectSame(reference.take(message, far === "delivered" && isRecorded), undefined);
  }
  const conversation = far === "delivered" ? world.nowMs : undefined;
  world.random = now.random;
  world.failsToRecord = !isRecorded;
  expectSame(await world.end(name, outcomeOf(far, now.retryAfterMs), conversation), true);
  delete reference.inFlight[name];
  // It is kept while the attempt is under way, whatever becomes of its outcome.
  if (conversation !== undefined) reference.conversations[name] = conversation;
  if (isRecorded) {
    settled(world, reference, name, sequence, far);
  } else {
    reference.giveUp(message, world.nowMs);
    reached.unrecorded++;
  }
  begun(world, reference);
}

function settled(world: World, reference: Reference, name: LaneName, sequence: number, far: FarEnd): void {
  const { policy, nowMs, store } = world;
  const message = reference.messages[name][sequence - 1];
  const history = store.readHistory(name, sequence);
  if (!message || !history) return expect(history).toBeDefined();
  const dueMs = world.lane(name).requeued.find((one) => one.sequence === sequence)?.notBeforeMs;
  expectSame(reference.settle(message, far, policy, nowMs, { state: history.state, dueMs }), undefined);
  expectSame(history.attemptCount, message.tries);
  if (message.state === "dead" && name === "toDolphins" && world.notifyFailures) {
    const report = store.readMessage("toDesk", reference.messages.toDesk.length + 1);
    const event = unsealed(report?.event);
    const about = { messageId: message.id, sequence, reason: history.reason, ticketNumber: TICKET, owner: OWNER };
    expect(JSON.parse(event)).toMatchObject({ type: "delivery.failed", ...about });
    const said: Said = { lane: "toDesk", kind: "failure", body: 0, key: undefined, fromWebhook: false };
    reference.add(said, { id: report?.id ?? "", bytes: event.length }, nowMs);
    reached.notified++;
  }
  if (history.reason === "exhausted") reached.exhausted++;
  if (policy.whenExhausted === "hold") {
    expect(history.reason).not.toBe("exhausted");
    if (nowMs > message.sinceMs + policy.maxAgeSeconds * 1000) reached.heldPastAge++;
  } else if (message.state === "waiting" && nowMs > message.sinceMs + policy.maxAgeSeconds * 1000) {
    reached.outlivedByPause++;
  }
  if (reference.ticketState === "closed") reached.closed++;
}

function pass(world: World, reference: Reference, untilMs: number): void {
  if (!world.pass(untilMs)) return;
  woke(world, reference);
  // A lane that is paused needs no alarm.
  const hasWork = LANES.some(
    (name) =>
      reference.inFlight[name] ||
      reference.lying[name].length > 0 ||
      (reference.head(name) && !reference.isPaused(name)),
  );
  if (!hasWork) expectSame(world.alarmAtMs, null);
}

function passUntilTaken(world: World, reference: Reference): void {
  const takingMs = Math.min(...LANES.map(reference.nextTakingMs));
  if (takingMs < Number.POSITIVE_INFINITY) pass(world, reference, Math.max(world.nowMs, takingMs));
}

/** Until the head's next attempt is due. When nothing has touched the ticket since a crash, it is the alarm that does. */
function passUntilDue(world: World, reference: Reference, name: LaneName): void {
  const head = reference.head(name);
  if (!head || reference.inFlight[name] || reference.isPaused(name)) return;
  const wokenMs = reference.isAsleep ? (world.alarmAtMs ?? 0) : 0;
  pass(world, reference, Math.max(world.nowMs, reference.dueMs(head, world.nowMs), wokenMs));
  expectSame(world.flights[name]?.sequence, head.sequence);
}

async function setClockBack(world: World, reference: Reference, ms: number): Promise<void> {
  world.nowMs -= ms;
  for (const name of LANES) {
    const head = reference.head(name);
    if (head && head.dueMs > 0 && reference.dueMs(head, world.nowMs) === 0) reached.waitedByAnotherClock++;
  }
  await world.rearm();
  woke(world, reference);
}

function push(world: World, reference: Reference, name: LaneName, back: number): void {
  const state = world.states[name].at(-1 - back);
  if (!state) return;
  const { nowMs } = world;
  const wasPaused = reference.isPaused(name);
  if (state.atMs < reference.pauses[name].atMs) reached.pushedTooLate++;
  world.applyPause(name, state);
  reference.applyPause(name, state, nowMs);
  if (!state.pause) reference.retry([name], true, nowMs);
  woke(world, reference);
  if (wasPaused && !reference.isPaused(name) && reference.head(name)) reached.resumed++;
  if (reference.isPaused(name)) reached[reference.inFlight[name] ? "pausedInFlight" : "paused"]++;
}

/** Nothing was sent, and it counts as no attempt. */
async function hold(world: World, reference: Reference, name: LaneName, back: number): Promise<void> {
  const state = world.states[name].at(-1 - back);
  if (!state?.pause || !reference.inFlight[name]) return;
  reached[state.atMs <= reference.pauses[name].atMs ? "heldTooLate" : "held"]++;
  await world.hold(name, state);
  delete reference.inFlight[name];
  reference.applyPause(name, state, world.nowMs);
  begun(world, reference);
}

function wantedBy(reference: Reference, wanted: "all" | number[]) {
  const isWanted = ({ sequence }: { sequence: number }) => wanted === "all" || wanted.includes(sequence);
  const ids = LANES.flatMap((name) => reference.messages[name].filter(isWanted).map(({ id }) => id));
  const which: Which = wanted === "all" ? { all: true } : { ids };
  return { isWanted, which };
}

function replay(world: World, reference: Reference, wanted: "all" | number[]): void {
  const { isWanted, which } = wantedBy(reference, wanted);
  const inFlight = { ...reference.inFlight };
  const answer = world.replay(which);
  const expected = reference.replay(isWanted, world.nowMs);
  expect(answer).toEqual({ ok: true, value: expected });
  reached.replayedLate += expected.late.length;
  woke(world, reference);
  for (const name of LANES) {
    const replayed = reference.messages[name].filter(({ id }) => expected.replayed.includes(id));
    const flying = inFlight[name]?.sequence;
    if (replayed.length > 0 && flying !== undefined) reached.replayedInFlight++;
    if (replayed.some(({ sequence }) => flying !== undefined && sequence < flying)) reached.replayedAhead++;
    if (replayed.some(({ replays }) => replays > 1)) reached.replayedTwice++;
  }
}

/** With a far end that takes everything, all that waits is delivered and nothing is stuck. */
async function deliverAll(world: World, reference: Reference): Promise<void> {
  for (const name of LANES) {
    world.turn(name, false);
    push(world, reference, name, 0);
  }
  while (LANES.some((name) => reference.lying[name].length > 0)) passUntilTaken(world, reference);
  for (const name of LANES) {
    for (let turns = 2 * reference.messages[name].length; turns > 0 && reference.head(name); turns--) {
      passUntilDue(world, reference, name);
      await end(world, reference, { lane: name, far: "delivered", retryAfterMs: 0, random: 0, isRecorded: true });
      check(world, reference);
    }
    expect(reference.withState(name, "waiting")).toEqual([]);
  }
}

async function play(operations: Operation[], world: World): Promise<void> {
  const reference = new Reference();
  const first = { lane: "toDesk", kind: "incoming", body: 1, key: undefined, fromWebhook: false } as const;
  const tooEarly = world.accept({ lane: "toDolphins", kind: "outgoing", event: "{}" });
  expect(tooEarly).toEqual({ ok: false, error: { code: "unknown_ticket" } });
  for (const now of [{ do: "accept", said: first } as const, ...operations]) {
    await apply(world, reference, now);
    check(world, reference);
  }
  await deliverAll(world, reference);
}

// A line is written for each attempt.
beforeEach(() => {
  vi.spyOn(console, "log").mockReturnValue();
});

test("a lane keeps its promises through every interleaving", { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(schedule, (operations) => play(operations, new World())),
    { ...RUN, numRuns: 4_000 },
  );

  expect(Object.entries(reached).filter(([, times]) => times <= 10)).toEqual([]);
});

test("a lane keeps its promises over the tables of the store", { timeout: 120_000 }, async () => {
  let played = 0;
  await fc.assert(
    fc.asyncProperty(schedule, async (operations) => {
      await play(operations, new World(sqlRows()));
      played++;
    }),
    { ...RUN, numRuns: 150 },
  );
  expect(played).toBe(150);
});
