import type { DeadLetter, LaneName, TimelineMessage } from "./answers";

/** How the timeline of a ticket is paged: README, "Where is message X?". All times are ISO 8601, UTC. */

export type {
  Attempt,
  DeadLetter,
  LaneName,
  LaneView,
  MessageState,
  TicketState,
  TicketView,
  TimelineMessage,
} from "./answers";

export const LANES = ["toDesk", "toDolphins"] as const satisfies LaneName[];

/** Some of a ticket's dead letters: of each lane the oldest first, and the lane to the desk before the other. */
export type DeadLetters = { channel: string; customerName: string; deadLetters: DeadLetter[] };

/** Which dead letters were put back, or would be; `late` are those of them that arrive after later ones of their lane. */
export type Replayed = { replayed: string[]; late: string[] };

/**
 * Which page: the newest messages of one lane before a sequence, or of both lanes, each before its own.
 * A lane that is left out is not shown.
 */
export type Page = Partial<Record<LaneName, { before: number }>>;

export const PAGE_SIZE = 100;

export const isoTime = (ms: number): string => new Date(ms).toISOString();

/**
 * One page out of what each lane has (newest first, up to one more than a page): the newest, oldest of them first, and
 * what to pass as `before` for the ones before: a sequence where one lane is shown, else one for each lane.
 */
export function pageOf(
  page: Page,
  rows: Record<LaneName, TimelineMessage[]>,
): { messages: TimelineMessage[]; next?: string } {
  const left = { toDesk: [...rows.toDesk], toDolphins: [...rows.toDolphins] };
  const newestFirst: TimelineMessage[] = [];
  while (newestFirst.length < PAGE_SIZE) {
    const [desk, dolphins] = [left.toDesk[0], left.toDolphins[0]];
    if (!desk && !dolphins) break;
    const lane = !dolphins || (desk && desk.acceptedAt > dolphins.acceptedAt) ? "toDesk" : "toDolphins";
    newestFirst.push(...left[lane].splice(0, 1));
  }
  const messages = newestFirst.toReversed();
  if (left.toDesk.length + left.toDolphins.length === 0) return { messages };
  const before = (lane: LaneName) =>
    messages.find((message) => message.lane === lane)?.sequence ?? page[lane]?.before ?? Number.MAX_SAFE_INTEGER;
  const next = LANES.filter((lane) => page[lane] !== undefined)
    .map(before)
    .join(",");
  return { messages, next };
}
