import { clip } from "../lib/text";
import type { IncomingEvent } from "../model/event";
import type { Result } from "../model/result";
import type { DeadLetterGroup, LaneName, TicketView } from "../model/answers";
import {
  fitting,
  groupedByCause,
  isoTime,
  LANES,
  pageOf,
  type DeadFilter,
  type DeadLetters,
  type DeliveryStatus,
  type Page,
} from "../model/timeline";
import type { TicketDeps } from "./deps";
import { takenUpTo } from "./lane";
import { readAttempt, readDeadLetter, readEvent, readMessage } from "./stored-text";

/** What a ticket shows of itself. The longer answers are JSON texts, so that they are written once and pass RPC as they are. */

type Shown = Pick<TicketDeps, "cache" | "store" | "texts">;

/** No Incoming Event has opened this ticket, or it is gone. */
export type UnknownTicket = { code: "unknown_ticket" };
export const UNKNOWN_TICKET = { ok: false, error: { code: "unknown_ticket" } } as const;

/** State and one page of the timeline, as the JSON of a TicketView. */
export async function timeline(
  page: Page,
  { cache, store, texts, nowMs }: Shown & Pick<TicketDeps, "nowMs">,
): Promise<Result<string, UnknownTicket>> {
  const { ticket } = cache;
  if (!ticket) return UNKNOWN_TICKET;
  const { ticketNumber, owner, channel, contactId, customerName, state } = ticket;
  const rows = (lane: LaneName) => {
    const wanted = page[lane];
    return wanted ? store.readTimeline(lane, wanted.before) : [];
  };
  // All that is shown is of this moment: the rows are opened after the last of them is read.
  const taken = { toDesk: takenUpTo(cache.lane("toDesk")), toDolphins: takenUpTo(cache.lane("toDolphins")) };
  const lanes = { toDesk: cache.laneView("toDesk", nowMs()), toDolphins: cache.laneView("toDolphins", nowMs()) };
  const { messages, ...next } = pageOf(page, { toDesk: rows("toDesk"), toDolphins: rows("toDolphins") });
  const view: TicketView = {
    status: "success",
    ticket: {
      ticketNumber,
      owner,
      channel,
      contactId,
      customerName,
      state,
      lanes,
      messages: await Promise.all(messages.map((one) => readMessage(one, taken[one.lane], ticket, texts))),
      ...next,
    },
  };
  return { ok: true, value: JSON.stringify(view) };
}

export type TicketInfo = {
  contactId: string;
  /** Undefined when retention has deleted the first message. */
  openedAtMs: number | undefined;
};

export function ticketInfo({ cache, store }: Pick<Shown, "cache" | "store">): Result<TicketInfo, UnknownTicket> {
  if (!cache.ticket) return UNKNOWN_TICKET;
  const { contactId } = cache.ticket;
  return { ok: true, value: { contactId, openedAtMs: store.readMessage("toDesk", 1)?.acceptedAtMs } };
}

const LONGEST_QUOTE = 100;

/** The first line of what the customer said, as a reply quotes it; undefined where it had no words or is gone. */
export async function quotable(id: string, { cache, store, texts }: Shown): Promise<string | undefined> {
  const { ticket } = cache;
  const sequence = ticket && store.findNewest("toDesk", id);
  const row = sequence === undefined ? undefined : store.readMessage("toDesk", sequence);
  if (!ticket || row?.kind !== "incoming") return undefined;
  const event = await readEvent(row, ticket, texts);
  if (!event.ok) return undefined;
  const { message } = JSON.parse(event.value) as IncomingEvent;
  const line = message.split("\n").find((one) => one.trim() !== "");
  return line && line.length > LONGEST_QUOTE ? `${clip(line, LONGEST_QUOTE)}…` : line;
}

/** Up to `limit` dead letters, and what fits into one answer, behind the one given, as the JSON of a DeadLetters. */
export async function deadLetters(
  after: { lane: LaneName; sequence: number },
  limit: number,
  filter: DeadFilter,
  { cache, store, texts }: Shown,
): Promise<Result<string, UnknownTicket>> {
  const { ticket } = cache;
  if (!ticket) return UNKNOWN_TICKET;
  const { channel, customerName } = ticket;
  const read = (lane: LaneName, from: number, most: number) =>
    (filter.lane ?? lane) === lane ? store.readDead(lane, from, most, filter) : [];
  const toDesk = after.lane === "toDesk" ? read("toDesk", after.sequence, limit) : [];
  const from = after.lane === "toDolphins" ? after.sequence : 0;
  const toDolphins = read("toDolphins", from, limit - toDesk.length);
  const all = [...toDesk, ...toDolphins];
  const stored = fitting(all);
  const letters = await Promise.all(stored.map((one) => readDeadLetter(one, ticket, texts)));
  const shown: DeadLetters = { channel, customerName, deadLetters: letters, isCut: letters.length < all.length };
  return { ok: true, value: JSON.stringify(shown) };
}

/** The ticket's dead letters by cause. */
export async function deadCauses(filter: DeadFilter, { cache, store, texts }: Shown): Promise<DeadLetterGroup[]> {
  const { ticket } = cache;
  if (!ticket) return [];
  const lanes = LANES.filter((lane) => (filter.lane ?? lane) === lane);
  const causes = lanes.flatMap((lane) => store.readCauses(lane, filter));
  const groups = causes.map(async (cause): Promise<DeadLetterGroup> => {
    const { lane, reason, acceptedAtMs } = cause;
    const { status, error = "" } = await readAttempt(cause.last, cause, ticket, texts);
    const at = isoTime(acceptedAtMs);
    const group: DeadLetterGroup = { lane, reason, error, count: 1, oldestAt: at, newestAt: at };
    if (status !== undefined) group.status = status;
    return group;
  });
  return groupedByCause(await Promise.all(groups));
}

/** What became of an accepted message, waiting up to `waitMs` for its end. */
export async function deliveryStatus(
  lane: LaneName,
  sequence: number,
  waitMs: number,
  deps: Shown & Pick<TicketDeps, "waiters">,
): Promise<DeliveryStatus> {
  const now = await statusNow(lane, sequence, deps);
  if (now.state !== "waiting") return now;
  await deps.waiters.until(`${lane}:${sequence}`, waitMs);
  return statusNow(lane, sequence, deps);
}

async function statusNow(lane: LaneName, sequence: number, { cache, store, texts }: Shown): Promise<DeliveryStatus> {
  if (sequence > cache.lane(lane).frontier) return { state: "waiting" };
  const history = store.readHistory(lane, sequence);
  const last = history?.attempts.at(-1);
  if (!history || !last || history.state === "waiting") return { state: "waiting" };
  if (history.reason === null) return { state: "delivered" };
  const message = store.readMessage(lane, sequence);
  if (!cache.ticket || !message) return { state: "waiting" };
  return { state: "dead", reason: history.reason, last: await readAttempt(last, message, cache.ticket, texts) };
}
