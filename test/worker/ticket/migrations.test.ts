import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import type { Ticket } from "../../../src/index";
import { migrate, type Migration } from "../../../src/lib/migrate";
import { MIGRATIONS, SCHEMA } from "../../../src/ticket/schema";
import { meter } from "../meter";
import { reportOf } from "../tenant-index/index-world";
import { accepted, incoming, ok, operator, registerTenant, status, ticketOf, untilView, useFarEnds } from "../world";

/** How an object of version 1 began, frozen. */
const FIRST = `CREATE TABLE ticket (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     owner TEXT NOT NULL, ticketNumber TEXT NOT NULL, deskId TEXT NOT NULL, mapped INTEGER NOT NULL,
     channel TEXT NOT NULL, contactId TEXT NOT NULL, customerName TEXT NOT NULL,
     state TEXT NOT NULL, closeLane TEXT, closeSequence INTEGER, sessions TEXT NOT NULL
   );
   CREATE TABLE message (
     lane TEXT NOT NULL, sequence INTEGER NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, event TEXT NOT NULL,
     acceptedAtMs INTEGER NOT NULL, suspectedDuplicate INTEGER NOT NULL,
     PRIMARY KEY (lane, sequence)
   ) WITHOUT ROWID;
   CREATE TABLE outcome (
     lane TEXT NOT NULL, sequence INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT,
     attempts TEXT NOT NULL, attemptCount INTEGER NOT NULL,
     roundStartedAtMs INTEGER NOT NULL, roundTries INTEGER NOT NULL, nextAttemptAtMs INTEGER,
     PRIMARY KEY (lane, sequence)
   ) WITHOUT ROWID;
   CREATE INDEX undelivered ON outcome (lane, state, sequence) WHERE state <> 'delivered';
   CREATE TABLE idempotency (
     lane TEXT NOT NULL, key TEXT NOT NULL, sequence INTEGER NOT NULL, expiresAtMs INTEGER NOT NULL,
     PRIMARY KEY (lane, key)
   ) WITHOUT ROWID;`;

const leftSince5 = (owner: string, event: (message: string) => string, rest: string): string[] => [
  `INSERT INTO ticket VALUES (1, '${owner}', 't', '${owner}', 1, 'whatsapp', 'contact', 'Farhan', 'open', NULL, NULL, '{}', NULL)`,
  `INSERT INTO message VALUES ('toDesk', 1, 'msg_1', 'incoming', '${event("one")}', 1000, 0, 'key-1', ${rest})`,
  `INSERT INTO message VALUES ('toDesk', 2, 'msg_2', 'incoming', '${event("two")}', 2000, 0, NULL, ${rest})`,
  `INSERT INTO message VALUES ('toDesk', 3, 'msg_3', 'incoming', '${event("three")}', ${Date.now()}, 1, NULL, ${rest})`,
  `INSERT INTO message VALUES ('toDesk', 4, 'msg_4', 'incoming', '${event("four")}', ${Date.now()}, 0, 'key-4', ${rest})`,
  `INSERT INTO outcome VALUES ('toDesk', 1, 'delivered', NULL, '[]', 1, 1000, 1, NULL)`,
  `INSERT INTO outcome VALUES ('toDesk', 2, 'dead', 'rejected', '[{"at":"2026-01-01T00:00:00.000Z","ms":1,"status":422}]', 1, 2000, 1, NULL)`,
  `INSERT INTO outcome VALUES ('toDesk', 3, 'waiting', NULL, '[{"at":"2026-01-01T00:00:00.000Z","ms":1,"status":503}]', 1, ${Date.now()}, 1, 5000)`,
  `INSERT INTO idempotency VALUES ('toDesk', 'key-1', 1, ${Date.now() + 60_000})`,
  `INSERT INTO idempotency VALUES ('toDesk', 'key-4', 4, ${Date.now() + 60_000})`,
];

/**
 * Objects as each version before left them: one message delivered, one dead, one that failed and waits, one never tried,
 * and a key. The statements are frozen; a new version adds the one before it here.
 */
