/**
 * One JSON line per event of note. Callers pass ids, codes and durations: never a secret, a request path (it may hold the
 * engine's key) or a customer's words.
 */
export function log(event: string, fields: Record<string, string | number | boolean | undefined>): void {
  console.log(JSON.stringify({ event, ...fields }));
}

/** The text of whatever was thrown, for a log line or an attempt's record. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
