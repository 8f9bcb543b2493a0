import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { opened } from "../../../src/ticket/conversation";
import { accept, begin, countsOf, EMPTY_LANE, settle, waitingCount, type Lane } from "../../../src/ticket/lane";
import {
  differs,
  headsOf,
  isUrgent,
  isWorthReporting,
  minutesOf,
  snapshotOf,
  type Counted,
  type LastReport,
} from "../../../src/ticket/report-policy";
import type { TicketRow } from "../../../src/ticket/schema";

const MINUTE_MS = 60_000;
const HOUR_MS = 3600_000;
const ticket = opened("owner", "t", { deskId: "d", channel: "w", contactId: "c", customerName: "n" });

/** A lane of so many accepted, the first of them delivered, then so many dead. */
function laneOf(accepted: number, delivered: number, dead = 0): Lane {
  let lane = EMPTY_LANE;
  for (let n = 0; n < accepted; n++) lane = accept(lane, 1);
  for (let n = 1; n <= delivered + dead; n++) {
    lane = settle(begin(lane, n), n, { state: n <= delivered ? "delivered" : "dead" }, 1);
  }
  return lane;
}
const both =
  (toDesk: Lane, toDolphins = EMPTY_LANE) =>
  (name: "toDesk" | "toDolphins") =>
    name === "toDesk" ? toDesk : toDolphins;
const at = (row: TicketRow, lanes: ReturnType<typeof both>, nowMs: number, acceptedAtMs = 0) =>
  snapshotOf(row, lanes, { nowMs, openedAtMs: 0 }, () => acceptedAtMs);
const reportedAt = (lanes: ReturnType<typeof both>, nowMs: number, acceptedAtMs = 0): LastReport => ({
  ...at(ticket, lanes, nowMs, acceptedAtMs),
  heads: headsOf(lanes),
});

describe("what is reported at once", () => {
  const last = reportedAt(both(laneOf(3, 2, 1)), 0);

  test("a new state, another person, and a dead letter more or fewer are urgent, and nothing that the index does not keep", () => {
    const lanes = both(laneOf(3, 2, 1));
    expect(isUrgent(last, ticket, lanes)).toBe(false);
    expect(isUrgent(last, { ...ticket, mapped: 1, conversations: "{1}" }, lanes)).toBe(false);
    for (const change of [{ state: "closing" as const }, { channel: "x" }, { contactId: "x" }, { customerName: "x" }]) {
      expect(isUrgent(last, { ...ticket, ...change }, lanes), JSON.stringify(change)).toBe(true);
    }
    expect(isUrgent(last, ticket, both(laneOf(4, 2, 2)))).toBe(true);
    expect(isUrgent(last, ticket, both(laneOf(3, 3)))).toBe(true);
  });

  test("that a ticket was opened is not urgent, and anything more than that is", () => {
    expect(isUrgent(undefined, ticket, both(laneOf(5, 5)))).toBe(false);
    expect(isUrgent(undefined, ticket, both(laneOf(1, 0, 1)))).toBe(true);
    expect(isUrgent(undefined, { ...ticket, state: "closed" }, both(laneOf(1, 1)))).toBe(true);
    expect(isWorthReporting(undefined, at(ticket, both(laneOf(1, 1)), 1))).toBe(true);
  });

  test("32 messages of both directions together are urgent, each counted once though accepted and delivered", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 20 }), (desk, dolphins) => {
        const lanes = both(laneOf(3 + desk, 2 + desk, 1), laneOf(dolphins, dolphins));
        expect(isUrgent(last, ticket, lanes)).toBe(desk + dolphins >= 32);
      }),
    );
  });

  test("the first delivery of a backlog whose head had failed is urgent, and those after it are not", () => {
    const failed = settle(begin(laneOf(9, 2), 3), 3, { state: "waiting", nextAttemptAtMs: 20_000 }, 1);
    const before = reportedAt(both(failed), 10_000);
    const recovered = settle(begin(failed, 3), 3, { state: "delivered" }, 1);
    expect(isUrgent(before, ticket, both(failed))).toBe(false);
    expect(isUrgent(before, ticket, both(recovered))).toBe(true);
    const since = reportedAt(both(recovered), 12_000);
    expect(isUrgent(since, ticket, both(settle(begin(recovered, 4), 4, { state: "delivered" }, 1)))).toBe(false);
  });

  test("that nothing waits any more is urgent when something was reported to wait", () => {
    const blocked = reportedAt(both(laneOf(2, 1)), 10_000);
    expect(blocked.waitingSinceMs).toBe(0);
    expect(isUrgent(blocked, ticket, both(laneOf(2, 1)))).toBe(false);
    expect(isUrgent(blocked, ticket, both(laneOf(2, 2)))).toBe(true);
  });
});

