import { describe, expect, it } from "vitest";
import { afterAccepting, afterReplaying, afterSettling, failureReport, opened } from "../../../src/ticket/conversation";
import type { TicketRow } from "../../../src/ticket/schema";

const facts = { deskId: "desk", channel: "whatsapp", contactId: "c1", customerName: "Farhan" };
const close = { lane: "toDolphins", sequence: 3 } as const;
const open = opened("owner", "T-1", facts);
const closing: TicketRow = { ...open, ...afterAccepting(open, "command", close, facts) };
const closed: TicketRow = { ...closing, ...afterSettling(closing, close, "delivered") };

describe("a ticket", () => {
  it("opens with the details of its first event, and nothing mapped yet", () => {
    expect(open).toMatchObject({ owner: "owner", ticketNumber: "T-1", ...facts, state: "open", mapped: 0 });
    expect(JSON.parse(open.conversations)).toEqual({});
  });

  it("is closing when a Close is accepted, and closed when that is delivered", () => {
    expect(closing.state).toBe("closing");
    expect(closed.state).toBe("closed");
  });

  it("is left as it is by a reply, and by word of one that failed", () => {
    for (const ticket of [open, closing, closed]) {
      expect(afterAccepting(ticket, "outgoing", { lane: "toDolphins", sequence: 2 }, facts)).toEqual({});
      expect(afterAccepting(ticket, "failure", { lane: "toDesk", sequence: 2 }, facts)).toEqual({});
    }
  });

  it("stays closing while the Close fails and is tried again", () => {
    expect(afterSettling(closing, close, "waiting")).toEqual({});
  });

  it("is open again when the Close is among the dead letters", () => {
    expect({ ...closing, ...afterSettling(closing, close, "dead") }).toEqual(open);
  });

  it.each([
    { lane: "toDolphins", sequence: 2 },
    { lane: "toDesk", sequence: 3 },
  ] as const)("is not closed by another message: $lane $sequence", (other) => {
    for (const state of ["delivered", "dead", "waiting"] as const) {
      expect(afterSettling(closing, other, state)).toEqual({});
    }
  });

  it.each([
    { before: "closing", ticket: closing },
    { before: "closed", ticket: closed },
  ])("that is $before is opened again at once by an Incoming Event", ({ ticket }) => {
    const incoming = { lane: "toDesk", sequence: 9 } as const;
    expect({ ...ticket, ...afterAccepting(ticket, "incoming", incoming, facts) }).toEqual(open);
  });

  it("that was opened again stays open when the old Close goes out in its place", () => {
    const again: TicketRow = {
      ...closing,
      ...afterAccepting(closing, "incoming", { lane: "toDesk", sequence: 9 }, facts),
    };
    expect(afterSettling(again, close, "delivered")).toEqual({});
    expect(afterSettling(again, close, "dead")).toEqual({});
  });

  it("is closed by the newer of two Closes alone", () => {
    const newer = { lane: "toDolphins", sequence: 7 } as const;
    const again: TicketRow = { ...open, ...afterAccepting(open, "command", newer, facts) };
    expect(afterSettling(again, close, "delivered")).toEqual({});
    expect(afterSettling(again, newer, "delivered")).toMatchObject({ state: "closed" });
  });

  it("takes the newest details of an Incoming Event", () => {
    const newest = { ...facts, channel: "webchat", contactId: "c2", customerName: "Farhan Akbar" };
    const mapped: TicketRow = { ...open, mapped: 1 };
    const incoming = { lane: "toDesk", sequence: 2 } as const;
    expect({ ...mapped, ...afterAccepting(mapped, "incoming", incoming, newest) }).toEqual({ ...mapped, ...newest });
  });

  it("is mapped anew when its tenant has moved to another desk", () => {
    const mapped: TicketRow = { ...open, mapped: 1 };
    const incoming = { lane: "toDesk", sequence: 2 } as const;
    const moved = afterAccepting(mapped, "incoming", incoming, { ...facts, deskId: "other" });
    expect(moved).toMatchObject({ deskId: "other", mapped: 0 });
  });
});

describe("a replay", () => {
  it("of a Close closes the ticket again when it is delivered", () => {
    const again: TicketRow = { ...open, ...afterReplaying(open, "command", close) };
    expect(again.state).toBe("closing");
    expect(afterSettling(again, close, "delivered")).toMatchObject({ state: "closed" });
  });

  it("of a Close yields to one that came meanwhile", () => {
    const older = { lane: "toDolphins", sequence: 1 } as const;
    expect(afterReplaying(closing, "command", older)).toEqual({});
    expect(afterReplaying(closed, "command", older)).toEqual({});
  });

  it.each(["incoming", "outgoing", "failure"] as const)("of an %s message changes nothing", (kind) => {
    for (const ticket of [open, closing, closed]) expect(afterReplaying(ticket, kind, close)).toEqual({});
  });
});

describe("word of a reply that was not delivered", () => {
  const event = String.raw`{"message":"$& \u201cHalo\" }","big":12345678901234567890,"last":{}}`;
  const dead = { ...close, id: "msg_1", event };

  it("names the message, the reason and the far end's status, and holds the event as it was stored", () => {
    const text = JSON.stringify(failureReport(open, dead, "rejected", 400));
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

  it("has no status when there was no answer", () => {
    expect(failureReport(open, dead, "exhausted", undefined)).toHaveProperty("status", null);
  });
});
