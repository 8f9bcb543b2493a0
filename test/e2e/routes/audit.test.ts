import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fakeEngine } from "../../../dev/fakes/engine.ts";
import { type Tenant, bearer, newTicketNumber } from "../support/tenant.ts";
import { poll } from "../support/timeline.ts";
import { type World, startWorld } from "../support/world.ts";

/** What the audit log has of what people and desks did, read back over HTTP. */

type Entry = Record<string, unknown> & { seq: number; action: string; outcome: string; hash: string };

const [VIEWER, OPERATOR] = [randomBytes(24).toString("hex"), randomBytes(24).toString("hex")];
const SECRET = `hush-${randomBytes(8).toString("hex")}`;
const WORDS = `words-${randomBytes(8).toString("hex")}`;
let world: World;

beforeAll(async () => {
  world = await startWorld({ settings: { OPERATORS: `siti:viewer=${VIEWER},budi:operator=${OPERATOR}` } });
});
afterAll(() => world.stop());

const as = (token: string, method: string, path: string, body?: unknown) =>
  world.call(path, { method, headers: bearer(token), body });
async function entriesOf(query: Record<string, string>): Promise<Entry[]> {
  const reply = await as(VIEWER, "GET", `/admin/audit?${new URLSearchParams(query).toString()}`);
  expect(reply.status, reply.text).toBe(200);
  return (reply.body as { entries: Entry[] }).entries.toReversed();
}
const actionsOf = (entries: Entry[]) =>
  entries.map(({ action, outcome }) => (outcome === "ok" ? action : `${action}: ${outcome}`));

test("the audit log has every act and every look at what customers say, by whom and from where, in their order", async () => {
  const tenant = await world.tenant({ dolphins: { auth: { type: "login", username: "bank", password: SECRET } } });
  const { owner } = tenant;
  const number = newTicketNumber();
  await tenant.incoming(number, { message: WORDS, customerName: WORDS });
  await as(VIEWER, "GET", `/admin/tickets/${owner}/${number}`);
  await as(VIEWER, "GET", `/admin/tenants/${owner}/tickets?q=${WORDS}`);
  await as(VIEWER, "GET", `/admin/tenants/${owner}/dead-letters`);
  await as(VIEWER, "GET", `/admin/tenants/${owner}/credentials`);
  await as(OPERATOR, "POST", `/admin/tickets/${owner}/${number}/replay`, { all: true, dryRun: true });
  await as(OPERATOR, "POST", `/admin/tickets/${owner}/${number}/replay`, { all: true });
  await as(OPERATOR, "POST", `/admin/tenants/${owner}/test/desk`);
  await as(OPERATOR, "POST", `/admin/tickets/${owner}/${number}/replay`, { none: true });
  await world.admin("POST", `/admin/tenants/${owner}/credentials/rotate`);
  await world.admin("DELETE", `/admin/tenants/${owner}`);
  const entries = await entriesOf({ owner });
  expect(actionsOf(entries)).toEqual([
    "tenant_put",
    "credentials_shown",
    "ticket_read",
    "tickets_listed",
    "dead_letters_read",
    "credentials_shown: forbidden",
    "replayed",
    "desk_tested",
    "replayed: invalid_request",
    "credentials_rotated",
    "tenant_deleted",
  ]);
  const by = (name: string, role: string) => ({ actor: { name, role, by: "token" }, owner });
  expect(entries[2]).toMatchObject({ ...by("siti", "viewer"), ticketNumber: number, outcome: "ok" });
  expect(entries[6]).toMatchObject({ ...by("budi", "operator"), ticketNumber: number, details: { messages: 0 } });
  expect(entries[10]).toMatchObject(by("admin", "admin"));
  expect(JSON.stringify(entries)).not.toContain(SECRET);
  expect(JSON.stringify(entries)).not.toContain(WORDS);
  const named = entries.map(({ requestId }) => String(requestId));
  expect(world.relay().logs.find((line) => line.includes(named[2] ?? "none"))).toContain('"actor":"siti"');
});

test("the audit log says what a PUT has changed, and of a secret only that it is new", async () => {
  const auth = { type: "login", username: "bank", password: SECRET };
  const tenant = await world.tenant({ dolphins: { auth } });
  const changed = `${SECRET}-changed`;
  await world.putTenant(tenant, { dolphins: { auth: { ...auth, password: "***" } }, record: { retentionDays: 7 } });
  await world.putTenant(tenant, { dolphins: { auth: { ...auth, password: changed } }, record: { retentionDays: 7 } });
  await world.putTenant(tenant, { dolphins: { auth: { ...auth, password: "***" } }, record: { retentionDays: 7 } });
  const puts = (await entriesOf({ owner: tenant.owner })).filter(({ action }) => action === "tenant_put");
  expect(puts.map(({ changes }) => changes)).toEqual([
    [{ path: "", after: expect.objectContaining({ owner: tenant.owner }) as unknown }],
    [{ path: "retentionDays", before: 30, after: 7 }],
    [{ path: "dolphins.auth.password", before: "***", after: "*** (new)" }],
    undefined,
  ]);
  expect(JSON.stringify(puts)).not.toContain("hush");
});

