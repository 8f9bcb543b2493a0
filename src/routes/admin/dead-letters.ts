import * as z from "zod/mini";
import { audit, nothingDone } from "../../http/audit-trail";
import { ask, askOnce, indexOf, jsonOf, ticketOf, type AppContext } from "../../http/context";
import { allow } from "../../http/operators";
import { cursorIn, numberIn, tenantIn } from "../../http/parameters";
import { Routes } from "../../http/routes";
import { cursorOf } from "../../lib/cursor";
import { pooled } from "../../lib/pool";
import type { DeadLettersAnswer, ListedDeadLetter, TenantReplayAnswer } from "../../model/answers";
import { AppError } from "../../model/errors";
import type { Result } from "../../model/result";
import type { LaneName } from "../../model/answers";
import { LANES, PAGE_BYTES, type DeadLetters, type Replayed } from "../../model/timeline";
import type { UnknownTicket } from "../../ticket/views";

/** The dead letters of a tenant across its tickets: the index says which have any, the tickets themselves show them. */
export const deadLetters = new Routes();

const MOST_LETTERS = 100;
const LETTERS = 50;
/** Tickets asked at once, for a page that holds up to as many letters of each. */
const ASKED_AT_ONCE = 4;
/** Tickets of one request: the platform counts those that a request makes in turn. */
const MOST_ASKED = 200;
const REPLAYED_AT_ONCE = 10;

deadLetters
  .get("/:owner/dead-letters", allow("viewer", "dead_letters_read"), async (c) => {
    const limit = numberIn(c, "limit", MOST_LETTERS, LETTERS);
    const from = cursorIn(c.req.query("before"), letterCursor) ?? { beforeId: Number.MAX_SAFE_INTEGER, ...START };
    const { owner } = await tenantIn(c);
    return c.json<DeadLettersAnswer>({ status: "success", ...(await pageOf(c, owner, from, limit)) });
  })
  .post("/:owner/dead-letters/replay", allow("operator", "replayed"), async (c) => {
    const { before, dryRun = false, ...which } = replayIn(tenantReplay, jsonOf(c.var.body));
    const from = cursorIn(before, ticketCursor);
    const { owner } = await tenantIn(c);
    const { replayed, late, next } = await replayAll(c, owner, which, dryRun, from);
    if (dryRun) nothingDone(c);
    else audit(c, { messages: replayed.length });
    const more = next !== undefined;
    return c.json<TenantReplayAnswer>({ status: "success", dryRun, replayed, late, more, ...(more ? { next } : {}) });
  });

/** Where a replay that was cut short goes on: with the tickets of ids below this one. */
const ticketCursor = cursorOf("id");

const ids = z.array(z.string().check(z.maxLength(128))).check(z.minLength(1), z.maxLength(1000));
const dryRun = z.optional(z.boolean());
const before = z.optional(z.string().check(z.regex(ticketCursor.shape)));
export const ticketReplay = z.union([
  z.strictObject({ all: z.literal(true), dryRun }),
  z.strictObject({ ids, dryRun }),
]);
export const tenantReplay = z.union([
  z.strictObject({ all: z.literal(true), dryRun, before }),
  z.strictObject({ ids, dryRun, before }),
]);
type Which = { ids: string[] } | { all: true };

/** What a body asks to have replayed. Throws `invalid_request`. */
export function replayIn<T>(schema: z.ZodMiniType<T>, json: unknown): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const message = 'must be {"ids":["msg_…"]} with 1 to 1000 ids of dead letters, or {"all":true}';
  throw new AppError("invalid_request", `The body ${message}, each with "dryRun":true or without.`, {
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
        return ask<Result<string, UnknownTicket>>(() => ticketOf(c, owner, ticketNumber).deadLetters(after, limit + 1));
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

async function replayAll(
  c: AppContext,
  owner: string,
  which: Which,
  isDry: boolean,
  from: { id: number } | undefined,
): Promise<Replayed & { next: string | undefined }> {
  const tickets = await ask(() => indexOf(c, owner).deadTickets(from, MOST_ASKED + 1));
  const run = tickets.slice(0, MOST_ASKED);
  const answers: Replayed[] = [];
  await pooled(run.entries(), REPLAYED_AT_ONCE, async ([at, { ticketNumber }]) => {
    const answer = await askOnce<Result<Replayed, UnknownTicket>>(() =>
      ticketOf(c, owner, ticketNumber).replay(which, isDry),
    );
    answers[at] = answer.ok ? answer.value : { replayed: [], late: [] };
  });
  const replayed = answers.flatMap((answer) => answer.replayed);
  const late = answers.flatMap((answer) => answer.late);
  const isDone = run.length === tickets.length || ("ids" in which && new Set(which.ids).size <= replayed.length);
  const last = run.at(-1);
  return { replayed, late, next: isDone || !last ? undefined : ticketCursor.write(last) };
}
