import { sectionsFor, type Field, type FieldPath } from "./fields";

/** What a form holds: the value of every field by its path, also of those that are not shown just now. Pure. */

export type Value = string | boolean | string[];
export type Draft = Partial<Record<FieldPath, Value>>;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export function draftOf(record: object, prefix = ""): Draft {
  const draft: Record<string, Value> = {};
  for (const [name, value] of Object.entries(record)) {
    const path = prefix + name;
    if (isObject(value)) Object.assign(draft, draftOf(value, `${path}.`));
    else if (Array.isArray(value)) draft[path] = value.map(String);
    else draft[path] = typeof value === "boolean" ? value : String(value);
  }
  return draft;
}

const typesOf = (draft: Draft) => ({
  desk: String(draft["desk.type"]),
  auth: String(draft["dolphins.auth.type"]),
});

export const sectionsOf = (draft: Draft) => sectionsFor(typesOf(draft).desk, typesOf(draft).auth);

/**
 * The record to put: `before` with every field that is shown as it is in the form. What the form does not know stays; of a
 * desk or an authentication of another type nothing stays.
 */
export function recordOf(draft: Draft, before: object): Record<string, unknown> {
  const record = structuredClone(before) as Record<string, unknown>;
  const was = typesOf(draftOf(before));
  const is = typesOf(draft);
  if (was.desk !== is.desk) record["desk"] = {};
  if (was.auth !== is.auth && isObject(record["dolphins"])) record["dolphins"]["auth"] = {};
  for (const { fields } of sectionsOf(draft)) for (const field of fields) put(record, field, draft[field.path]);
  return record;
}

function put(record: Record<string, unknown>, field: Field, value: Value | undefined): void {
  const names = field.path.split(".");
  const last = names.pop();
  if (last === undefined) return;
  let holder = record;
  for (const name of names) {
    const inner = isObject(holder[name]) ? holder[name] : {};
    holder[name] = inner;
    holder = inner;
  }
  const written = writtenValue(field, value);
  if (written === undefined) delete holder[last];
  else holder[last] = written;
}

/** Undefined for what is left out, so that the relay says that it is required, or takes its default. */
function writtenValue({ kind, optional }: Field, value: Value | undefined): unknown {
  if (value === undefined) return undefined;
  if (typeof value !== "string") return value;
  const text = kind === "secret" ? value : value.trim();
  if (kind === "number") return text === "" ? undefined : Number(text);
  return text === "" && optional ? undefined : text;
}
