import { readDate } from "./dates";

/**
 * One row of the conversation report as a message. Of its fields only `answer` is documented, so the others are looked for
 * under the names that 3Dolphins uses elsewhere and that its kind uses; upper case, `_` and `-` make no difference. Pure.
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
const TICKET = ["ticketNumber", "ticketNo"];

type Fields = ReadonlyMap<string, unknown>;

/** A row, or undefined for what is none, and for one that says it is of another ticket: that is nobody's here to see. */
export function messageOf(row: unknown, ticketNumber: string, timeZone: string): HistoryMessage | undefined {
  if (typeof row !== "object" || row === null || Array.isArray(row)) return undefined;
  const fields = fieldsOf(row);
  const ticket = wordIn(fields, TICKET);
  if (ticket !== "" && ticket !== ticketNumber) return undefined;
  const from = isAnswer(fields.get("answer")) ? "agent" : "customer";
  const dates = DATE.map((name) => readDate(fields.get(plain(name)), timeZone));
  const atMs = dates.find((date) => date !== undefined);
  return {
    from,
    by: wordIn(fields, from === "agent" ? AGENT : CUSTOMER),
    text: wordIn(fields, TEXT) || wordIn(fields, LINK),
    ...(atMs === undefined ? {} : { at: new Date(atMs).toISOString() }),
    raw: row,
  };
}

/** Java's serialisers can be set to leave out a false: no `answer` is none. */
const isAnswer = (answer: unknown): boolean =>
  answer === true || answer === 1 || (typeof answer === "string" && /^(true|1|yes)$/i.test(answer));

const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");

export const fieldsOf = (json: object): Fields =>
  new Map(Object.entries(json).map(([name, value]) => [plain(name), value]));

/** The first of these fields that holds words: itself, or in an object of its own such as {"name":"…"}. */
function wordIn(fields: Fields, names: readonly string[]): string {
  for (const name of names) {
    const word = wordOf(fields.get(plain(name)));
    if (word !== "") return word;
  }
  return "";
}

function wordOf(value: unknown): string {
  if (typeof value === "string") return value.trim();
  if (typeof value === "number") return String(value);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "";
  const inner = fieldsOf(value);
  const words = ["name", "fullname", "displayname", "text", "message", "username", "url"].map((name) =>
    inner.get(name),
  );
  const names = [inner.get("firstname"), inner.get("lastname")].filter((word) => typeof word === "string");
  return (
    (words.find((word) => typeof word === "string" && word !== "") as string | undefined) ?? names.join(" ").trim()
  );
}

/** Oldest first. Where a row has no date, or the same as another, the engine's own order counts, whichever way it runs. */
export function oldestFirst(messages: readonly HistoryMessage[]): HistoryMessage[] {
  const dated = messages.flatMap((message) => message.at ?? []);
  const runsBack = (dated[0] ?? "") > (dated.at(-1) ?? "");
  let lastAt = "";
  return (runsBack ? messages.toReversed() : messages)
    .map((message) => ({ message, at: (lastAt = message.at ?? lastAt) }))
    .toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
    .map(({ message }) => message);
}
