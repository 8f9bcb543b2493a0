import { isKeptNumber, parseJson } from "../lib/json";

/** Stored events, as the JSON text they are kept in. */

type Fields = Record<string, unknown>;

function fieldsOf(event: string): Fields {
  const parsed = parseJson(event, { exactNumbers: true });
  if (!parsed.ok) throw new Error("a stored event is no JSON");
  return parsed.value as Fields;
}

/** A reply with what it left out, as its ticket knows it. */
export const completeReply = (reply: string, known: { channel: string; customerName: string }): string =>
  JSON.stringify({ channel: known.channel, customerName: known.customerName, ...fieldsOf(reply) });

/** A reply without what its ticket knows: it may come with that once, and without it the next time. */
export const asFarAsSaid = ({ channel: _channel, customerName: _name, ...reply }: Fields): Fields => reply;

/** The same text for events that say the same, in whatever order their fields stand. */
export const comparable = (event: unknown): string => JSON.stringify(inOrder(event));

/** With the fields of every object by their names. Pairs, since the order of an object's own keys is not for us to choose. */
function inOrder(value: unknown): unknown {
  if (typeof value !== "object" || value === null || isKeptNumber(value)) return value;
  if (Array.isArray(value)) return value.map(inOrder);
  const said = Object.entries(value).filter(([, inner]) => inner !== undefined);
  const pairs = said.map(([name, inner]) => [name, inOrder(inner)] as const);
  return { pairs: pairs.toSorted(([a], [b]) => (a < b ? -1 : 1)) };
}
