import { complete } from "./answers";
import { audit } from "./audit";
import { componentSchemas, type Json } from "./components";
import { browser, reference } from "./browser";
import { desk } from "./desk";
import { engine } from "./engine";
import { withRules } from "./event-rules";
import { operationOf, refusalResponses, type Operation } from "./operation";
import { operator } from "./operator";
import { securitySchemes } from "./security";
import { tenants } from "./tenants";
import { webhooks } from "./webhooks";
import { withWords } from "./words";

/** The OpenAPI document: made when the relay is built, out of the schemas that the relay checks with. */

export const operations: Operation[] = [...engine, ...desk, ...browser, ...tenants, ...operator, ...audit];

const ABOUT = `The relay stands between 3Dolphins and the desks where people answer. Every event that is answered \`200\` is
durably stored, and delivered at least once and in order per ticket and direction.

A refusal looks like \`{"status":"error","error":{"code","message","issues"}}\`: \`code\` is for programs, and \`message\` tells
a person what to do. A request is judged in this order: its size, its credential, its JSON, its fields, its owner, its ticket.`;

const TAGS: [string, string][] = [
  ["3Dolphins", "What a 3Dolphins server posts. Its key stands in the path."],
  ["Desk", "What a desk posts and asks, with its token or by signature."],
  ["Operator: tickets", "What waits, what is dead, and why; and putting it back."],
  ["Operator: tenants", "Who is served, how, and with which credentials."],
  ["Operator: audit", "Who one is, and who did or read what."],
  ["Console", "An operator's sign-in with a browser."],
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

export function buildDocument(version: string): Json {
  return withWords({
    openapi: "3.1.0",
    info: {
      title: "dolphin-relay",
      version,
      description: ABOUT,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/", description: "The relay that serves this document." }],
    tags: TAGS.map(([name, description]) => ({ name, description })),
    paths: pathsOf(operations),
    webhooks,
    components: { schemas: withRules(componentSchemas(complete)), responses: refusalResponses, securitySchemes },
  });
}
