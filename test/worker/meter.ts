import { runInDurableObject } from "cloudflare:test";
import type { TenantIndex, Ticket } from "../../src/index";

/**
 * Rows as Cloudflare bills them: those that SQL statements report, plus one for each setAlarm and each write of the
 * key-value side. Counted inside the real object, by standing in front of its storage.
 */

type Cost = { written: number; read: number; alarms: number };

/** Counts what the object does from now on. */
export async function meter<T extends Ticket | TenantIndex>(stub: DurableObjectStub<T>): Promise<() => Promise<Cost>> {
  const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
  let others = 0;
  let alarms = 0;
  await runInDurableObject(stub, (_object, { storage }) => {
    const exec = storage.sql.exec.bind(storage.sql);
    const setAlarm = storage.setAlarm.bind(storage);
    const put = storage.kv.put.bind(storage.kv);
    Object.assign(storage.sql, {
      exec: (sql: string, ...values: SqlStorageValue[]) => {
        const cursor = exec(sql, ...values);
        cursors.push(cursor);
        return cursor;
      },
    });
    Object.assign(storage, {
      setAlarm: (atMs: number) => {
        alarms++;
        return setAlarm(atMs);
      },
    });
    Object.assign(storage.kv, {
      put: (key: string, value: unknown) => {
        others++;
        put(key, value);
      },
    });
  });
  return () =>
    runInDurableObject(stub, () => ({
      written: cursors.reduce((sum, cursor) => sum + cursor.rowsWritten, 0) + others + alarms,
      read: cursors.reduce((sum, cursor) => sum + cursor.rowsRead, 0),
      alarms,
    }));
}
