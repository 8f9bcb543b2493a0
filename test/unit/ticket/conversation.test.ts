import { describe, expect, test } from "vitest";
import { afterAccepting, afterReplaying, afterSettling, failureReport, opened } from "../../../src/ticket/conversation";
import { failureReport as reportSchema } from "../../../src/model/answers";
import type { TicketRow } from "../../../src/ticket/schema";

const facts = { deskId: "desk", channel: "whatsapp", contactId: "c1", customerName: "Farhan" };
const close = { lane: "toDolphins", sequence: 3 } as const;
const open = opened("owner", "T-1", facts);
const closing: TicketRow = { ...open, ...afterAccepting(open, "command", close, facts) };
const closed: TicketRow = { ...closing, ...afterSettling(closing, close, "delivered") };

describe("a ticket", () => {
  test("a ticket opens with the details of its first event, and is not mapped yet", () => {
    expect(open).toMatchObject({ owner: "owner", ticketNumber: "T-1", ...facts, state: "open", mapped: 0 });
    expect(JSON.parse(open.conversations)).toEqual({});
  });

  test("a ticket is closing when a Close is accepted, and closed when that is delivered", () => {
    expect(closing.state).toBe("closing");
    expect(closed.state).toBe("closed");
  });

  test("a ticket is left as it is by a reply, and by the report of one that failed", () => {
    for (const ticket of [open, closing, closed]) {
      expect(afterAccepting(ticket, "outgoing", { lane: "toDolphins", sequence: 2 }, facts)).toEqual({});
      expect(afterAccepting(ticket, "failure", { lane: "toDesk", sequence: 2 }, facts)).toEqual({});
    }
  });

  test("a ticket stays closing while its Close fails and is tried again", () => {
    expect(afterSettling(closing, close, "waiting")).toEqual({});
  });

  test("a ticket is open again when its Close is among the dead letters", () => {
    expect({ ...closing, ...afterSettling(closing, close, "dead") }).toEqual(open);
  });

  test.each([
    { lane: "toDolphins", sequence: 2 },
    { lane: "toDesk", sequence: 3 },
  ] as const)("a ticket is not closed by another message than its Close: $lane $sequence", (other) => {
    for (const state of ["delivered", "dead", "waiting"] as const) {
      expect(afterSettling(closing, other, state)).toEqual({});
    }
  });

  test.each([
    { before: "closing", ticket: closing },
    { before: "closed", ticket: closed },
  ])("a ticket that is $before is opened again at once by an Incoming Event", ({ ticket }) => {
    const incoming = { lane: "toDesk", sequence: 9 } as const;
    expect({ ...ticket, ...afterAccepting(ticket, "incoming", incoming, facts) }).toEqual(open);
  });

  test("a ticket that was opened again stays open when the old Close goes out in its place", () => {
    const again: TicketRow = {
      ...closing,
      ...afterAccepting(closing, "incoming", { lane: "toDesk", sequence: 9 }, facts),
    };
    expect(afterSettling(again, close, "delivered")).toEqual({});
    expect(afterSettling(again, close, "dead")).toEqual({});
  });

  test("a ticket is closed by the newer of two Closes alone", () => {
    const newer = { lane: "toDolphins", sequence: 7 } as const;
    const again: TicketRow = { ...open, ...afterAccepting(open, "command", newer, facts) };
    expect(afterSettling(again, close, "delivered")).toEqual({});
    expect(afterSettling(again, newer, "delivered")).toMatchObject({ state: "closed" });
  });

  test("a ticket takes the newest details from an Incoming Event", () => {
    const newest = { ...facts, channel: "webchat", contactId: "c2", customerName: "Farhan Akbar" };
    const mapped: TicketRow = { ...open, mapped: 1 };
    const incoming = { lane: "toDesk", sequence: 2 } as const;
    expect({ ...mapped, ...afterAccepting(mapped, "incoming", incoming, newest) }).toEqual({
      ...mapped,
      ...newest,
      // What was written before is still of that contact.
      conversations: '{"formerContacts":["c1"]}',
    });
  });

  test("an Incoming Event under another desk leaves the ticket at its own: its tenant's index moves it", () => {
    const mapped: TicketRow = { ...open, mapped: 1 };
    const incoming = { lane: "toDesk", sequence: 2 } as const;
    const moved = afterAccepting(mapped, "incoming", incoming, { ...facts, deskId: "other" });
    expect(moved).not.toHaveProperty("deskId");
    expect(moved).not.toHaveProperty("mapped");
  });
});

describe("a replay", () => {
  test("a Close that is replayed closes the ticket again when it is delivered", () => {
    const again: TicketRow = { ...open, ...afterReplaying(open, "command", close) };
    expect(again.state).toBe("closing");
    expect(afterSettling(again, close, "delivered")).toMatchObject({ state: "closed" });
  });

  test("a Close that is replayed yields to one that came meanwhile", () => {
    const older = { lane: "toDolphins", sequence: 1 } as const;
    expect(afterReplaying(closing, "command", older)).toEqual({});
    expect(afterReplaying(closed, "command", older)).toEqual({});
  });

  test.each(["incoming", "outgoing", "failure"] as const)(
    "an %s message that is replayed changes nothing about the ticket",
    (kind) => {
      for (const ticket of [open, closing, closed]) expect(afterReplaying(ticket, kind, close)).toEqual({});
    },
  );
});

describe("the report of a reply that was not delivered", () => {
  const event = String.raw`{"message":"$& \u201cHalo\" }","big":12345678901234567890,"last":{}}`;
  const dead = { ...close, id: "msg_1", kind: "outgoing" } as const;

  test("a failure report names the message, the reason and the far end's status, and holds the event with its long numbers", () => {
    const text = JSON.stringify(failureReport(open, dead, event, "rejected", 400));
    expect(text).toContain('"big":12345678901234567890,');
    expect(JSON.parse(text)).toEqual({
      type: "delivery.failed",
      ticketNumber: "T-1",
      owner: "owner",
      messageId: "msg_1",
      sequence: 3,
      reason: "rejected",
      status: 400,
      event: JSON.parse(event) as unknown,
    });
  });

  test("a failure report has no status when there was no answer", () => {
    expect(failureReport(open, dead, event, "exhausted", undefined)).toHaveProperty("status", null);
  });

  test("a failure report of an event that cannot be read any more has all that is known of it", () => {
    const { ticketNumber, owner, channel, customerName } = open;
    const known = { ticketNumber, owner, channel, customerName };
    const reported = (kind: "outgoing" | "command") =>
      failureReport(open, { ...dead, kind }, undefined, "rejected", undefined).event;
    expect(reportSchema.shape.event.parse(reported("outgoing"))).toEqual({
      ...known,
      messageType: "text",
      message: "",
      mediaLink: "",
    });
    expect(reportSchema.shape.event.parse(reported("command"))).toMatchObject({ ticketNumber, owner, event: "Close" });
  });
});
