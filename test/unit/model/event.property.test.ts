import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseEvent, type RelayEvent } from "../../../src/model/event";
import { RUN } from "../property";

type Shape = Parameters<typeof parseEvent>[0];

const KNOWN = ["ticketNumber", "channel", "accountId", "contactId", "messageType", "message", "mediaLink"];
KNOWN.push("customerName", "createdDate", "owner", "groupId", "language");

function eventOf(shape: Shape, json: unknown): RelayEvent {
  const parsed = parseEvent(shape, json);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.event;
}

describe("any event", () => {
  const id = fc.string({ minLength: 1, maxLength: 128 }).filter((text) => /^[^\p{Cc}]+$/u.test(text));
  const named = fc.record({ ticketNumber: id, owner: id, channel: id, customerName: fc.string({ maxLength: 1024 }) });
  const body = fc.constantFrom(
    { messageType: "TEXT", message: "ok", mediaLink: "" },
    { messageType: "location", message: "-6.2,106.8", mediaLink: null },
    { messageType: "Image", message: null, mediaLink: "https://m.example/1?a=b" },
    { messageType: "Stiker", message: "", mediaLink: "" },
  );
  const OWN = new Set([...KNOWN, "event", "GroupId", "Language"]);
  const key = fc
    .oneof(
      fc.string({ maxLength: 20 }),
      fc.constantFrom("__proto__", "constructor", "toString", "0", "10", "hasOwnProperty"),
    )
    .filter((name) => !OWN.has(name));
  const others = fc.array(fc.tuple(key, fc.jsonValue({ maxDepth: 4 })), { maxLength: 8 });

  /** As it comes off the wire: `__proto__` is a field like any other there. */
  const received = fc
    .tuple(fc.constantFrom<Shape>("incoming", "outgoing", "command", "ownedCommand"), named, body, others)
    .map(([shape, names, content, more]) => {
      const facts = { accountId: "62812", contactId: "c1", createdDate: "2021-04-28T15:39:37.945" };
      const known = shape === "incoming" ? { ...facts, ...names, ...content } : names;
      const rest = shape === "outgoing" ? content : shape === "incoming" ? {} : { event: "close" };
      const fields = [...Object.entries(known), ...Object.entries(rest), ...more];
      const text = `{${fields.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")}}`;
      return { shape, json: JSON.parse(text) as Record<string, unknown> };
    });

  test("any event that parses keeps its ids and every field the relay does not know, untouched", () => {
    fc.assert(
      fc.property(received, ({ shape, json }) => {
        const before = JSON.stringify(json);
        const event = eventOf(shape, json);
        expect(JSON.stringify(json)).toBe(before);
        const unknown = (from: object) =>
          JSON.stringify(
            Object.entries(from)
              .filter(([name]) => !OWN.has(name))
              .toSorted(([a], [b]) => (a < b ? -1 : 1)),
          );
        expect(unknown(event)).toBe(unknown(json));
        for (const name of ["ticketNumber", "owner", "channel", "customerName"]) expect(event[name]).toBe(json[name]);
        expect(Object.keys(event).toSorted()).toEqual(Object.keys(json).toSorted());
        // On the wire to the far end as well.
        expect(unknown(JSON.parse(JSON.stringify(event)) as object)).toBe(unknown(json));
      }),
      { ...RUN, numRuns: 500 },
    );
  });

  test("any event is the same after parsing it again", () => {
    fc.assert(
      fc.property(received, ({ shape, json }) => {
        const once = JSON.stringify(eventOf(shape, json));
        expect(JSON.stringify(eventOf(shape, JSON.parse(once)))).toBe(once);
      }),
      { ...RUN, numRuns: 500 },
    );
  });

  test("parsing an event gives it or its problems for anything, and never throws", () => {
    const anything = fc.oneof(
      fc.jsonValue(),
      fc.record(
        { ticketNumber: fc.anything(), messageType: fc.anything(), message: fc.anything(), mediaLink: fc.anything() },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(anything, fc.constantFrom<Shape>("incoming", "outgoing", "command"), (json, shape) => {
        const parsed = parseEvent(shape, json);
        expect(parsed.ok || parsed.problems.length > 0).toBe(true);
      }),
      { ...RUN, numRuns: 500 },
    );
  });
});