const LEFT_BY: Record<number, (owner: string, event: (message: string) => string) => string[]> = {
  1: (owner, event) => [
    `INSERT INTO ticket VALUES (1, '${owner}', 't', '${owner}', 1, 'whatsapp', 'contact', 'Farhan', 'open', NULL, NULL, '{}')`,
    `INSERT INTO message VALUES ('toDesk', 1, 'msg_1', 'incoming', '${event("one")}', 1000, 0)`,
    `INSERT INTO message VALUES ('toDesk', 2, 'msg_2', 'incoming', '${event("two")}', 2000, 0)`,
    `INSERT INTO message VALUES ('toDesk', 3, 'msg_3', 'incoming', '${event("three")}', ${Date.now()}, 0)`,
    `INSERT INTO message VALUES ('toDesk', 4, 'msg_4', 'incoming', '${event("four")}', ${Date.now()}, 0)`,
    `INSERT INTO outcome VALUES ('toDesk', 1, 'delivered', NULL, '[]', 1, 1000, 1, NULL)`,
    `INSERT INTO outcome VALUES ('toDesk', 2, 'dead', 'rejected', '[{"at":"2026-01-01T00:00:00.000Z","ms":1,"status":422}]', 1, 2000, 1, NULL)`,
    `INSERT INTO outcome VALUES ('toDesk', 3, 'waiting', NULL, '[{"at":"2026-01-01T00:00:00.000Z","ms":1,"status":503}]', 1, ${Date.now()}, 1, 5000)`,
    `INSERT INTO idempotency VALUES ('toDesk', 'key-4', 4, ${Date.now() + 60_000})`,
  ],
  2: (owner, event) => [
    `INSERT INTO ticket VALUES (1, '${owner}', 't', '${owner}', 1, 'whatsapp', 'contact', 'Farhan', 'open', NULL, NULL, '{}')`,
    `INSERT INTO message VALUES ('toDesk', 1, 'msg_1', 'incoming', '${event("one")}', 1000, 0, 'key-1')`,
    `INSERT INTO message VALUES ('toDesk', 2, 'msg_2', 'incoming', '${event("two")}', 2000, 0, NULL)`,
    `INSERT INTO message VALUES ('toDesk', 3, 'msg_3', 'incoming', '${event("three")}', ${Date.now()}, 1, NULL)`,
    `INSERT INTO message VALUES ('toDesk', 4, 'msg_4', 'incoming', '${event("four")}', ${Date.now()}, 0, 'key-4')`,
    `INSERT INTO outcome VALUES ('toDesk', 1, 'delivered', NULL, '[]', 1, 1000, 1, NULL)`,
    `INSERT INTO outcome VALUES ('toDesk', 2, 'dead', 'rejected', '[{"at":"2026-01-01T00:00:00.000Z","ms":1,"status":422}]', 1, 2000, 1, NULL)`,
    `INSERT INTO outcome VALUES ('toDesk', 3, 'waiting', NULL, '[{"at":"2026-01-01T00:00:00.000Z","ms":1,"status":503}]', 1, ${Date.now()}, 1, 5000)`,
    `INSERT INTO idempotency VALUES ('toDesk', 'key-1', 1, ${Date.now() + 60_000})`,
    `INSERT INTO idempotency VALUES ('toDesk', 'key-4', 4, ${Date.now() + 60_000})`,
  ],
  3: (owner, event) => [
    `INSERT INTO ticket VALUES (1, '${owner}', 't', '${owner}', 1, 'whatsapp', 'contact', 'Farhan', 'open', NULL, NULL, '{}', NULL)`,
    `INSERT INTO message VALUES ('toDesk', 1, 'msg_1', 'incoming', '${event("one")}', 1000, 0, 'key-1')`,
    `INSERT INTO message VALUES ('toDesk', 2, 'msg_2', 'incoming', '${event("two")}', 2000, 0, NULL)`,
    `INSERT INTO message VALUES ('toDesk', 3, 'msg_3', 'incoming', '${event("three")}', ${Date.now()}, 1, NULL)`,
    `INSERT INTO message VALUES ('toDesk', 4, 'msg_4', 'incoming', '${event("four")}', ${Date.now()}, 0, 'key-4')`,
    `INSERT INTO outcome VALUES ('toDesk', 1, 'delivered', NULL, '[]', 1, 1000, 1, NULL)`,
    `INSERT INTO outcome VALUES ('toDesk', 2, 'dead', 'rejected', '[{"at":"2026-01-01T00:00:00.000Z","ms":1,"status":422}]', 1, 2000, 1, NULL)`,
    `INSERT INTO outcome VALUES ('toDesk', 3, 'waiting', NULL, '[{"at":"2026-01-01T00:00:00.000Z","ms":1,"status":503}]', 1, ${Date.now()}, 1, 5000)`,
    `INSERT INTO idempotency VALUES ('toDesk', 'key-1', 1, ${Date.now() + 60_000})`,
    `INSERT INTO idempotency VALUES ('toDesk', 'key-4', 4, ${Date.now() + 60_000})`,
  ],
  4: (owner, event) => [
    `INSERT INTO ticket VALUES (1, '${owner}', 't', '${owner}', 1, 'whatsapp', 'contact', 'Farhan', 'open', NULL, NULL, '{}', NULL)`,
    `INSERT INTO message VALUES ('toDesk', 1, 'msg_1', 'incoming', '${event("one")}', 1000, 0, 'key-1', NULL)`,
    `INSERT INTO message VALUES ('toDesk', 2, 'msg_2', 'incoming', '${event("two")}', 2000, 0, NULL, NULL)`,
    `INSERT INTO message VALUES ('toDesk', 3, 'msg_3', 'incoming', '${event("three")}', ${Date.now()}, 1, NULL, NULL)`,
    `INSERT INTO message VALUES ('toDesk', 4, 'msg_4', 'incoming', '${event("four")}', ${Date.now()}, 0, 'key-4', NULL)`,
    `INSERT INTO outcome VALUES ('toDesk', 1, 'delivered', NULL, '[]', 1, 1000, 1, NULL)`,
    `INSERT INTO outcome VALUES ('toDesk', 2, 'dead', 'rejected', '[{"at":"2026-01-01T00:00:00.000Z","ms":1,"status":422}]', 1, 2000, 1, NULL)`,
    `INSERT INTO outcome VALUES ('toDesk', 3, 'waiting', NULL, '[{"at":"2026-01-01T00:00:00.000Z","ms":1,"status":503}]', 1, ${Date.now()}, 1, 5000)`,
    `INSERT INTO idempotency VALUES ('toDesk', 'key-1', 1, ${Date.now() + 60_000})`,
    `INSERT INTO idempotency VALUES ('toDesk', 'key-4', 4, ${Date.now() + 60_000})`,
  ],
  5: (owner, event) => leftSince5(owner, event, "NULL, NULL"),
  6: (owner, event) => leftSince5(owner, event, "NULL, NULL, NULL"),
};

