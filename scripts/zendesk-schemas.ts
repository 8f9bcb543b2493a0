/**
 * Takes what the relay uses out of the published description of Sunshine Conversations, API v2, and writes it as it stands
 * to test/contracts/zendesk/openapi.json: the operations, and every schema that they or the webhooks lead to.
 *
 *   node scripts/zendesk-schemas.ts [commit or file]
 */
import { readFile, writeFile } from "node:fs/promises";
import { parse } from "yaml";

const REPOSITORY = "zendesk/sunshine-conversations-api-spec";
const COMMIT = "81dc589444407fb31a0654be753b0b763d02712d";
const TARGET = new URL("../test/contracts/zendesk/openapi.json", import.meta.url);

const APP = "/v2/apps/{appId}";
const OPERATIONS = [
  ["get", APP],
  ["get", `${APP}/integrations`],
  ["post", `${APP}/users`],
  ["get", `${APP}/users/{userIdOrExternalId}`],
  ["post", `${APP}/conversations`],
  ["get", `${APP}/conversations`],
  ["post", `${APP}/conversations/{conversationId}/messages`],
  ["get", `${APP}/conversations/{conversationId}/messages`],
] as const;
const WEBHOOKS = [
  "conversationMessageEvent",
  "conversationReadEvent",
  "conversationTypingEvent",
  "switchboardPassControl",
  "switchboardReleaseControl",
  "userMergeEvent",
];
/** Of the many integrations, the relay's own webhook is one of these. */
const ALSO = ["custom", "errorResponse", "appSubSchema", "webhookSubSchema", "page"];

type Json = Record<string, unknown>;
type Document = {
  info: { version: string; termsOfService: string; license?: Json };
  paths: Record<string, Record<string, Json>>;
  components: Record<string, Record<string, Json>>;
};

const [from = COMMIT] = process.argv.slice(2);
const isCommit = /^[0-9a-f]{40}$/.test(from);
const source = `https://raw.githubusercontent.com/${REPOSITORY}/${from}/openapi.yaml`;
const text = isCommit ? await (await fetch(source)).text() : await readFile(from, "utf8");
const { info, paths, components } = parse(text) as Document;

/** Without its prose, its examples and what leads to other integrations: those would bring in nearly all of the document. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const { mapping } = value as { mapping?: Record<string, string> };
  if (mapping?.["custom"] !== undefined) return { propertyName: "type" };
  const kept = Object.entries(value).filter(
    // `description` is a field of conversations, too: then it is a schema.
    ([key, inner]) => !(["description", "example", "title", "examples"].includes(key) && typeof inner !== "object"),
  );
  return Object.fromEntries(
    kept.filter(([key]) => key !== "example" && key !== "examples").map(([key, inner]) => [key, plain(inner)]),
  );
}

const taken: Record<string, Record<string, unknown>> = {};
function follow(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    const [, kind = "", name = ""] = /^#\/components\/(\w+)\/([\w-]+)$/.exec(key === "$ref" ? String(inner) : "") ?? [];
    if (name === "") follow(inner);
    else take(kind, name);
  }
}
function take(kind: string, name: string): void {
  const section = (taken[kind] ??= {});
  if (name in section) return;
  const found = components[kind]?.[name];
  if (!found) throw new Error(`the description has no ${kind} ${name}`);
  section[name] = plain(found);
  follow(section[name]);
}

const operations: Record<string, Json> = {};
for (const [method, path] of OPERATIONS) {
  const { parameters: shared = [], [method]: operation } = paths[path] ?? {};
  if (!operation) throw new Error(`the description has no ${method} ${path}`);
  const { parameters = [], requestBody, responses } = operation as Record<string, unknown>;
  const described = plain({
    parameters: [...(shared as unknown as Json[]), ...(parameters as Json[])],
    requestBody,
    responses,
  });
  operations[path] = { ...operations[path], [method]: described };
  follow(described);
}
for (const name of [...WEBHOOKS, ...ALSO]) take("schemas", name);

const sorted = Object.fromEntries(
  Object.entries(taken).map(([kind, all]) => [
    kind,
    Object.fromEntries(Object.entries(all).toSorted(([a], [b]) => (a < b ? -1 : 1))),
  ]),
);
const document = {
  "x-source": `https://github.com/${REPOSITORY}/blob/${isCommit ? from : COMMIT}/openapi.yaml`,
  "x-version": info.version,
  "x-licence": `${info.license ? JSON.stringify(info.license) : "None is stated"}. Terms of service: ${info.termsOfService}`,
  paths: operations,
  components: sorted,
};
await writeFile(TARGET, `${JSON.stringify(document, undefined, 2)}\n`);
