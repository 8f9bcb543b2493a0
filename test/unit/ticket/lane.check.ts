import { expect } from "vitest";
import type { LaneName } from "../../../src/model/answers";
import { LANES } from "../../../src/model/timeline";
import { countsOf, nextStep, type Expired } from "../../../src/ticket/lane";
import type { Reference } from "./lane.reference";
import { FAR_END, type World } from "./lane.world";

/** How far ahead the alarm may stand of what is under way. */
const GUARD_MS = 8_000;

/** `toEqual`, which is too slow to be asked a million times. */
export function expectSame(actual: unknown, expected: unknown): void {
  if (actual !== expected && JSON.stringify(actual) !== JSON.stringify(expected)) expect(actual).toEqual(expected);
}

/** What holds at every moment. */
export function check(world: World, reference: Reference): void {
  const { cache } = world.deps;
  expectSame(world.store.readTicket(), cache.ticket);
  expectSame(cache.ticket?.state, reference.ticketState);
  const { closeLane, closeSequence } = cache.ticket ?? {};
  const close = closeLane && closeSequence ? world.store.readMessage(closeLane, closeSequence) : undefined;
  if (!reference.close?.isGone) expectSame(close?.id, reference.close?.id);
  expectSame(cache.ticket?.customerName, reference.customerName);
  for (const name of LANES) {
    const machine = world.lane(name);
    const lying = reference.lying[name];
    const waiting = [...reference.withState(name, "waiting"), ...lying];
    const inFlight = reference.inFlight[name]?.sequence;
    expectSame(cache.conversation(name, FAR_END), reference.conversations[name]);
    const counts = {
      ...countsOf(machine),
      discarded: machine.discarded,
      pausedSinceMs: machine.paused?.sinceMs,
      waitingBytes: machine.waitingBytes,
      inFlight: machine.inFlight,
      sent: world.flights[name]?.sequence,
    };
    expectSame(counts, {
      accepted: reference.messages[name].length + lying.length,
      delivered: reference.withState(name, "delivered").length,
      waiting: waiting.length,
      dead: reference.withState(name, "dead").length,
      discarded: reference.withState(name, "discarded").length,
      pausedSinceMs: reference.pauses[name].sinceMs,
      waitingBytes: waiting.reduce((sum, message) => sum + message.bytes, 0),
      inFlight,
      sent: inFlight,
    });
    checkProgress(world, reference, name);
    checkPlaces(world, reference, name);
    // A crash now would change nothing but what is under way.
    if (waiting.some(({ isUnrecorded }) => isUnrecorded)) continue;
    const ofTicket = { discarded: 0, paused: undefined, inFlight: undefined };
    expectSame(world.store.readLane(name, expiredIn(world, name)), { ...machine, ...ofTicket });
  }
}

/** What waits has the sequence that it is known by, and what lies stands behind all of them. */
function checkPlaces(world: World, reference: Reference, name: LaneName): void {
  const idAt = (sequence: number) => world.store.readMessage(name, sequence)?.id;
  const waiting = reference.withState(name, "waiting");
  expectSame(
    waiting.map(({ sequence }) => idAt(sequence)),
    waiting.map(({ id }) => id),
  );
  const lying = new Set(reference.lying[name].map(({ id }) => id));
  const first = reference.messages[name].length + 1;
  const behind = new Set([...lying].map((_, at) => idAt(first + at)));
  expectSame(behind.symmetricDifference(lying).size, 0);
}

/** Whenever there is work, it is under way, or the alarm will ring for it in time. */
function checkProgress(world: World, reference: Reference, name: LaneName): void {
  const { nowMs, alarmAtMs } = world;
  const head = reference.head(name);
  const dueMs = head ? reference.dueMs(head, nowMs) : 0;
  const step = nextStep(world.lane(name), nowMs);
  const rests = !head || (reference.isPaused(name) && !reference.inFlight[name]);
  if (rests || reference.inFlight[name]) expectSame(step, { do: "rest" });
  else if (dueMs > nowMs) expectSame(step, { do: "wait", untilMs: dueMs });
  else
    expectSame(
      { step, isAsleep: reference.isAsleep },
      { step: { do: "deliver", sequence: head.sequence }, isAsleep: true },
    );
  const takingMs = reference.nextTakingMs(name);
  if (alarmAtMs === null ? takingMs < Number.POSITIVE_INFINITY : alarmAtMs > takingMs) {
    expect({ name, alarmAtMs }).toEqual({ name, alarmAtMs: takingMs });
  }
  if (!reference.isAsleep) expectSame(takingMs > nowMs, true);
  if (rests) return;
  const isUnderWay = reference.inFlight[name] !== undefined || dueMs <= nowMs;
  const latestMs = isUnderWay ? nowMs + GUARD_MS : dueMs;
  if (alarmAtMs === null || alarmAtMs > latestMs) expect({ name, alarmAtMs }).toEqual({ name, alarmAtMs: latestMs });
}

/** What the ticket's row says of a lane whose newest messages have been deleted. */
function expiredIn({ store }: World, name: LaneName): Expired | undefined {
  const kept = JSON.parse(store.readTicket()?.conversations ?? "{}") as { expired?: Record<LaneName, Expired> };
  return kept.expired?.[name];
}
