import { parseJson } from "../lib/json";
import type { EngineContext } from "./authenticated";
import type { EngineRecord } from "./engine-record";
import { fieldsOf, messageOf, oldestFirst, type HistoryMessage } from "./history-row";
import { callService, failedWith, type Served } from "./service-call";

/** The Report API of 3Dolphins: the conversation of one ticket, on whatever channel it is. */

/** Dates are `yyyy-MM-dd` in the tenant's time zone. `startIndex` is the engine's own. */
export type HistoryQuery = { ticketNumber: string; from: string; to: string; startIndex: number };

export type History = { messages: HistoryMessage[]; next: string | undefined };

/** One page of the conversation, oldest first. */
export async function fetchHistory(
  record: EngineRecord,
  context: EngineContext,
  { ticketNumber, from, to, startIndex }: HistoryQuery,
  timeZone: string,
): Promise<Served<History>> {
  const served = await callService(record, context, {
    path: `/graph/report/conversations?startIndex=${startIndex}`,
    body: {
      channelFilters: [],
      channelTypeFilters: [],
      agentFilters: [],
      customerFilters: [],
      ticketTagFilters: [],
      startDateFilter: from,
      endDateFilter: to,
      ticketNumber,
    },
  });
  if (!served.ok) return served;
  const answer = withDataRead(served.value);
  const rows = rowsIn(answer);
  if (!rows) return failedWith("the answer holds no list of conversations");
  const messages = rows.map((row) => messageOf(row, ticketNumber, timeZone)).filter((message) => message !== undefined);
  return { ok: true, value: { messages: oldestFirst(messages), next: nextIn(answer, startIndex, rows.length) } };
}

/** The answer with its `data` read, where that is a JSON text. */
export function withDataRead(json: unknown): unknown {
  if (!isObject(json) || !("data" in json) || typeof json.data !== "string") return json;
  const data = parseJson(json.data);
  return data.ok ? { ...json, data: data.value } : json;
}

/** Where answers have what is looked for. Names are in lower case, without `_` and `-`: see `fieldsOf`. */
const LISTS = ["data", "conversations", "content", "items", "rows", "records", "results", "list"];
const HOLDERS = ["data", "paging", "pagination", "page", "meta"];
const HAS_MORE = ["hasmore", "hasnext"];
const NEXT_INDEX = ["nextindex", "nextstartindex", "next"];
const TOTAL = ["totalresults", "totalresult", "total", "totalcount", "totalelements"];

/** The rows of an answer: in `data`, or where other versions may have them. Undefined when it has something else there. */
export function rowsIn(json: unknown): unknown[] | undefined {
  if (Array.isArray(json)) return json;
  if (json === undefined || json === null) return [];
  if (!isObject(json)) return undefined;
  for (const holder of holdersIn(json)) {
    const values = [...LISTS.map((name) => holder.get(name)), ...holder.values()];
    const list = values.find((value) => Array.isArray(value));
    if (list) return list;
  }
  // An answer with no list at all has no rows, unless its `data` holds something else.
  const data = fieldsOf(json).get("data");
  return isObject(data) && Object.keys(data).length > 0 ? undefined : [];
}

/** Where the next page starts, or undefined on the last. An index that does not lead onwards ends the reading as well. */
export function nextIn(json: unknown, startIndex: number, rowCount: number): string | undefined {
  if (!isObject(json) || rowCount === 0) return undefined;
  const holders = holdersIn(json);
  const find = (names: readonly string[]): unknown => {
    const values = holders.flatMap((holder) => names.map((name) => ({ value: holder.get(name) })));
    return values.find(({ value }) => value !== undefined && value !== null)?.value;
  };
  const hasMore = find(HAS_MORE);
  if (hasMore === false || hasMore === "false") return undefined;
  const total = indexOf(find(TOTAL));
  const given = indexOf(find(NEXT_INDEX));
  const next = given ?? startIndex + rowCount;
  // `hasMore` is believed first, then the total. Where there is neither, an index for the next page means that there is one.
  const isMore = hasMore !== undefined || (total === undefined ? given !== undefined : next < total);
  return isMore && next > startIndex ? String(next) : undefined;
}

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The answer itself, and the objects in it that may hold its rows and its cursor. */
const holdersIn = (json: object): ReadonlyMap<string, unknown>[] => {
  const outer = fieldsOf(json);
  const inner = HOLDERS.map((name) => outer.get(name)).filter(isObject);
  return [outer, ...inner.map(fieldsOf)];
};

function indexOf(value: unknown): number | undefined {
  const isIndex = typeof value === "number" || (typeof value === "string" && /^\d+$/.test(value));
  return isIndex && Number.isSafeInteger(Number(value)) ? Number(value) : undefined;
}
