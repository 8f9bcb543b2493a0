import { readTicket } from "../api/relay";
import { LANES, type LaneName, type TicketView, type TimelineMessage } from "../api/types";
import { headOf } from "./story";

export type TicketPage = TicketView["ticket"] & {
  /** The message that each waiting lane waits for, where it stands before those of the page. */
  heads: TimelineMessage[];
};

/** Pages looked through for the head of a lane: a lane holds 1,000 waiting messages, a page 100. */
const MOST_PAGES = 11;

/** The newest messages of a ticket, and those at the heads of its lanes however far back they stand. */
export async function readWithHeads(owner: string, ticketNumber: string, signal: AbortSignal): Promise<TicketPage> {
  const ticket = await readTicket(owner, ticketNumber, {}, signal);
  const heads = await Promise.all(LANES.map((lane) => findHead(owner, ticket, lane, signal)));
  return { ...ticket, heads: heads.filter((head) => head !== undefined) };
}

async function findHead(
  owner: string,
  { ticketNumber, lanes, messages }: TicketView["ticket"],
  name: LaneName,
  signal: AbortSignal,
): Promise<TimelineMessage | undefined> {
  const lane = lanes[name];
  const own = messages.filter((message) => message.lane === name);
  if (lane.waiting === 0 || lane.blockedBy === undefined || headOf(lane, own)) return undefined;
  // What waits stands at the end of the lane, unless older ones were replayed.
  let before = Math.min(own[0]?.sequence ?? Number.MAX_SAFE_INTEGER, lane.accepted - lane.waiting + 2);
  for (let pages = 0; pages < MOST_PAGES && before > 1; pages += 1) {
    const page = await readTicket(owner, ticketNumber, { lane: name, before }, signal);
    const head = headOf(lane, page.messages);
    if (head) return head;
    const first = page.messages[0];
    if (first?.sequence === undefined) return undefined;
    before = first.sequence;
  }
  return undefined;
}
