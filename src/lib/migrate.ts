/** What leads from one version of an object's tables to the next: statements that may run twice, or one more column. */
export type Migration = string | { table: string; column: string; type: string };

type Database = {
  kv: Pick<SyncKvStorage, "get" | "put">;
  exec: (sql: string, ...values: string[]) => { toArray: () => unknown[] };
};

/** Where the version stands: the platform refuses PRAGMA user_version. */
const VERSION_KEY = "schema";

/** Whether an object has any tables. Writes nothing. */
export const hasTables = ({ kv }: Pick<Database, "kv">): boolean => kv.get(VERSION_KEY) !== undefined;

/**
 * Brings an object's tables to the newest version. `migrations[n - 1]` leads from version n to the next, and `fresh` makes
 * the newest at once. An object may come from a later version too, when a release is rolled back: it keeps its number. An
 * earlier release may have written its own number over a later one, so what is there already is left as it is.
 */
export function migrate({ kv, exec }: Database, fresh: string, migrations: readonly Migration[]): void {
  const newest = migrations.length + 1;
  const version = kv.get<number>(VERSION_KEY);
  if (version !== undefined && version >= newest) return;
  for (const migration of version === undefined ? [fresh] : migrations.slice(version - 1)) {
    if (typeof migration === "string") exec(migration);
    else addColumn(exec, migration);
  }
  kv.put(VERSION_KEY, newest);
}

function addColumn(exec: Database["exec"], { table, column, type }: Exclude<Migration, string>): void {
  const isThere = exec("SELECT 1 FROM pragma_table_info(?) WHERE name = ?", table, column).toArray().length > 0;
  if (!isThere) exec(`ALTER TABLE ${table} ADD COLUMN ${column} ${type}`);
}
