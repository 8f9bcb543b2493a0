import { withError } from "../model/attempt";
import { clip } from "../lib/text";
import type { IncomingEvent } from "../model/event";
import type { Result } from "../model/result";
import type { DeadLetterGroup, LaneName, TicketView } from "../model/answers";
import {
  fitting,
  groupedByCause,
  LANES,
  pageOf,
  type DeadFilter,
  type DeadLetters,
  type DeliveryStatus,
  type Page,
} from "../model/timeline";
import type { TicketDeps } from "./deps";
import { takenUpTo } from "./lane";

/** What a ticket shows of itself. The longer answers are JSON texts, so that they are written once and pass RPC as they are. */

type Shown = Pick<TicketDeps, "cache" | "store">;

/** No Incoming Event has opened this ticket, or it is gone. */
export type UnknownTicket = { code: "unknown_ticket" };
export const UNKNOWN_TICKET = { ok: false, error: { code: "unknown_ticket" } } as const;

/** State and one page of the timeline, as the JSON of a TicketView. */
export function timeline(
  page: Page,
  { cache, store, nowMs }: Shown & Pick<TicketDeps, "nowMs">,
): Result<string, UnknownTicket> {
  if (!cache.ticket) return UNKNOWN_TICKET;
  const { ticketNumber, owner, channel, contactId, customerName, state } = cache.ticket;
  const rows = (lane: LaneName) => {
    const wanted = page[lane];
    return wanted ? store.readTimeline(lane, wanted.before, takenUpTo(cache.lane(lane))) : [];
  };
  const view: TicketView = {
    status: "success",
    ticket: {
      ticketNumber,
      owner,
      channel,
      contactId,
      customerName,
      state,
      lanes: { toDesk: cache.laneView("toDesk", nowMs()), toDolphins: cache.laneView("toDolphins", nowMs()) },
      ...pageOf(page, { toDesk: rows("toDesk"), toDolphins: rows("toDolphins") }),
    },
  };
  return { ok: true, value: JSON.stringify(view) };
}

export type TicketInfo = {
  contactId: string;
  /** Undefined when retention has deleted the first message. */
  openedAtMs: number | undefined;
};

export function ticketInfo({ cache, store }: Shown): Result<TicketInfo, UnknownTicket> {
  if (!cache.ticket) return UNKNOWN_TICKET;
  const { contactId } = cache.ticket;
  return { ok: true, value: { contactId, openedAtMs: store.readMessage("toDesk", 1)?.acceptedAtMs } };
}

const LONGEST_QUOTE = 100;

/** The first line of what the customer said, as a reply quotes it; undefined where it had no words or is gone. */
export function quotable(id: string, { cache, store }: Shown): string | undefined {
  const sequence = cache.ticket && store.findNewest("toDesk", id);
  const row = sequence === undefined ? undefined : store.readMessage("toDesk", sequence);
  if (row?.kind !== "incoming") return undefined;
  const { message } = JSON.parse(row.event) as IncomingEvent;
  const line = message.split("\n").find((one) => one.trim() !== "");
  return line && line.length > LONGEST_QUOTE ? `${clip(line, LONGEST_QUOTE)}…` : line;
}

/** Up to `limit` dead letters, and what fits into one answer, behind the one given, as the JSON of a DeadLetters. */
export function deadLetters(
  after: { lane: LaneName; sequence: number },
  limit: number,
  filter: DeadFilter,
  { cache, store }: Shown,
): Result<string, UnknownTicket> {
  if (!cache.ticket) return UNKNOWN_TICKET;
  const { channel, customerName } = cache.ticket;
  const read = (lane: LaneName, from: number, most: number) =>
    (filter.lane ?? lane) === lane ? store.readDead(lane, from, most, filter) : [];
  const toDesk = after.lane === "toDesk" ? read("toDesk", after.sequence, limit) : [];
  const from = after.lane === "toDolphins" ? after.sequence : 0;
  const toDolphins = read("toDolphins", from, limit - toDesk.length);
  const all = [...toDesk, ...toDolphins];
  const letters = fitting(all);
  const shown: DeadLetters = { channel, customerName, deadLetters: letters, isCut: letters.length < all.length };
  return { ok: true, value: JSON.stringify(shown) };
}

/** The ticket's dead letters by cause. */
export function deadCauses(filter: DeadFilter, { cache, store }: Shown): DeadLetterGroup[] {
  const lanes = LANES.filter((lane) => cache.ticket && (filter.lane ?? lane) === lane);
  return groupedByCause(lanes.flatMap((lane) => store.readCauses(lane, filter)));
}

/** What became of an accepted message, waiting up to `waitMs` for its end. */
export async function deliveryStatus(
  lane: LaneName,
  sequence: number,
  waitMs: number,
  deps: Shown & Pick<TicketDeps, "waiters">,
): Promise<DeliveryStatus> {
  const now = statusNow(lane, sequence, deps);
  if (now.state !== "waiting") return now;
  await deps.waiters.until(`${lane}:${sequence}`, waitMs);
  return statusNow(lane, sequence, deps);
}

function statusNow(lane: LaneName, sequence: number, { cache, store }: Shown): DeliveryStatus {
  if (sequence > cache.lane(lane).frontier) return { state: "waiting" };
  const history = store.readHistory(lane, sequence);
  const last = history?.attempts.at(-1);
  if (!history || !last || history.state === "waiting") return { state: "waiting" };
  return history.reason === null
    ? { state: "delivered" }
    : { state: "dead", reason: history.reason, last: withError(last) };
}
