import { expect, test } from "vitest";
import { deliveryOf, isReply } from "../../../src/model/delivery";
import { parseJson } from "../../../src/lib/json";

const message = { id: "msg_1", sequence: 7, attempt: 2, acceptedAtMs: 0 };
const reply = '{"ticketNumber":"t-1","channel":"webchat","messageType":"text","message":"Halo","mediaLink":""}';

test("a delivery has the parsed event beside the very text that is stored", () => {
  const text = '{ "ticketNumber":"t-1", "x":12345678901234567890 }';
  const delivery = deliveryOf({ ...message, kind: "incoming" }, text);
  expect(delivery).toMatchObject({ ...message, kind: "incoming", text });
  // A number that no double holds is in the parsed event as it stands in the text.
  expect("event" in delivery && JSON.stringify(delivery.event)).toBe('{"ticketNumber":"t-1","x":12345678901234567890}');
});

test("a delivery of kind failure has the report, and in it the event that was not delivered", () => {
  const text = `{"type":"delivery.failed","reason":"rejected","status":422,"event":${reply}}`;
  const delivery = deliveryOf({ ...message, kind: "failure" }, text);
  expect("report" in delivery && delivery.report).toMatchObject({ status: 422, event: { message: "Halo" } });
});

test("what failed is a reply unless it is a Close, whatever else stands in it", () => {
  const isReplyIn = (text: string) => {
    const parsed = parseJson(text);
    return parsed.ok && isReply(parsed.value as Parameters<typeof isReply>[0]);
  };
  expect(isReplyIn(reply)).toBe(true);
  expect(isReplyIn(reply.replace("{", '{"event":"message_created",'))).toBe(true);
  expect(isReplyIn('{"ticketNumber":"t-1","channel":"webchat","event":"Close"}')).toBe(false);
});

test("a stored message that is no JSON is an error for who looks at its event", () => {
  const delivery = deliveryOf({ ...message, kind: "incoming" }, "{");
  expect(() => "event" in delivery && delivery.event).toThrow("the stored message is not JSON");
});