test("the audit log has what a desk was shown, under the desk's name, once for a page that asks again and again", async () => {
  const tenant = await world.tenant({ dolphins: { auth: { type: "login", username: "bank", password: SECRET } } });
  const { owner, token } = tenant;
  const engine = fakeEngine(tenant.engine, { username: "bank", password: SECRET });
  const [number, contactId] = [newTicketNumber(), "contact-1"];
  await tenant.incoming(number, { contactId });
  engine.contacts.set(contactId, { id: contactId });
  const actor = `desk ${owner}`;
  for (let times = 0; times < 5; times++) await as(token, "GET", `/v1/tickets/${number}`);
  await as(token, "GET", `/v1/contacts/${contactId}?ticketNumber=${number}`);
  await as(token, "GET", `/v1/tickets/${number}/history`);
  const shown = await poll(
    () => entriesOf({ actor }),
    (entries) => entries.length >= 3,
    "what the desk was shown",
  );
  expect(actionsOf(shown).toSorted()).toEqual(["contact_shown", "history_shown", "ticket_read"]);
  for (const entry of shown) expect(entry).toMatchObject({ owner, ticketNumber: number, actor: { by: "desk" } });
});

test("the audit log has sign-ins, sign-outs, and one entry for credentials that were guessed again and again", async () => {
  const before = (await entriesOf({})).length;
  const signIn = (token: string) => world.call("/console/session", { method: "POST", body: { token } });
  for (let guesses = 0; guesses < 5; guesses++) await signIn(`guess-${guesses}`);
  for (let guesses = 0; guesses < 5; guesses++) await as(`guess-${guesses}`, "GET", "/admin/tenants");
  await world.call("/admin/me");
  const cookie = (await signIn(OPERATOR)).headers.get("set-cookie")?.split(";", 1)[0] ?? "";
  const own = { cookie, "sec-fetch-site": "same-origin", origin: world.relay().url };
  await world.call("/console/session", { method: "DELETE", headers: own });
  const after = await poll(
    () => entriesOf({}),
    (entries) => entries.length >= before + 3,
    "three entries",
  );
  expect(actionsOf(after.slice(before)).toSorted()).toEqual([
    "sign_in_failed: unauthorized",
    "signed_in",
    "signed_out",
  ]);
  expect(after.at(-1)).toMatchObject({ actor: { name: "budi", role: "operator", by: "session" } });
});

test("the audit log comes page by page, and as NDJSON whole, in which each hash can be worked out", async () => {
  const tenant: Tenant = await world.tenant();
  for (let days = 1; days <= 12; days++) await world.putTenant(tenant, { record: { retentionDays: days } });
  const paged: Entry[] = [];
  let before: string | undefined;
  do {
    const query = new URLSearchParams({ owner: tenant.owner, limit: "5", ...(before === undefined ? {} : { before }) });
    const page = (await as(VIEWER, "GET", `/admin/audit?${query.toString()}`)).body as {
      entries: Entry[];
      next?: string;
    };
    paged.push(...page.entries);
    before = page.next;
  } while (before !== undefined);
  expect(paged).toHaveLength(14);

  const stream = await as(VIEWER, "GET", "/admin/audit?format=ndjson");
  expect(stream.headers.get("content-type")).toBe("application/x-ndjson");
  const lines = stream.text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Entry);
  expect(lines.filter(({ owner }) => owner === tenant.owner)).toEqual(paged);
  expect(lines.at(-1)?.seq).toBe(1);
  let hash = "0".repeat(64);
  for (const { hash: given, ...entry } of lines.toReversed()) {
    hash = createHash("sha256")
      .update(`${hash}\n${canonical(entry)}`)
      .digest("hex");
    expect(given, `entry ${entry["seq"]}`).toBe(hash);
  }
  const check = (await as(VIEWER, "GET", "/admin/audit/verify")).body as {
    check: { last: number; firstBroken?: number };
  };
  // The stream itself is an entry.
  expect(check.check).toMatchObject({ first: 1, last: lines.length + 1 });
  expect(check.check.firstBroken).toBeUndefined();
});

/** As the API's description says it: JSON with sorted keys. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${canonical(field)}`).join(",")}}`;
}
