import * as z from "zod/mini";
import { audit, nothingDone } from "../../http/audit-trail";
import { ask, askOnce, indexOf, jsonOf, ticketOf, type AppContext } from "../../http/context";
import { allow } from "../../http/operators";
import { cursorIn, numberIn, queryIn, tenantIn } from "../../http/parameters";
import { Routes } from "../../http/routes";
import { cursorOf } from "../../lib/cursor";
import { pooled } from "../../lib/pool";
import type {
  DeadLetterGroup,
  DeadLetterGroupsAnswer,
  DeadLettersAnswer,
  DiscardAnswer,
  LaneName,
  ListedDeadLetter,
  TenantReplayAnswer,
} from "../../model/answers";
import { AppError } from "../../model/errors";
import type { Result } from "../../model/result";
import {
  groupedByCause,
  LANES,
  PAGE_BYTES,
  type DeadFilter,
  type DeadLetters,
  type Replayed,
  type Which,
} from "../../model/timeline";
import type { UnknownTicket } from "../../ticket/views";

/** The dead letters of a tenant across its tickets: the index says which have any, the tickets themselves show them. */
export const deadLetters = new Routes();

const MOST_LETTERS = 100;
const LETTERS = 50;
/** Tickets asked at once, for a page that holds up to as many letters of each. */
const ASKED_AT_ONCE = 4;
/** Tickets of one request: the platform counts those that a request makes in turn. */
const MOST_ASKED = 200;
const ASKED_TOGETHER = 10;

deadLetters
  .get("/:owner/dead-letters", allow("viewer", "dead_letters_read"), async (c) => {
    const limit = numberIn(c, "limit", MOST_LETTERS, LETTERS);
    const { group, ...filter } = queryIn(c, deadLetterQuery);
    const before = c.req.query("before");
    if (group !== undefined) {
      const groupsFrom = cursorIn(before, ticketCursor);
      const { owner } = await tenantIn(c);
      return c.json<DeadLetterGroupsAnswer>({ status: "success", ...(await groupsOf(c, owner, filter, groupsFrom)) });
    }
    const from = cursorIn(before, letterCursor) ?? { beforeId: Number.MAX_SAFE_INTEGER, ...START };
    const { owner } = await tenantIn(c);
    return c.json<DeadLettersAnswer>({ status: "success", ...(await pageOf(c, owner, from, limit, filter)) });
  })
  .post("/:owner/dead-letters/replay", allow("operator", "replayed"), async (c) => {
    const { before, dryRun = false, ...asked } = replayIn(tenantReplay, jsonOf(c.var.body));
    const which = whichOf(asked);
    const from = cursorIn(before, ticketCursor);
    const { owner } = await tenantIn(c);
    const { answers, next } = await eachWithDead(c, owner, from, async (ticket) => {
      const answer = await askOnce<Result<Replayed, UnknownTicket>>(() => ticket().replay(which, dryRun));
      return answer.ok ? answer.value : { replayed: [], late: [] };
    });
    const replayed = answers.flatMap((answer) => answer.replayed);
    const late = answers.flatMap((answer) => answer.late);
    if (dryRun) nothingDone(c);
    else audit(c, { messages: replayed.length });
    return c.json<TenantReplayAnswer>({ status: "success", dryRun, replayed, late, ...moreOf(which, replayed, next) });
  })
  .post("/:owner/dead-letters/discard", allow("operator", "discarded"), async (c) => {
    const { before, dryRun = false, ...asked } = replayIn(tenantReplay, jsonOf(c.var.body));
    const which = whichOf(asked);
    const from = cursorIn(before, ticketCursor);
    const { owner } = await tenantIn(c);
    const { answers, next } = await eachWithDead(c, owner, from, async (ticket) => {
      const answer = await askOnce<Result<string[], UnknownTicket>>(() => ticket().discard(which, dryRun));
      return answer.ok ? answer.value : [];
    });
    const discarded = answers.flat();
    if (dryRun) nothingDone(c);
    else audit(c, { messages: discarded.length });
    return c.json<DiscardAnswer>({ status: "success", dryRun, discarded, ...moreOf(which, discarded, next) });
  });

const REASONS = ["rejected", "blocked", "exhausted"] as const;

/** Where a request that was cut short goes on: with the tickets of ids below this one. */
const ticketCursor = cursorOf("id");

const ids = z.array(z.string().check(z.maxLength(128))).check(z.minLength(1), z.maxLength(1000));
const dryRun = z.optional(z.boolean());
const before = z.optional(z.string().check(z.regex(ticketCursor.shape)));
const lane = z.optional(z.enum(LANES, "must be toDesk or toDolphins"));
const reason = z.optional(z.enum(REASONS, `must be ${REASONS.join(", ")}`));
const status = z.int().check(z.minimum(100), z.maximum(599));
const time = z.optional(
  z.iso.datetime({ offset: true, error: "must be a time in ISO 8601, such as 2026-11-24T02:10:00Z" }),
);
const filters = { lane, reason, status: z.optional(status), since: time, until: time };

export const deadLetterQuery = z.object({
  lane,
  reason,
  status: z.optional(
    z.pipe(z.transform(Number), z.int("must be an HTTP status").check(z.minimum(100), z.maximum(599))),
  ),
  group: z.optional(z.literal("cause", "must be cause, or be left out")),
});
export const ticketReplay = z.union([
  z.strictObject({ all: z.literal(true), ...filters, dryRun }),
  z.strictObject({ ids, ...filters, dryRun }),
]);
export const tenantReplay = z.union([
  z.strictObject({ all: z.literal(true), ...filters, dryRun, before }),
  z.strictObject({ ids, ...filters, dryRun, before }),
]);