describe("what is reported when the ticket is awake anyway", () => {
  const lanes = both(laneOf(2, 1));

  test("it is worth a report that a head has waited past 5 seconds, or that the oldest is younger by more than a minute", () => {
    const last = reportedAt(lanes, 4_999);
    expect(last).not.toHaveProperty("waitingSinceMs");
    expect(isWorthReporting(last, at(ticket, lanes, 4_999))).toBe(false);
    expect(isWorthReporting(last, at(ticket, lanes, 5_000))).toBe(true);
    const blocked = reportedAt(lanes, 5_000);
    const next = both(laneOf(3, 2));
    expect(isWorthReporting(blocked, at(ticket, next, 90_000, MINUTE_MS))).toBe(false);
    expect(isWorthReporting(blocked, at(ticket, next, 90_000, MINUTE_MS + 1))).toBe(true);
    expect(isWorthReporting(blocked, at(ticket, next, 90_000, 88_000))).toBe(true);
  });

  test("20 messages are worth a report after 10 minutes, one is after an hour, and none never is", () => {
    const last = reportedAt(both(laneOf(1, 1)), 0);
    const after = (messages: number, ms: number) =>
      isWorthReporting(last, at(ticket, both(laneOf(1 + messages, 1 + messages)), ms));
    expect([after(19, 10 * MINUTE_MS), after(20, 10 * MINUTE_MS - 1), after(20, 10 * MINUTE_MS)]).toEqual([
      false,
      false,
      true,
    ]);
    expect([after(1, HOUR_MS - 1), after(1, HOUR_MS), after(0, 9 * HOUR_MS)]).toEqual([false, true, false]);
  });

  test("it is worth a report that nothing waits, when the last one was made while something was on its way", () => {
    const last = reportedAt(both(laneOf(2, 1)), 1_000);
    expect(isWorthReporting(last, at(ticket, both(laneOf(2, 2)), 2_000))).toBe(true);
  });
});

test("a sweep reports any difference and nothing but a difference", () => {
  const lanes = both(laneOf(2, 1));
  const last = JSON.parse(JSON.stringify(reportedAt(lanes, 1_000))) as LastReport;
  expect(differs(last, at(ticket, lanes, 2_000))).toBe(false);
  expect(differs(last, at(ticket, lanes, 6_000))).toBe(true);
  expect(differs(last, at(ticket, both(laneOf(2, 2)), 2_000))).toBe(true);
  expect(differs(undefined, at(ticket, lanes, 1_000))).toBe(true);
});

test("accepted messages are delivered, dead or waiting, and nothing else", () => {
  fc.assert(
    fc.property(fc.nat(30), fc.nat(30), fc.nat(30), (waiting, delivered, dead) => {
      const lane = laneOf(waiting + delivered + dead, delivered, dead);
      expect(countsOf(lane)).toEqual({ accepted: waiting + delivered + dead, delivered, waiting, dead });
      expect(waitingCount(lane)).toBe(waiting);
    }),
  );
});

test("the minutes of a report hold what happened since the last one and nothing from before", () => {
  const message = fc.record({
    acceptedAtMs: fc.integer({ min: 0, max: HOUR_MS }),
    state: fc.constantFrom("waiting" as const, "delivered" as const, "dead" as const),
    lagMs: fc.integer({ min: 0, max: HOUR_MS }),
  });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 30 }), fc.nat(30), (some, known) => {
      const messages = some.map(({ acceptedAtMs, state, lagMs }, n): Counted => ({
        sequence: n + 1,
        acceptedAtMs,
        state,
        settledAtMs: acceptedAtMs + lagMs,
      }));
      const reportedAtMs = HOUR_MS;
      const lane = laneOf(known, 0);
      const last: LastReport = { ...reportedAt(both(lane), reportedAtMs), heads: { toDesk: 1, toDolphins: 1 } };
      const minutes = minutesOf("toDesk", messages, last);
      const sum = (name: "accepted" | "delivered" | "dead" | "lagSumMs") =>
        minutes.reduce((total, one) => total + one[name], 0);
      const isNew = ({ sequence, settledAtMs }: Counted) => sequence > known || settledAtMs >= reportedAtMs;
      const delivered = messages.filter((one) => one.state === "delivered" && isNew(one));
      expect(sum("accepted")).toBe(Math.max(0, messages.length - known));
      expect(sum("delivered")).toBe(delivered.length);
      expect(sum("dead")).toBe(messages.filter((one) => one.state === "dead" && isNew(one)).length);
      expect(sum("lagSumMs")).toBe(delivered.reduce((total, one) => total + one.settledAtMs - one.acceptedAtMs, 0));
      expect(new Set(minutes.map((one) => one.minute)).size).toBe(minutes.length);
    }),
  );
});
