import type { EngineContext } from "./authenticated";
import type { EngineRecord } from "./engine-record";
import { callService, failedWith, type Served } from "./service-call";

/** The Contact API of 3Dolphins. */

/** Parameters that go on to the engine as they come. */
export const CONTACT_OPTIONS = ["ignoreDeleted", "includeChildrenSocial", "numberOfChildren"] as const;

export type ContactOptions = Partial<Record<(typeof CONTACT_OPTIONS)[number], string | undefined>>;

/** What an answer may hold when it holds no contact. */
const ENVELOPE = new Set(["status", "success", "code", "message", "error", "data"]);

/** The contact as JSON text, as the engine has it; undefined when it has none. */
export async function fetchContact(
  record: EngineRecord,
  context: EngineContext,
  contactId: string,
  options: ContactOptions,
): Promise<Served<string | undefined>> {
  const query = new URLSearchParams({ contactId });
  for (const name of CONTACT_OPTIONS) if (options[name] !== undefined) query.set(name, options[name]);
  const served = await callService(record, context, { path: `/graph/contacts/contactById?${query.toString()}` });
  if (!served.ok) return served;
  const contact = contactIn(served.value);
  try {
    return { ok: true, value: contact && JSON.stringify(contact) };
  } catch {
    return failedWith("the answer is nested deeper than the relay reads");
  }
}

/** The contact in an answer: bare, as {"data":{…}} or as {"data":[{…}]}. */
export function contactIn(json: unknown): object | undefined {
  const outer = firstOf(json);
  if (!isObject(outer)) return undefined;
  // A contact may have a field called data, too: then its id stands beside it.
  const isWrapped = "data" in outer && !("id" in outer) && !("contactId" in outer);
  const contact = isWrapped ? firstOf(outer.data) : outer;
  return isObject(contact) && Object.keys(contact).some((name) => !ENVELOPE.has(name)) ? contact : undefined;
}

const firstOf = (value: unknown): unknown => (Array.isArray(value) ? value[0] : value);

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);