const VERSION = MIGRATIONS.length + 1;

/** Makes the tables of a new object, or leads those that are there through these migrations. */
function build({ kv, sql }: DurableObjectStorage, migrations: readonly Migration[]) {
  migrate({ kv, exec: (...query) => sql.exec(...query) }, SCHEMA, migrations);
}

/** The tables of version 1, led to another. */
function buildFrom1(storage: DurableObjectStorage, version: number) {
  storage.sql.exec(FIRST);
  storage.kv.put("schema", 1);
  build(storage, MIGRATIONS.slice(0, version - 1));
}

const ALL = { state: undefined, search: undefined, before: undefined, limit: 10 };

const farEnds = useFarEnds();

test("there is an object of every version before", () => {
  expect(Object.keys(LEFT_BY).map(Number)).toEqual(Array.from({ length: VERSION - 1 }, (_, n) => n + 1));
});

/** Its indexes as they were made, and its tables with the columns of each: an ALTER words a table otherwise. */
const shapeOf = ({ sql }: DurableObjectStorage) => ({
  indexes: sql
    .exec("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY name")
    .toArray(),
  tables: sql.exec("SELECT name, wr FROM pragma_table_list WHERE name NOT GLOB '*_*' ORDER BY name").toArray(),
  columns: sql
    .exec(
      `SELECT t.name AS tableName, c.* FROM sqlite_schema t JOIN pragma_table_info(t.name) c
       WHERE t.type = 'table' AND t.name NOT GLOB '_cf_*' ORDER BY t.name, c.cid`,
    )
    .toArray(),
});

test("a new object is made like one that came through every version", async () => {
  const shapes = await Promise.all(
    ["new", "old"].map((ticketNumber) =>
      runInDurableObject(ticketOf("shapes", ticketNumber), (_ticket, { storage }) => {
        if (ticketNumber === "new") build(storage, MIGRATIONS);
        else buildFrom1(storage, VERSION);
        return shapeOf(storage);
      }),
    ),
  );
  expect(shapes[0]).toEqual(shapes[1]);
  expect(shapes[0]?.indexes.map(({ name }) => name)).toEqual(["undelivered"]);
  expect(shapes[0]?.tables.map(({ name }) => name)).toEqual(["idempotency", "message", "outcome", "ticket"]);
  expect(shapes[0]?.columns.length).toBeGreaterThan(30);
});

