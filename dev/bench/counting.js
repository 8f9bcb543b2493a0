/**
 * Stands in front of a built Worker and counts the rows that its Durable Objects write, as Cloudflare bills them: those of
 * SQL statements, and one for each setAlarm and each write of the key-value side.
 */
import * as worker from "./counted-worker.js";

export * from "./counted-worker.js";

let rowsWritten = 0;

function counting(ctx) {
  const { storage } = ctx;
  const { sql, kv } = storage;
  const exec = sql.exec.bind(sql);
  const setAlarm = storage.setAlarm.bind(storage);
  const put = kv.put.bind(kv);
  sql.exec = (...statement) => {
    const cursor = exec(...statement);
    rowsWritten += cursor.rowsWritten;
    return cursor;
  };
  storage.setAlarm = (atMs) => {
    rowsWritten++;
    return setAlarm(atMs);
  };
  kv.put = (key, value) => {
    rowsWritten++;
    put(key, value);
  };
  return ctx;
}

const counted = (DurableObject) =>
  class extends DurableObject {
    constructor(ctx, env) {
      super(counting(ctx), env);
    }
  };

export const Ticket = counted(worker.Ticket);
// The yardstick has no index.
export const TenantIndex = counted(worker.TenantIndex ?? worker.Ticket);

export default {
  ...worker.default,
  fetch(request, env, ctx) {
    if (new URL(request.url).pathname === "/rows-written") return new Response(String(rowsWritten));
    return worker.default.fetch(request, env, ctx);
  },
};
