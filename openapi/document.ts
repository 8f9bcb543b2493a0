import { incomingEvent, command, complete, failureReport } from "./answers";
import { componentSchemas, schemaOf, type Json } from "./components";
import { browser, reference } from "./browser";
import { desk } from "./desk";
import { engine } from "./engine";
import * as examples from "./examples";
import { operationOf, type Operation } from "./operation";
import { operator } from "./operator";
import { securitySchemes } from "./security";
import { tenants } from "./tenants";
import { withWords } from "./words";

/** The OpenAPI document: made when the relay is built, out of the schemas that the relay checks with. */

export const operations: Operation[] = [...engine, ...desk, ...browser, ...tenants, ...operator];

const ABOUT = `The relay stands between 3Dolphins and the desks where people answer. Every event that is answered \`200\` is
durably stored, and delivered at least once and in order per ticket and direction.

A refusal looks like \`{"status":"error","error":{"code","message","issues"}}\`: \`code\` is for programs, and \`message\` tells
a person what to do. A request is judged in this order: its size, its credential, its JSON, its fields, its owner, its ticket.`;

const TAGS: [string, string][] = [
  ["3Dolphins", "What a 3Dolphins server posts. Its key stands in the path."],
  ["Desk", "What a desk posts and asks, with its token or by signature."],
  ["Operator: tickets", "What waits, what is dead, and why; and putting it back."],
  ["Operator: tenants", "Who is served, how, and with which credentials."],
  ["Console", "The operator's sign-in with a browser."],
  ["Open to anyone", "No credential is asked for."],
];

function pathsOf(all: Operation[]): Json {
  const byPath = Map.groupBy(all, ({ path }) => path);
  const paths = [...byPath].map(([path, some]) => [
    path,
    Object.fromEntries(some.map((operation) => [operation.method, operationOf(operation)])),
  ]);
  return { ...Object.fromEntries(paths), "/openapi.json": reference };
}

/** What a native desk is sent. */
const webhook = (summary: string, schema: Parameters<typeof schemaOf>[0], value: unknown): Json => ({
  post: {
    summary,
    tags: ["Desk"],
    security: [{ standardWebhooks: [] }],
    parameters: ["webhook-id", "webhook-timestamp", "relay-sequence", "relay-attempt"].map((name) => ({
      name,
      in: "header",
      required: true,
      schema: { type: "string" },
    })),
    requestBody: {
      required: true,
      content: { "application/json": { schema: schemaOf(schema), examples: { event: { value } } } },
    },
    responses: {
      "2XX": { description: "Taken, unless a JSON body says failure (`status` error, `success` false)." },
      "4XX": { description: "Refused for good, but for 408, 425 and 429: to the dead letters." },
      "5XX": { description: "Tried again, the first times within seconds." },
    },
  },
});

export function buildDocument(version: string): Json {
  return withWords({
    openapi: "3.1.0",
    info: { title: "dolphin-relay", version, description: ABOUT },
    tags: TAGS.map(([name, description]) => ({ name, description })),
    paths: pathsOf(operations),
    webhooks: {
      incoming: webhook("A customer has written", incomingEvent, examples.incomingEvent),
      close: webhook("3Dolphins closes the ticket", command, examples.closeCommand),
      failure: webhook("A reply was not delivered (with `notifyFailures`)", failureReport, examples.failureReport),
    },
    components: { schemas: componentSchemas(complete), securitySchemes },
  });
}