describe.each(Object.keys(LEFT_BY).map(Number))("an object of version %i", (version) => {
  test(`an object of version ${version} delivers what waits, in order, and goes on from there`, async () => {
    const owner = await registerTenant();
    const anHourAgoMs = Date.now() - 3600_000;
    const event = (message: string) => JSON.stringify({ owner, ticketNumber: "t", message });
    const stub = ticketOf(owner, "t");
    await runInDurableObject(stub, (_ticket, { storage }) => {
      buildFrom1(storage, version);
      for (const sql of LEFT_BY[version]?.(owner, event) ?? []) storage.sql.exec(sql);
      // What retention would delete is no example of what is kept.
      storage.sql.exec("UPDATE message SET acceptedAtMs = acceptedAtMs + ?", anHourAgoMs);
    });
    await evictDurableObject(stub);

    await accepted(incoming(owner, "t", "five"));
    const view = await untilView(owner, "t", (seen) => seen.lanes.toDesk.delivered === 4);
    expect(farEnds.texts()).toEqual(["three", "four", "five"]);
    expect(farEnds.sent.map((one) => one.headers.get("webhook-id")).slice(0, 2)).toEqual(["msg_3", "msg_4"]);
    expect(farEnds.sent[0]?.headers.get("relay-attempt")).toBe("2");
    expect(view.lanes.toDesk).toMatchObject({ accepted: 5, delivered: 4, waiting: 0, dead: 1 });
    const newest = await runInDurableObject(stub, (_ticket, { storage }) => storage.kv.get("schema"));
    expect(newest).toBe(VERSION);

    // A ticket that is older than the index has never been reported to it.
    await stub.sweep();
    const { tickets } = await env.TENANT_INDEX.getByName(owner).tickets(ALL);
    expect(tickets).toMatchObject([
      { ticketNumber: "t", openedAt: new Date(anHourAgoMs + 1000).toISOString(), lanes: { toDesk: view.lanes.toDesk } },
    ]);

    await operator("POST", `/tickets/${owner}/t/replay`, { all: true });
    await farEnds.until(4);
    expect(farEnds.texts().at(-1)).toBe("two");
  });
});

describe("a release that was rolled back", () => {
  const ADDED: Migration[] = [
    { table: "message", column: "sealed", type: "TEXT" },
    "CREATE INDEX IF NOT EXISTS bySeal ON message (sealed) WHERE sealed IS NOT NULL",
  ];
  const NEWER = [...MIGRATIONS, ...ADDED];

  /** A ticket with a message that waits, and in it the object of a newer version. */
  async function ticketOfNewer() {
    const owner = await registerTenant();
    const stub = ticketOf(owner, "t");
    farEnds.answerWith(status(503));
    await accepted(incoming(owner, "t", "one"));
    await untilView(owner, "t", (view) => view.lanes.toDesk.nextAttemptAt !== undefined);
    await runInDurableObject(stub, (_ticket, { storage }) => build(storage, NEWER));
    return { owner, stub };
  }
  const versionOf = (stub: DurableObjectStub<Ticket>) =>
    runInDurableObject(stub, (_ticket, { storage }) => storage.kv.get("schema"));

  test("a release that was rolled back works on the tables of the newer one, and leaves it its number", async () => {
    const { owner, stub } = await ticketOfNewer();
    await evictDurableObject(stub);
    farEnds.answerWith(ok);
    await accepted(incoming(owner, "t", "two"));
    await operator("POST", `/tickets/${owner}/t/replay`, { all: true });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
    await untilView(owner, "t", (view) => view.lanes.toDesk.delivered === 2);
    expect(farEnds.texts().slice(-2)).toEqual(["one", "two"]);
    expect(await versionOf(stub)).toBe(VERSION + ADDED.length);
  });

  test("a release that was rolled back may have written its own number down, and the newer one finds its columns and indexes all the same", async () => {
    const { stub } = await ticketOfNewer();
    // As version 0.1.0 does it.
    await runInDurableObject(stub, (_ticket, { storage }) => {
      storage.kv.put("schema", VERSION);
      const before = shapeOf(storage);
      build(storage, NEWER);
      expect(shapeOf(storage)).toEqual(before);
    });
    expect(await versionOf(stub)).toBe(VERSION + ADDED.length);
  });

  test("a release that was rolled back leaves the index of a tenant its number too, and a column it does not know makes no report a new one", async () => {
    const index = env.TENANT_INDEX.getByName("rolled back");
    await index.report(reportOf(1));
    await runInDurableObject(index, (_index, { storage }) => {
      storage.sql.exec("ALTER TABLE ticket ADD COLUMN later TEXT");
      storage.kv.put("schema", 9);
    });
    await evictDurableObject(index);
    await index.report(reportOf(2));
    const cost = await meter(index);
    await index.report(reportOf(1, { atMs: 2_000_000 }));
    expect((await cost()).written).toBe(0);
    expect(await runInDurableObject(index, (_index, { storage }) => storage.kv.get("schema"))).toBe(9);
    expect((await index.tickets(ALL)).tickets).toHaveLength(2);
  });
});
