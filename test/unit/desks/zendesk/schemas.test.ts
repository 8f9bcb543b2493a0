import { expect, test } from "vitest";
import { problemsOfAnswer, problemsOfRequest, problemsOfWebhook } from "../../../contracts/zendesk/schemas";

/**
 * The fixtures of the contract suite against the published description. That suite sees to it that the relay sends exactly
 * what stands in them; it runs where a validator cannot be compiled.
 */

type Exchange = {
  request: { method: string; url: string; json?: unknown };
  answer: { status: number; json?: unknown };
};
const deliveries = import.meta.glob<{ name: string; exchanges: Exchange[] }>(
  "../../../contracts/desks/zendesk/deliver/*.json",
  { eager: true, import: "default" },
);
const webhooks = import.meta.glob<{ name: string; json: unknown }>("../../../contracts/desks/zendesk/webhook/*.json", {
  eager: true,
  import: "default",
});
const fileOf = (path: string): string => path.split("/").at(-1) ?? "";

test.each(Object.values(deliveries).map((fixture) => [fixture.name, fixture] as const))(
  "the requests fit Zendesk's description, and so do the answers: %s",
  (_name, { exchanges }) => {
    const problems = exchanges.flatMap(({ request, answer }) => {
      const url = new URL(request.url);
      const path = url.pathname.replace("/sc", "");
      return [
        ...problemsOfRequest(request.method, path, url.searchParams, request.json),
        ...problemsOfAnswer(request.method, path, answer.status, answer.json),
      ];
    });
    expect(problems).toEqual([]);
  },
);

/** Webhooks that Zendesk does not send, each with what it is there for. */
const UNPUBLISHED: Record<string, string> = {
  "foreign.json": "no webhook at all",
  "foreign-conversation.json": "events that were made up, of conversations without the relay's metadata",
  "nothing-to-send.json": "contents that are malformed",
  "unreadable-events.json": "events that are malformed",
};

const published = Object.entries(webhooks).filter(([path]) => !(fileOf(path) in UNPUBLISHED));

test.each(published.map(([, fixture]) => [fixture.name, fixture] as const))(
  "the webhook fits Zendesk's description: %s",
  (_name, { json }) => expect(problemsOfWebhook(json)).toEqual([]),
);

test("what the description does not have is seen: a field, a field of answers in a request, a query, a type of content", () => {
  const path = "/v2/apps/app-1/conversations/c-1/messages";
  const none = new URLSearchParams();
  const author = { type: "user", userId: "u-1" };
  const text = { type: "text", text: "Halo" };
  expect(problemsOfRequest("POST", path, none, { author, content: text })).toEqual([]);
  const wrong = [
    { author, content: text, colour: "red" },
    { author: { ...author, nickname: "S" }, content: text },
    { author, content: { type: "location", coordinates: { lat: 1, long: 2 }, text: "read-only" } },
    { author, content: { type: "text", text: "a".repeat(4097) } },
    { author, content: { type: "sticker" } },
    { content: text },
  ];
  for (const body of wrong) expect(problemsOfRequest("POST", path, none, body), JSON.stringify(body)).not.toEqual([]);
  const list = new URLSearchParams({ "filter[userExternalId]": "u", "page[after]": "short" });
  expect(problemsOfRequest("GET", "/v2/apps/app-1/conversations", list)).not.toEqual([]);
  expect(problemsOfRequest("GET", "/v2/apps/app-1/conversations", none)).not.toEqual([]);
  const message = { author: { ...author, userExternalId: "write-only" }, content: text };
  expect(problemsOfAnswer("POST", path, 201, { messages: [message] })).not.toEqual([]);
});
