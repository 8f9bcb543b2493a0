/**
 * Takes what the relay uses out of the typings of Genesys Cloud's published client, and writes it as JSON Schema to
 * test/contracts/genesys/schemas.json: the operations, and every type that they or the webhooks lead to.
 *
 *   node scripts/genesys-schemas.ts [version, or folder of the unpacked package]
 */
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PACKAGE = "purecloud-platform-client-v2";
const VERSION = "262.0.0";
const TARGET = new URL("../test/contracts/genesys/schemas.json", import.meta.url);

const OPERATIONS = [
  "postConversationsMessageInboundOpenMessage",
  "postConversationsMessageInboundOpenReceipt",
  "patchConversationsMessage",
  "getConversationsMessagingIntegrationsOpenIntegrationId",
];
/** The typings have none for a webhook of Open Messaging, but for a message of any channel. */
const WEBHOOK = "ConversationNormalizedMessage";
/** What these lead to would bring in nearly all of the typings, and the relay asks for none of it. */
const SHALLOW = new Set(["Conversation", "OpenIntegration"]);

type Schema = Record<string, unknown>;

const [from = VERSION] = process.argv.slice(2);
const isVersion = /^\d+\.\d+\.\d+$/.test(from);
const folder = isVersion ? await mkdtemp(join(tmpdir(), "genesys-")) : from;
if (isVersion) {
  execFileSync("npm", ["pack", `${PACKAGE}@${from}`, "--pack-destination", folder], { stdio: "pipe" });
  execFileSync("tar", ["xzf", join(folder, `${PACKAGE}-${from}.tgz`), "--strip-components=1", "-C", folder]);
}
const read = (path: string) => readFile(join(folder, path), "utf8");
const { version, license } = JSON.parse(await read("package.json")) as { version: string; license: string };
const typings = await read("index.d.ts");
const calls = await read(`src/${PACKAGE}/api/ConversationsApi.js`);
if (isVersion) await rm(folder, { recursive: true });

const schemas: Record<string, Schema> = {};

function take(name: string): void {
  if (name in schemas) return;
  const body = new RegExp(`interface ${name} \\{([^]*?)\\n\\t\\}`).exec(typings)?.[1];
  if (body === undefined) throw new Error(`the typings have no ${name}`);
  const fields = [...body.matchAll(/"(\w+)"(\??): (.+);\n?/g)];
  const isShallow = SHALLOW.has(name);
  const schema: Schema = { type: "object", additionalProperties: false };
  schemas[name] = schema;
  schema["required"] = fields.filter(([, , optional]) => optional === "").map(([, field]) => field);
  schema["properties"] = Object.fromEntries(
    fields.map(([, field = "", , type = ""]) => [field, isShallow && type.includes("Models.") ? {} : schemaOf(type)]),
  );
}

function schemaOf(type: string): Schema {
  const [, items] = /^Array<(.+)>$/.exec(type) ?? [];
  if (items !== undefined) return { type: "array", items: schemaOf(items) };
  const [, values] = /^\{ \[key: string\]: (.+); \}$/.exec(type) ?? [];
  if (values !== undefined) return { type: "object", additionalProperties: schemaOf(values) };
  const [, name] = /^Models\.(\w+)$/.exec(type) ?? [];
  if (name !== undefined) {
    take(name);
    return { $ref: `#/$defs/${name}` };
  }
  return type === "object" ? {} : { type };
}

const operations = OPERATIONS.map((id) => {
  const [, , body, answer = ""] =
    new RegExp(`\\t${id}\\(([^)]*?body: Models\\.(\\w+))?[^)]*\\): Promise<Models\\.(\\w+)>`).exec(typings) ?? [];
  const call = new RegExp(`\\t${id}\\([^]*?callApi\\(\\s*'([^']+)',\\s*'(\\w+)',\\s*\\{[^}]*\\},\\s*\\{([^}]*)\\}`);
  const [, path = "", method = "", query = ""] = call.exec(calls) ?? [];
  for (const name of [body, answer]) if (name !== undefined) take(name);
  return { method, path, query: [...query.matchAll(/'(\w+)':/g)].map(([, name]) => name), body, answer };
});
take(WEBHOOK);

const $defs = Object.fromEntries(Object.entries(schemas).toSorted(([a], [b]) => (a < b ? -1 : 1)));
const document = {
  "x-source": `https://www.npmjs.com/package/${PACKAGE}/v/${version}`,
  "x-licence": license,
  operations,
  webhook: WEBHOOK,
  $defs,
};
await writeFile(TARGET, `${JSON.stringify(document, undefined, 2)}\n`);
