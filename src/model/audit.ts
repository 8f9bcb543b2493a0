import type { AuditEntry } from "./answers";

/** An entry before it has its place in the log. */
export type NewEntry = Omit<AuditEntry, "seq" | "at" | "hash">;

/** What a route says of what it has done: never a secret, and no word of a customer. */
export type Told = { details?: Record<string, string | number | boolean> | undefined; changes?: Change[] };

/** How often one and the same thing is an entry: a page that asks every few seconds is one look. */
export const LOOK_MS = 10 * 60_000;
/** Sign-ins that failed, in that time: more are not written, or whoever guesses would fill the log. */
export const MOST_FAILURES = 100;

/** What two looks at the same thing, by the same operator from the same place, have in common. */
export const lookOf = ({ actor, address, action, owner, ticketNumber, details }: NewEntry): string =>
  JSON.stringify([actor.by, actor.name, address, action, owner, ticketNumber, details]);

export type Change = { path: string; before?: unknown; after?: unknown };

const MOST_CHANGES = 100;
const LONGEST_VALUE = 300;

/** What of a record is another value than before, by its dotted path. A new record is one change. */
export function changesBetween(before: unknown, after: unknown, path = ""): Change[] {
  const changes: Change[] = [];
  collect(before, after, path, changes);
  return changes.slice(0, MOST_CHANGES);
}

function collect(before: unknown, after: unknown, path: string, changes: Change[]): void {
  if (isObject(before) && isObject(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    for (const key of keys) collect(before[key], after[key], path === "" ? key : `${path}.${key}`, changes);
  } else if (JSON.stringify(before) !== JSON.stringify(after)) {
    changes.push({
      path,
      ...(before === undefined ? {} : { before: shortened(before) }),
      ...(after === undefined ? {} : { after: shortened(after) }),
    });
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const shortened = (value: unknown): unknown =>
  typeof value === "string" && value.length > LONGEST_VALUE ? `${value.slice(0, LONGEST_VALUE)}…` : value;
