import { expect, test } from "vitest";
import { parseWebhook } from "../../../../src/desks/zendesk/webhook";
import { MAX_LINK, MAX_MESSAGE } from "../../../../src/model/event";

/** The replies that an agent's message becomes. */
const repliesTo = (content: object) =>
  (
    parseWebhook({
      events: [
        {
          id: "event",
          type: "conversation:message",
          payload: {
            conversation: { id: "conversation", metadata: { relay: "reference" } },
            message: { author: { type: "business" }, content },
          },
        },
      ],
    }) ?? []
  ).flatMap((event) => (event.kind === "outgoing" ? [event] : []));

test("an agent's text that no event can hold goes out in pieces that are the whole of it", () => {
  const text = "Halo apa kabar ".repeat(10_000);
  const messages = repliesTo({ type: "text", text }).map(({ message }) => message);
  expect(messages.length).toBe(Math.ceil(text.length / MAX_MESSAGE));
  expect(messages.every((message) => message.length <= MAX_MESSAGE)).toBe(true);
  expect(messages.join("")).toBe(text);
});

test("a file's link is one as long as an event can hold what the URL parser makes of it", () => {
  const typeOf = (path: string) =>
    repliesTo({ type: "file", mediaUrl: `https://m.example/${path}`, mediaType: "application/pdf" })[0]?.messageType;
  expect(typeOf("x".repeat(MAX_LINK - 100))).toBe("file");
  expect(typeOf("é".repeat(MAX_LINK / 4))).toBe("text");
});
