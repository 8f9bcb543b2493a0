import { isKeptNumber, parseJson } from "../lib/json";

/** Stored events, as the JSON text they are kept in. */

type Fields = Record<string, unknown>;

function fieldsOf(event: string): Fields {
  const parsed = parseJson(event, { exactNumbers: true });
  if (!parsed.ok) throw new Error("a stored event is no JSON");
  return parsed.value as Fields;
}

const withKnown = (reply: Fields, known: { channel?: unknown; customerName?: unknown }): Fields => ({
  ...("channel" in known ? { channel: known.channel } : {}),
  ...("customerName" in known ? { customerName: known.customerName } : {}),
  ...reply,
});

/** A reply with what it left out, as its ticket knows it. */
export const completeReply = (reply: string, ticket: { channel: string; customerName: string }): string =>
  JSON.stringify(withKnown(fieldsOf(reply), ticket));

/**
 * Whether an event says what a stored one says, in whatever order its fields stand. What a reply leaves out is what was put
 * in its place then: the ticket may know better by now.
 */
export function isSameEvent(stored: string, event: string): boolean {
  if (stored === event) return true;
  const before = fieldsOf(stored);
  return JSON.stringify(inOrder(before)) === JSON.stringify(inOrder(withKnown(fieldsOf(event), before)));
}

/** With the fields of every object by their names. Pairs, since the order of an object's own keys is not for us to choose. */
function inOrder(value: unknown): unknown {
  if (typeof value !== "object" || value === null || isKeptNumber(value)) return value;
  if (Array.isArray(value)) return value.map(inOrder);
  const pairs = Object.entries(value).map(([name, inner]) => [name, inOrder(inner)] as const);
  return { pairs: pairs.toSorted(([a], [b]) => (a < b ? -1 : 1)) };
}
