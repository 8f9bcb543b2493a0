import { expect, test } from "vitest";
import { problemsOfAnswer, problemsOfRequest, problemsOfWebhook } from "../../../contracts/genesys/schemas";

/**
 * The fixtures of the contract suite against the published typings. That suite sees to it that the relay sends exactly what
 * stands in them; it runs where a validator cannot be compiled.
 */

type Exchange = {
  request: { method: string; url: string; json?: unknown };
  answer: { status: number; json?: unknown };
};
const deliveries = import.meta.glob<{ name: string; exchanges: Exchange[] }>(
  "../../../contracts/desks/genesys/deliver/*.json",
  { eager: true, import: "default" },
);
const webhooks = import.meta.glob<{ name: string; json: unknown }>("../../../contracts/desks/genesys/webhook/*.json", {
  eager: true,
  import: "default",
});
const HOST = "api.apse1.pure.cloud";

test.each(Object.values(deliveries).map((fixture) => [fixture.name, fixture] as const))(
  "the requests fit the typings of Genesys's client, and so do the answers: %s",
  (_name, { exchanges }) => {
    const problems = exchanges.flatMap(({ request, answer }) => {
      const { host, pathname, searchParams } = new URL(request.url);
      // Media is looked at where the customer's link leads.
      if (host !== HOST) return [];
      return [
        ...problemsOfRequest(request.method, pathname, searchParams, request.json),
        ...problemsOfAnswer(request.method, pathname, answer.status, answer.json),
      ];
    });
    expect(problems).toEqual([]);
  },
);

/** Webhooks that Genesys does not send. */
const UNPUBLISHED = ["foreign.json", "unreadable.json"];

const published = Object.entries(webhooks).filter(([path]) => !UNPUBLISHED.some((file) => path.endsWith(`/${file}`)));

test.each(published.map(([, fixture]) => [fixture.name, fixture] as const))(
  "the webhook fits the typings of Genesys's client: %s",
  (_name, { json }) => expect(problemsOfWebhook(json)).toEqual([]),
);

test("what the typings do not have is seen: a field, a missing one, a nested value, a query, another choice, a time with a zone", () => {
  const path = "/api/v2/conversations/messages/i-1/inbound/open/message";
  const none = new URLSearchParams();
  const channel = { from: { id: "1", idType: "Opaque" }, time: "2026-01-01T00:00:00.123Z", messageId: "m" };
  const attachment = { mediaType: "Image", url: "https://a.example/a.png", mime: "image/png" };
  const fits = { channel, text: "Halo", content: [{ attachment }], metadata: { a: "b" } };
  expect(problemsOfRequest("POST", path, new URLSearchParams({ prefetchConversationId: "true" }), fits)).toEqual([]);
  const wrong = [
    { ...fits, colour: "red" },
    { ...fits, metadata: { a: { b: "c" } } },
    { ...fits, channel: { ...channel, time: "2026-01-01T07:00:00+07:00" } },
    { ...fits, channel: { ...channel, from: { id: "1", idType: "Name" } } },
    { ...fits, channel: { ...channel, from: { id: "1" } } },
    { ...fits, content: [{ attachment: { mediaType: "Image", url: "https://a.example/a.png" } }] },
    { ...fits, content: [{ contentType: "Attachment", attachment }] },
    { text: "Halo" },
  ];
  for (const body of wrong) expect(problemsOfRequest("POST", path, none, body), JSON.stringify(body)).not.toEqual([]);
  expect(problemsOfRequest("POST", path, new URLSearchParams({ prefetch: "true" }), fits)).not.toEqual([]);
  expect(problemsOfRequest("PATCH", "/api/v2/conversations/messages/c-1", none, {})).not.toEqual([]);
});
