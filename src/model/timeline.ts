import type { Attempt, DeadLetter, DeadLetterGroup, LaneName } from "./answers";

/** How the timeline of a ticket is paged: README, "Where is message X?". All times are ISO 8601, UTC. */

/** What became of a message so far. `last` is its newest attempt, with its `error`. */
export type DeliveryStatus =
  | { state: "waiting" }
  | { state: "delivered" }
  | { state: "dead"; reason: string; last: Attempt };

export const LANES = ["toDesk", "toDolphins"] as const satisfies LaneName[];

/** Some of a ticket's dead letters: of each lane the oldest first, and the lane to the desk before the other. */
export type DeadLetters = {
  channel: string;
  customerName: string;
  deadLetters: DeadLetter[];
  /** There are more than these, which are as many as one answer may hold. */
  isCut: boolean;
};

/** Which dead letters are meant: those to which all of this applies. Times are of acceptance, epoch ms, both included. */
export type DeadFilter = {
  lane?: LaneName | undefined;
  reason?: DeadLetter["reason"] | undefined;
  /** Of the far end's last answer. */
  status?: number | undefined;
  sinceMs?: number | undefined;
  untilMs?: number | undefined;
};
/** The same, and of these the ones with the ids, or all. */
export type Which = ({ ids: string[] } | { all: true }) & { filter?: DeadFilter };

/** What does not tell one cause from another: ids, times and ports in a far end's answer. */
const PARTICULARS = /[0-9a-f-]*\d[0-9a-f-]{3,}/gi;

/** One list out of several, the largest group first. What differs in its numbers alone is one cause, under its newest text. */
export function groupedByCause(groups: readonly DeadLetterGroup[]): DeadLetterGroup[] {
  const causes = Map.groupBy(groups, ({ lane, reason, status, error }) =>
    JSON.stringify([lane, reason, status, error.replace(PARTICULARS, "#")]),
  );
  const sums = [...causes.values()].map((same) =>
    same.reduce((a, b) => ({
      ...(a.newestAt < b.newestAt ? b : a),
      count: a.count + b.count,
      oldestAt: a.oldestAt < b.oldestAt ? a.oldestAt : b.oldestAt,
    })),
  );
  return sums.toSorted((a, b) => b.count - a.count || (a.newestAt < b.newestAt ? 1 : -1));
}

/** Which dead letters were put back, or would be; `late` are those of them that arrive after later ones of their lane. */
export type Replayed = { replayed: string[]; late: string[] };

/**
 * Which page: the newest messages of one lane before a sequence, or of both lanes, each before its own.
 * A lane that is left out is not shown.
 */
export type Page = Partial<Record<LaneName, { before: number }>>;

export const PAGE_SIZE = 100;
/** A page ends here too. What an object answers may have 32 MiB, and a message with all its attempts some 300 KiB. */
export const PAGE_BYTES = 4 * 1024 * 1024;

/** `bytes` are about those that it has as JSON; `sequence` is that of its row, also where it is not shown. */
export type Sized<T> = { shown: T; bytes: number; sequence: number };

/** The first of these that fit into a page: one at least. */
export function fitting<T>(all: readonly Sized<T>[]): T[] {
  let bytes = 0;
  const end = all.findIndex((one, at) => (bytes += one.bytes) > PAGE_BYTES && at > 0);
  return all.slice(0, end === -1 ? all.length : end).map(({ shown }) => shown);
}

export const isoTime = (ms: number): string => new Date(ms).toISOString();

/**
 * One page out of what each lane has (newest first, up to one more than fits): the newest, oldest of them first, and
 * what to pass as `before` for the ones before: a sequence where one lane is shown, else one for each lane.
 */
export function pageOf<T extends { lane: LaneName; acceptedAtMs: number }>(
  page: Page,
  rows: Record<LaneName, Sized<T>[]>,
): { messages: T[]; next?: string } {
  const left = { toDesk: [...rows.toDesk], toDolphins: [...rows.toDolphins] };
  const newestFirst: Sized<T>[] = [];
  while (newestFirst.length < PAGE_SIZE) {
    const [desk, dolphins] = [left.toDesk[0], left.toDolphins[0]];
    if (!desk && !dolphins) break;
    const isDesk = !dolphins || (desk && desk.shown.acceptedAtMs > dolphins.shown.acceptedAtMs);
    newestFirst.push(...left[isDesk ? "toDesk" : "toDolphins"].splice(0, 1));
  }
  const messages = fitting(newestFirst).toReversed();
  if (messages.length === rows.toDesk.length + rows.toDolphins.length) return { messages };
  const before = (lane: LaneName) =>
    newestFirst.slice(0, messages.length).findLast(({ shown }) => shown.lane === lane)?.sequence ??
    page[lane]?.before ??
    Number.MAX_SAFE_INTEGER;
  const next = LANES.filter((lane) => page[lane] !== undefined)
    .map(before)
    .join(",");
  return { messages, next };
}
