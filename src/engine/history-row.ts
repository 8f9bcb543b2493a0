import { isKeptNumber, rawNumberOf } from "../lib/json";
import { readDate } from "./dates";

/**
 * One row of the conversation report as a message. Of its fields only `answer` is documented. The others are looked for
 * under the names that 3Dolphins uses elsewhere, and that systems like it use. Upper case, `_` and `-` make no difference.
 * Pure.
 */

export type HistoryMessage = {
  from: "customer" | "agent";
  /** Empty when the row names nobody. */
  by: string;
  text: string;
  /** ISO 8601, UTC; left out when the row has no date that can be read. */
  at?: string;
  raw: unknown;
};

const TEXT = ["message", "text", "messageText", "content", "conversation", "body", "msg", "chat", "value", "caption"];
const LINK = ["mediaLink", "mediaUrl", "fileUrl", "attachmentUrl", "attachment", "file", "media", "link", "url"];
const DATE = ["createdDate", "conversationDate", "messageDate", "sentDate", "sendDate", "date", "createdAt", "sentAt"];
DATE.push("created", "timestamp", "dateTime", "time", "startDate", "modifiedDate");
const CUSTOMER = ["customerName", "contactName", "customer", "contact", "accountName", "senderName", "sender", "from"];
CUSTOMER.push("by", "name", "fullName", "displayName", "username", "accountId");
const AGENT = ["agentName", "agent", "operatorName", "answeredBy", "answerBy", "repliedBy", "userName", "user"];
AGENT.push("senderName", "sender", "from", "by", "createdBy", "name", "fullName", "displayName");
const TICKET = new Set(["ticketnumber", "ticketno"]);

type Fields = ReadonlyMap<string, unknown>;

/** A row as a message. Undefined for what is no row, and for a row of another ticket, which nobody here may see. */
export function messageOf(row: unknown, ticketNumber: string, timeZone: string): HistoryMessage | undefined {
  if (typeof row !== "object" || row === null || Array.isArray(row)) return undefined;
  const fields = fieldsOf(row);
  const tickets = ticketsIn(row);
  if (tickets.length > 0 && !tickets.includes(ticketNumber)) return undefined;
  const from = isAnswer(fields.get("answer")) ? "agent" : "customer";
  const dates = DATE.map((name) => readDate(fields.get(plain(name)), timeZone));
  const atMs = dates.find((date) => date !== undefined);
  return {
    from,
    by: textIn(fields, from === "agent" ? AGENT : CUSTOMER),
    text: textIn(fields, TEXT) || textIn(fields, LINK),
    ...(atMs === undefined ? {} : { at: new Date(atMs).toISOString() }),
    raw: row,
  };
}

/** Java's serialisers can be set to leave out what is false, so a row without `answer` is a customer's. */
const isAnswer = (answer: unknown): boolean =>
  answer === true || answer === 1 || (typeof answer === "string" && /^(true|1|yes)$/i.test(answer));

const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");

export const fieldsOf = (json: object): Fields =>
  new Map(Object.entries(json).map(([name, value]) => [plain(name), value]));

/** The tickets that a row names: in its own fields, or else in the objects in them, the outermost first. */
function ticketsIn(row: object): string[] {
  let level = [row];
  while (level.length > 0) {
    const fields = level.flatMap((one) => Object.entries(one));
    const named = fields.flatMap(([name, value]) => (TICKET.has(plain(name)) ? scalarsIn(value) : []));
    if (named.length > 0) return named;
    level = fields.flatMap(([, value]) => (typeof value === "object" && value !== null ? [value as object] : []));
  }
  return [];
}

/** All texts and numbers in what a row says of its ticket, which may be a list or an object. */
function scalarsIn(value: unknown): string[] {
  const found: string[] = [];
  for (let level = [value]; level.length > 0;) {
    level = level.flatMap((one) => {
      if (typeof one === "object" && one !== null && !isKeptNumber(one)) return Object.values(one) as unknown[];
      const text = textOf(typeof one === "boolean" ? String(one) : one);
      if (text !== "") found.push(text);
      return [];
    });
  }
  return found;
}

/** The first of these fields that holds a text: itself, or in an object of its own such as {"name":"…"}. */
function textIn(fields: Fields, names: readonly string[]): string {
  for (const name of names) {
    const text = textOf(fields.get(plain(name)));
    if (text !== "") return text;
  }
  return "";
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value.trim();
  if (typeof value === "number") return String(value);
  const digits = rawNumberOf(value);
  if (digits !== undefined) return digits;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "";
  const inner = fieldsOf(value);
  const texts = ["name", "fullname", "displayname", "text", "message", "username", "url"].map((name) =>
    inner.get(name),
  );
  const names = [inner.get("firstname"), inner.get("lastname")].filter((name) => typeof name === "string");
  return texts.filter((text) => typeof text === "string").find((text) => text !== "") ?? names.join(" ").trim();
}

/** Oldest first. Rows with the same date, or with none, keep the engine's own order, whichever way that runs. */
export function oldestFirst(messages: readonly HistoryMessage[]): HistoryMessage[] {
  const dated = messages.flatMap((message) => message.at ?? []);
  const runsBack = (dated[0] ?? "") > (dated.at(-1) ?? "");
  let lastAt = "";
  return (runsBack ? messages.toReversed() : messages)
    .map((message) => ({ message, at: (lastAt = message.at ?? lastAt) }))
    .toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
    .map(({ message }) => message);
}
