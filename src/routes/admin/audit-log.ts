import * as z from "zod/mini";
import { audit, auditOf, nothingDone } from "../../http/audit-trail";
import { ask, type AppContext } from "../../http/context";
import { allow } from "../../http/operators";
import { numberIn, queryIn } from "../../http/parameters";
import { Routes } from "../../http/routes";
import type { AuditCheckAnswer } from "../../model/answers";

/** The audit log: read, written out, and checked. */
export const auditLog = new Routes();

const ENTRIES = 50;
const MOST_ENTRIES = 200;
/** Of an NDJSON stream, at one question. */
const STREAMED = 500;

const text = z.optional(z.string().check(z.maxLength(256, "must be at most 256 characters long")));

export const auditQuery = z.object({
  owner: text,
  actor: text,
  before: z.optional(
    z.string().check(z.regex(/^[1-9]\d{0,14}$/, "must be the next of the answer before, or be left out")),
  ),
  format: z.optional(z.literal("ndjson", "must be ndjson, or be left out")),
});

auditLog
  .get("/", allow("viewer", "audit_exported"), async (c) => {
    const { owner, actor, before, format } = queryIn(c, auditQuery);
    const limit = numberIn(c, "limit", MOST_ENTRIES, ENTRIES);
    const filter = { owner: owner || undefined, actor: actor || undefined };
    const from = before === undefined ? Number.MAX_SAFE_INTEGER : Number(before);
    if (format === "ndjson") {
      audit(c, {});
      return c.body(lines(c, filter, from), 200, { "content-type": "application/x-ndjson" });
    }
    // What is on the page is no customer's word: reading it is no entry, or each reading would make the next one longer.
    nothingDone(c);
    const { entries, next } = await ask(() => auditOf(c).entries(filter, from, limit));
    const more = next === undefined ? "" : `,"next":"${next}"`;
    const body = `{"status":"success","entries":[${entries.join(",")}]${more}}`;
    return c.body(body, 200, { "content-type": "application/json" });
  })
  .get("/verify", allow("viewer"), async (c) => {
    let checked = await ask(() => auditOf(c).check(undefined));
    while (checked.next !== undefined) {
      const { next } = checked;
      checked = await ask(() => auditOf(c).check(next));
    }
    return c.json<AuditCheckAnswer>({ status: "success", check: checked });
  });

type Entries = { entries: string[]; next?: number };
type Filter = { owner: string | undefined; actor: string | undefined };

/** All that fits, the newest first, read as fast as it is taken. */
function lines(c: AppContext, filter: Filter, from: number): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let before: number | undefined = from;
  return new ReadableStream({
    pull: async (controller) => {
      if (before === undefined) return controller.close();
      const at: number = before;
      const page: Entries = await ask(() => auditOf(c).entries(filter, at, STREAMED));
      before = page.next;
      controller.enqueue(encoder.encode(page.entries.map((entry) => `${entry}\n`).join("")));
    },
  });
}
