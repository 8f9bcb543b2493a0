import { TicketStore } from "../../../src/ticket/store";

type Value = string | number | null;

/** What is used of Node's own SQLite: the types here are those of Workers. */
type Sqlite = {
  DatabaseSync: new (path: string) => {
    exec: (sql: string) => void;
    prepare: (sql: string) => { all: (...values: (Value | Uint8Array)[]) => Record<string, unknown>[] };
  };
};
const { DatabaseSync } = process.getBuiltinModule("node:sqlite") as unknown as Sqlite;

/** Node gives bytes as they stand in its own memory, and a Durable Object as a buffer. */
const withBuffers = (row: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value instanceof Uint8Array ? value.slice().buffer : value]),
  );

/** The store's own SQL, over SQLite in memory in the place of a Durable Object's storage. */
export function sqlRows(): TicketStore {
  const database = new DatabaseSync(":memory:");
  const kept = new Map<string, unknown>();
  const sql = {
    exec(query: string, ...values: (Value | ArrayBuffer)[]) {
      if (values.length === 0 && !query.startsWith("SELECT")) {
        database.exec(query);
        return { toArray: () => [] };
      }
      const given = values.map((value) => (value instanceof ArrayBuffer ? new Uint8Array(value) : value));
      const rows = database
        .prepare(query)
        .all(...given)
        .map(withBuffers);
      return { toArray: () => rows, [Symbol.iterator]: () => rows[Symbol.iterator]() };
    },
  };
  const kv = {
    get: (key: string) => kept.get(key),
    put: (key: string, value: unknown) => kept.set(key, value),
  };
  const transactionSync = (write: () => void) => {
    database.exec("SAVEPOINT once");
    try {
      write();
    } catch (error) {
      database.exec("ROLLBACK TO once");
      throw error;
    } finally {
      database.exec("RELEASE once");
    }
  };
  return new TicketStore({ sql, kv, transactionSync } as unknown as DurableObjectStorage);
}
