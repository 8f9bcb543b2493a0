import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import type { Audit } from "../../../src/index";
import type { AuditEntry } from "../../../src/model/answers";
import type { NewEntry } from "../../../src/model/audit";
import { fresh, useFarEnds } from "../world";

/** The object of the audit log by itself. */

useFarEnds();

const DAY_MS = 24 * 3_600_000;
const logOf = (): DurableObjectStub<Audit> => env.AUDIT.getByName(fresh("audit"));

const entry = (action: string, more: Partial<NewEntry> = {}): NewEntry => ({
  actor: { name: "siti", role: "operator", by: "token" },
  address: "203.0.113.7",
  action,
  outcome: "ok",
  requestId: "r-1",
  ...more,
});

async function pageOf(log: DurableObjectStub<Audit>, filter = {}, before = Number.MAX_SAFE_INTEGER, limit = 100) {
  const { entries, next } = await log.entries(filter, before, limit);
  return { entries: entries.map((line) => JSON.parse(line) as AuditEntry), next };
}
const actionsOf = async (...how: Parameters<typeof pageOf>) =>
  (await pageOf(...how)).entries.map(({ action }) => action);

test("entries are numbered from 1, in the order in which they were added, however many come at once", async () => {
  const log = logOf();
  await Promise.all(Array.from({ length: 20 }, (_, at) => log.append(entry(`act-${at}`))));
  const { entries } = await pageOf(log);
  expect(entries.map(({ seq }) => seq)).toEqual(Array.from({ length: 20 }, (_, at) => 20 - at));
  expect(entries.map(({ action }) => action).toReversed()).toEqual(Array.from({ length: 20 }, (_, at) => `act-${at}`));
  expect(await log.check(undefined)).toEqual({ first: 1, last: 20, head: entries[0]?.hash });
});

test("entries are found by tenant and by actor, page by page", async () => {
  const log = logOf();
  const budi = { actor: { name: "budi", role: "admin", by: "session" } } as const;
  await log.append(entry("a", { owner: "one" }));
  await log.append(entry("b", { owner: "two", ...budi }));
  await log.append(entry("c", { owner: "one", ...budi }));
  await log.append(entry("d", { owner: "one" }));
  expect(await actionsOf(log, { owner: "one" })).toEqual(["d", "c", "a"]);
  expect(await actionsOf(log, { actor: "budi" })).toEqual(["c", "b"]);
  expect(await actionsOf(log, { actor: "budi", owner: "one" })).toEqual(["c"]);
  const first = await pageOf(log, { owner: "one" }, undefined, 2);
  expect(first.entries.map(({ action }) => action)).toEqual(["d", "c"]);
  expect(await actionsOf(log, { owner: "one" }, first.next, 2)).toEqual(["a"]);
  expect((await pageOf(log, { owner: "one" }, first.next, 2)).next).toBeUndefined();
});

test("a log to which nothing was ever added has no entries, is whole, and is asked without writing", async () => {
  const log = logOf();
  expect(await pageOf(log)).toEqual({ entries: [], next: undefined });
  expect(await log.check(undefined)).toEqual({ first: 1, last: 0, head: "0".repeat(64) });
  expect(await log.isReady()).toBe(true);
  const tables = await runInDurableObject(log, (_, { storage }) =>
    storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'entry'").toArray(),
  );
  expect(tables).toEqual([]);
});

test.each([
  ["changed", "UPDATE entry SET json = replace(json, 'act-2', 'act-9') WHERE seq = 3", 3],
  ["deleted", "DELETE FROM entry WHERE seq = 2", 2],
  ["deleted at the end", "DELETE FROM entry WHERE seq = 5", 5],
  ["deleted, all of them", "DELETE FROM entry", 1],
  ["given another hash", "UPDATE entry SET hash = lower(hex(randomblob(32))) WHERE seq = 4", 4],
])("an entry that somebody has %s in the tables is named by the check", async (_, tampering, broken) => {
  const log = logOf();
  for (let at = 0; at < 5; at++) await log.append(entry(`act-${at}`));
  await runInDurableObject(log, (_audit, { storage }) => void storage.sql.exec(tampering));
  expect(await log.check(undefined)).toMatchObject({ last: 5, firstBroken: broken });
});

test("the same look is one entry in ten minutes, and another operator's, tenant's or ticket's is its own", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: 1_800_000_000_000 });
  const log = logOf();
  const look = entry("ticket_read", { owner: "one", ticketNumber: "t-1" });
  const others: Partial<NewEntry>[] = [
    {},
    { requestId: "r-2" },
    { ticketNumber: "t-2" },
    { owner: "two" },
    { address: "203.0.113.8" },
    { actor: { name: "budi", role: "operator", by: "token" } },
  ];
  for (const other of others) await log.appendLook({ ...look, ...other });
  expect(await actionsOf(log)).toHaveLength(5);
  vi.setSystemTime(Date.now() + 10 * 60_000);
  await log.appendLook(look);
  expect(await actionsOf(log)).toHaveLength(6);
});

test("a sign-in that fails again and again is one entry for each address, and no more than a hundred in ten minutes", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: 1_800_000_000_000 });
  const log = logOf();
  const guess = (address: string) => log.appendFailure(entry("sign_in_failed", { address, outcome: "unauthorized" }));
  await Promise.all(Array.from({ length: 50 }, () => guess("203.0.113.7")));
  expect(await actionsOf(log)).toHaveLength(1);
  await Promise.all(Array.from({ length: 300 }, (_, at) => guess(`2001:db8::${at}`)));
  expect((await log.check(undefined)).last).toBe(100);
});

test("entries go after 400 days, the rest stay checkable, and the newest place is logged for whoever keeps it", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: 1_800_000_000_000 });
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => lines.push(line));
  const log = logOf();
  for (const action of ["old", "old too"]) await log.append(entry(action));
  vi.setSystemTime(Date.now() + 200 * DAY_MS);
  await log.append(entry("young"));
  vi.setSystemTime(Date.now() + 200 * DAY_MS - 1);
  expect(await runDurableObjectAlarm(log)).toBe(true);
  expect(await actionsOf(log)).toEqual(["young", "old too", "old"]);
  vi.setSystemTime(Date.now() + 2);
  expect(await runDurableObjectAlarm(log)).toBe(true);
  expect(await actionsOf(log)).toEqual(["young"]);
  await log.append(entry("newest"));
  const whole = await log.check(undefined);
  expect(whole).toMatchObject({ first: 3, last: 4 });
  expect(whole.firstBroken).toBeUndefined();
  expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ event: "audit_head", seq: 3, deleted: 2 });
  await runInDurableObject(log, (_, { storage }) => void storage.sql.exec("DELETE FROM entry WHERE seq = 3"));
  expect(await log.check(undefined)).toMatchObject({ firstBroken: 3 });
});

test("an entry costs two rows", async () => {
  const log = logOf();
  await log.append(entry("first"));
  const rows = await runInDurableObject(log, async (audit, { storage }) => {
    const exec = storage.sql.exec.bind(storage.sql);
    let written = 0;
    vi.spyOn(storage.sql, "exec").mockImplementation(((...query: Parameters<typeof exec>) => {
      const cursor = exec(...query);
      written += cursor.rowsWritten;
      return cursor;
    }) as typeof exec);
    await audit.append(entry("second"));
    return written;
  });
  // The head, in the object's key-value store, is the other.
  expect(rows).toBe(1);
});
