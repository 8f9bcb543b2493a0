import { Hono } from "hono";
import * as z from "zod/mini";
import { readBody } from "../../http/body";
import { AppError } from "../../model/errors";
import { pooled } from "../../lib/pool";
import type { Result } from "../../model/result";
import type { UnknownTicket } from "../../ticket/views";
import type { DeadLetter, DeadLetters, LaneName, Replayed } from "../../model/timeline";
import { ask } from "../../http/accept-event";
import { authenticateOperator } from "../../http/auth";
import { indexOf, jsonOf, methodNotAllowed, ticketOf, type AppContext, type AppEnv } from "../../http/context";
import { audit, invalidParameter, numberIn, placeIn, tenantIn } from "../../http/parameters";

/** The dead letters of a tenant across its tickets: the index says which have any, the tickets themselves show them. */
export const deadLetters = new Hono<AppEnv>();

const MOST_LETTERS = 100;
const LETTERS = 50;
/** Tickets asked at once, for a page that holds up to as many letters of each. */
const ASKED_AT_ONCE = 4;
/** Tickets of one request: the platform counts those that a request makes in turn. */
const MOST_ASKED = 200;
const REPLAYED_AT_ONCE = 10;

deadLetters
  .get("/:owner/dead-letters", async (c) => {
    await authenticateOperator(c);
    const limit = numberIn(c, "limit", MOST_LETTERS, LETTERS);
    const place = placeIn(c, placeOf) ?? FIRST;
    const { owner } = await tenantIn(c);
    return c.json({ status: "success", ...(await pageOf(c, owner, place, limit)) });
  })
  .all("/:owner/dead-letters", methodNotAllowed("GET"))
  .post("/:owner/dead-letters/replay", async (c) => {
    const body = await readBody(c.req.raw);
    await authenticateOperator(c);
    const { before, dryRun = false, ...which } = parsed(tenantReplay, jsonOf(body));
    if (before !== undefined && !/^\d{1,16}$/.test(before)) {
      throw invalidParameter("before", "must be the next of the answer before, or be left out");
    }
    const { owner } = await tenantIn(c);
    const { replayed, late, next } = await replayAll(c, owner, which, dryRun, before);
    if (!dryRun) audit(c, "replayed", owner, { messages: replayed.length });
    const more = next !== undefined;
    return c.json({ status: "success", dryRun, replayed, late, more, ...(more ? { next } : {}) });
  })
  .all("/:owner/dead-letters/replay", methodNotAllowed("POST"));

const ids = z.array(z.string().check(z.maxLength(128))).check(z.minLength(1), z.maxLength(1000));
const dryRun = z.optional(z.boolean());
const before = z.optional(z.string());
export const ticketReplay = z.union([
  z.strictObject({ all: z.literal(true), dryRun }),
  z.strictObject({ ids, dryRun }),
]);
export const tenantReplay = z.union([
  z.strictObject({ all: z.literal(true), dryRun, before }),
  z.strictObject({ ids, dryRun, before }),
]);
type Which = { ids: string[] } | { all: true };

/** What to replay of one ticket. Throws `invalid_request`. */
export function replayOf(json: unknown): { which: Which; dryRun: boolean } {
  const { dryRun: isDry = false, ...which } = parsed(ticketReplay, json);
  return { which, dryRun: isDry };
}

function parsed<T>(schema: z.ZodMiniType<T>, json: unknown): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const message = 'must be {"ids":["msg_…"]} with 1 to 1000 ids of dead letters, or {"all":true}';
  throw new AppError("invalid_request", `The body ${message}, each with "dryRun":true or without.`, {
    issues: [{ path: "", message }],
  });
}

/** Behind which letter a page begins: in the ticket of the id `beforeId` - 1 behind this one, then those of smaller ids. */
type Place = { beforeId: number; lane: LaneName; sequence: number };
const FIRST: Place = { beforeId: Number.MAX_SAFE_INTEGER, lane: "toDesk", sequence: 0 };

const placeText = ({ beforeId, lane, sequence }: Place): string =>
  `${beforeId}.${lane === "toDesk" ? 0 : 1}.${sequence}`;

function placeOf(text: string): Place | undefined {
  const [, beforeId, lane, sequence] = /^(\d{1,16})\.([01])\.(\d{1,12})$/.exec(text) ?? [];
  if (beforeId === undefined) return undefined;
  return { beforeId: Number(beforeId), lane: lane === "0" ? "toDesk" : "toDolphins", sequence: Number(sequence) };
}

type Shown = DeadLetter & { ticketNumber: string } & Pick<DeadLetters, "channel" | "customerName">;

/** Tickets newest opened first, and of each the letters to the desk before the others, the oldest first. */
async function pageOf(
  c: AppContext,
  owner: string,
  from: Place,
  limit: number,
): Promise<{ deadLetters: Shown[]; next?: string }> {
  const found: Shown[] = [];
  let place = from;
  for (let asked = 0; asked < MOST_ASKED; asked += ASKED_AT_ONCE) {
    const tickets = await ask(() => indexOf(c, owner).deadTickets({ id: place.beforeId }, ASKED_AT_ONCE));
    const { beforeId, ...behind } = place;
    const answers = await Promise.all(
      tickets.map(({ id, ticketNumber }) => {
        const after = id === beforeId - 1 ? behind : FIRST;
        return ask<Result<string, UnknownTicket>>(() => ticketOf(c, owner, ticketNumber).deadLetters(after, limit + 1));
      }),
    );
    for (const [at, { id, ticketNumber }] of tickets.entries()) {
      const answer = answers[at];
      // A ticket that is gone since.
      if (!answer?.ok) continue;
      const { channel, customerName, deadLetters: letters } = JSON.parse(answer.value) as DeadLetters;
      for (const letter of letters) {
        // There is one more than the page holds.
        if (found.length === limit) return { deadLetters: found, next: placeText(place) };
        found.push({ ticketNumber, channel, customerName, ...letter });
        place = { beforeId: id + 1, lane: letter.lane, sequence: letter.sequence };
      }
    }
    const last = tickets.at(-1);
    if (!last || tickets.length < ASKED_AT_ONCE) return { deadLetters: found };
    if (found.length < limit) place = { ...FIRST, beforeId: last.id };
  }
  return { deadLetters: found, next: placeText(place) };
}

async function replayAll(
  c: AppContext,
  owner: string,
  which: Which,
  isDry: boolean,
  beforeId: string | undefined,
): Promise<Replayed & { next: string | undefined }> {
  const place = beforeId === undefined ? undefined : { id: Number(beforeId) };
  const tickets = await ask(() => indexOf(c, owner).deadTickets(place, MOST_ASKED + 1));
  const run = tickets.slice(0, MOST_ASKED);
  const answers: Replayed[] = [];
  await pooled(run.entries(), REPLAYED_AT_ONCE, async ([at, { ticketNumber }]) => {
    const answer = await ask<Result<Replayed, UnknownTicket>>(() =>
      ticketOf(c, owner, ticketNumber).replay(which, isDry),
    );
    answers[at] = answer.ok ? answer.value : { replayed: [], late: [] };
  });
  const replayed = answers.flatMap((answer) => answer.replayed);
  const late = answers.flatMap((answer) => answer.late);
  const isDone = run.length === tickets.length || ("ids" in which && new Set(which.ids).size <= replayed.length);
  return { replayed, late, next: isDone ? undefined : String(run.at(-1)?.id) };
}