/** Which dead letters a body means. */
export function whichOf(asked: z.infer<typeof ticketReplay>): Which {
  const ms = (at: string | undefined) => (at === undefined ? undefined : Date.parse(at));
  const { lane: named, reason: why, status: answered, since, until } = asked;
  const filter = { lane: named, reason: why, status: answered, sinceMs: ms(since), untilMs: ms(until) };
  return "ids" in asked ? { ids: asked.ids, filter } : { all: true, filter };
}

/** What a body asks to have replayed. Throws `invalid_request`. */
export function replayIn<T>(schema: z.ZodMiniType<T>, json: unknown): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const message = 'must be {"ids":["msg_…"]} with 1 to 1000 ids of dead letters, or {"all":true}';
  const more = "each with lane, reason, status, since, until and dryRun as you like";
  throw new AppError("invalid_request", `The body ${message}, ${more}.`, {
    issues: [{ path: "", message }],
  });
}

/**
 * Where the next page of letters begins. It has the tickets of ids below `beforeId`. The page before may have shown the first
 * letters of the newest of these tickets; of that one the next page shows what comes after `lane` and `sequence`.
 */
type LetterCursor = { beforeId: number; lane: LaneName; sequence: number };
const START = { lane: LANES[0], sequence: 0 };
const letterNumbers = cursorOf("beforeId", "lane", "sequence");
export const letterCursor = {
  shape: letterNumbers.shape,
  write: (cursor: LetterCursor): string => letterNumbers.write({ ...cursor, lane: LANES.indexOf(cursor.lane) }),
  read: (text: string): LetterCursor | undefined => {
    const cursor = letterNumbers.read(text);
    return cursor && { ...cursor, lane: cursor.lane === 0 ? "toDesk" : "toDolphins" };
  },
};

/** Tickets newest opened first, and of each the letters to the desk before the others, the oldest first. */
async function pageOf(
  c: AppContext,
  owner: string,
  from: LetterCursor,
  limit: number,
  filter: DeadFilter,
): Promise<Omit<DeadLettersAnswer, "status">> {
  const found: ListedDeadLetter[] = [];
  let cursor: LetterCursor = from;
  let bytes = 0;
  for (let asked = 0; asked < MOST_ASKED; asked += ASKED_AT_ONCE) {
    const tickets = await ask(() => indexOf(c, owner).deadTickets({ id: cursor.beforeId }, ASKED_AT_ONCE));
    const { beforeId, ...behind } = cursor;
    const answers = await Promise.all(
      tickets.map(({ id, ticketNumber }) => {
        const after = id === beforeId - 1 ? behind : START;
        return ask<Result<string, UnknownTicket>>(() =>
          ticketOf(c, owner, ticketNumber).deadLetters(after, limit + 1, filter),
        );
      }),
    );
    for (const [at, { id, ticketNumber }] of tickets.entries()) {
      const answer = answers[at];
      // The ticket has been deleted since the index listed it.
      if (!answer?.ok) continue;
      const { channel, customerName, deadLetters: letters, isCut } = JSON.parse(answer.value) as DeadLetters;
      for (const letter of letters) {
        // This letter is one more than the page holds, so there is a next page.
        if (found.length === limit) return { deadLetters: found, next: letterCursor.write(cursor) };
        found.push({ ticketNumber, channel, customerName, ...letter });
        cursor = { beforeId: id + 1, lane: letter.lane, sequence: letter.sequence };
      }
      bytes += answer.value.length;
      const isLast = at === tickets.length - 1 && tickets.length < ASKED_AT_ONCE;
      if (isCut || (bytes >= PAGE_BYTES && !isLast)) return { deadLetters: found, next: letterCursor.write(cursor) };
    }
    const last = tickets.at(-1);
    if (!last || tickets.length < ASKED_AT_ONCE) return { deadLetters: found };
    if (found.length < limit) cursor = { beforeId: last.id, ...START };
  }
  return { deadLetters: found, next: letterCursor.write(cursor) };
}

/** The causes of a tenant's dead letters, in as many tickets as one request asks. */
async function groupsOf(
  c: AppContext,
  owner: string,
  filter: DeadFilter,
  from: { id: number } | undefined,
): Promise<Omit<DeadLetterGroupsAnswer, "status">> {
  const { answers, next } = await eachWithDead(c, owner, from, (ticket) =>
    ask<DeadLetterGroup[]>(() => ticket().deadCauses(filter)),
  );
  const groups = groupedByCause(answers.flat());
  return next === undefined ? { groups } : { groups, incomplete: true, next };
}

/** Asks the tickets that have dead letters, newest opened first; `next` says where a request that was cut short goes on. */
async function eachWithDead<T>(
  c: AppContext,
  owner: string,
  from: { id: number } | undefined,
  question: (ticket: () => ReturnType<typeof ticketOf>) => Promise<T>,
): Promise<{ answers: T[]; next: string | undefined }> {
  const tickets = await ask(() => indexOf(c, owner).deadTickets(from, MOST_ASKED + 1));
  const run = tickets.slice(0, MOST_ASKED);
  const answers: T[] = [];
  await pooled(run.entries(), ASKED_TOGETHER, async ([at, { ticketNumber }]) => {
    answers[at] = await question(() => ticketOf(c, owner, ticketNumber));
  });
  const last = run.at(-1);
  return { answers, next: run.length === tickets.length || !last ? undefined : ticketCursor.write(last) };
}

/** Whether there may be more than these. When all ids are found, there are not. */
function moreOf(which: Which, found: readonly string[], next: string | undefined): { more: boolean; next?: string } {
  const isAll = "ids" in which && new Set(which.ids).size <= found.length;
  return next === undefined || isAll ? { more: false } : { more: true, next };
}
