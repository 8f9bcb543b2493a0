/** What was asked for, or why not: for answers that cross RPC, where an exception loses its class. */
export type Result<T, E> = { ok: true; value: T } | { ok: false; error: E };
