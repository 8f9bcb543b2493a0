import { isKeptNumber } from "../lib/json";

/**
 * What is put right about an event before it is judged. The engine shows nobody a refusal and does not send again, so what
 * can be read in one way only is no reason to lose it.
 */

/** Fields that hold a text. The other five (ids, type and command) are not guessed at: an event without them is for nobody. */
const TEXTS = [
  "accountId",
  "contactId",
  "message",
  "mediaLink",
  "customerName",
  "createdDate",
  "groupId",
  "language",
] as const;

/** C0 but tab, line feed and return. Postgres stores no NUL, and XML none of them. */
// oxlint-disable-next-line no-control-regex
const UNPRINTABLE = /[\0-\u0008\v\f\u000e-\u001f]/g;

/** A control may stand between the two halves of a pair: it goes first. */
const cleanText = (text: string): string => text.replace(UNPRINTABLE, "").toWellFormed();

/** A value whose texts and names any store can hold. What is nested deeper than `levels` is left as it is. */
export function cleanTexts(value: unknown, levels: number): unknown {
  if (typeof value === "string") return cleanText(value);
  if (typeof value !== "object" || value === null || levels === 0 || isKeptNumber(value)) return value;
  if (Array.isArray(value)) return value.map((inner) => cleanTexts(inner, levels - 1));
  const fields = Object.entries(value);
  let isChanged = false;
  for (const field of fields) {
    const [name, inner] = field;
    field[0] = cleanText(name);
    field[1] = cleanTexts(inner, levels - 1);
    isChanged ||= field[0] !== name || field[1] !== inner;
  }
  if (!isChanged) return value;
  // A name that only becomes one of the others is none of theirs.
  const names = Object.keys(value);
  return Object.fromEntries(fields.filter(([name], at) => name === names[at] || !Object.hasOwn(value, name)));
}

/** An event's own fields as texts, its link as a URL and its place in plain decimals, where they can be read as such. */
export function repairFields(fields: Record<string, unknown>): Record<string, unknown> {
  const repaired = { ...fields };
  for (const name of TEXTS) {
    if (Object.hasOwn(fields, name)) repaired[name] = asText(fields[name]);
  }
  const { messageType, message, mediaLink } = repaired;
  if (typeof mediaLink === "string") repaired["mediaLink"] = asLink(mediaLink);
  if (typeof message === "string" && typeof messageType === "string" && messageType.toLowerCase() === "location") {
    repaired["message"] = readPlace(message) ?? message;
  }
  return repaired;
}

function asText(value: unknown): unknown {
  if (value === null) return "";
  return typeof value === "number" || typeof value === "boolean" || isKeptNumber(value) ? JSON.stringify(value) : value;
}

/** As the URL parser writes it: what the desk gets is what was judged. Another scheme than http is nobody's link. */
function asLink(link: string): string {
  const trimmed = link.trim();
  return (trimmed === "" ? undefined : readLink(trimmed)?.href) ?? trimmed;
}

/** An http or https URL. */
export function readLink(link: string): URL | undefined {
  const url = URL.parse(link);
  return url?.protocol === "https:" || url?.protocol === "http:" ? url : undefined;
}

const PLACE = /^\s*([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*,\s*([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*$/;

/** `latitude,longitude` in degrees within ±90 and ±180, as it came or else without an exponent; undefined for anything else. */
export function readPlace(message: string): string | undefined {
  const [, latitude = "", longitude = ""] = PLACE.exec(message) ?? [];
  if (latitude === "" || Math.abs(Number(latitude)) > 90 || Math.abs(Number(longitude)) > 180) return undefined;
  return /e/i.test(message) ? `${plain(latitude)},${plain(longitude)}` : message;
}

/** So many places after the point are far finer than an atom, and a double's own error does not show in them. */
const MOST_DECIMALS = 20;

/** Java prints doubles below a thousandth with an exponent; most that reads them for a place does not know one. */
function plain(degrees: string): string {
  const number = Number(degrees) || 0;
  const text = String(number);
  return text.includes("e") ? withoutZeros(number.toFixed(MOST_DECIMALS)) : text;
}

const withoutZeros = (decimals: string): string => decimals.replace(/\.?0+$/, "").replace(/^-0$/, "0");
