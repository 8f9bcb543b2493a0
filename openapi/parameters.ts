import * as z from "zod/mini";
import { id } from "../src/model/event";
import { auditQuery } from "../src/routes/admin/audit-log";
import { deadLetterQuery, letterCursor } from "../src/routes/admin/dead-letters";
import { contactQuery, historyQuery } from "../src/routes/customer-lookup";
import { timelineQuery } from "../src/routes/desk-tickets";
import { ticketCursor } from "../src/tenant-index/summary";
import { CONTACT, OWNER, TICKET } from "./examples";
import type { Parameter } from "./operation";

/** What stands in paths, queries and headers. */

const whole = (most: number) => z.int().check(z.minimum(1), z.maximum(most));

export const ownerInPath: Parameter = {
  name: "owner",
  in: "path",
  description: "The tenant: 3Dolphins' word for it, and its id in every event.",
  schema: id,
  example: OWNER,
};

export const purging: Parameter = {
  name: "purge",
  in: "query",
  description: "`true` deletes the tenant's tickets and all else of it, and its data key, which makes that final.",
  schema: z.literal("true"),
};

export const ofExport: Parameter[] = [
  {
    name: "contactId",
    in: "query",
    description: "All tickets that are, or were, of this contact. Either this or `ticketNumber`.",
    schema: z.string(),
    example: CONTACT,
  },
  { name: "ticketNumber", in: "query", description: "One ticket.", schema: id },
];

export const ticketInPath: Parameter = {
  name: "ticketNumber",
  in: "path",
  description: "The number that 3Dolphins has given the ticket.",
  schema: id,
  example: TICKET,
};

export const ifMatch: Parameter = {
  name: "If-Match",
  in: "header",
  description: "The `ETag` that came with the record. The new one is put only if nobody has put another meanwhile.",
  schema: z.string(),
};

const contactInPath: Parameter = {
  name: "contactId",
  in: "path",
  description: "As it stands in each Incoming Event of the ticket.",
  schema: z.string(),
  example: CONTACT,
};

const ingressKey: Parameter = {
  name: "ingressKey",
  in: "path",
  description:
    "**The credential of this route**: 3Dolphins has no property for a header, so the engine's key is in its URL.",
  schema: z.string(),
  example: "your-engines-key",
};

export const ofMedia: Parameter[] = [
  {
    name: "reference",
    in: "path",
    description: "**The credential of this route**: signed by the relay, for one file and until its end.",
    schema: z.string(),
    example: "WyI4MmFiMGZkIiwiaHR0cHM6Ly8iLDFd.c2lnbmVk",
  },
  {
    name: "Range",
    in: "header",
    description: "One part, as in `bytes=0-1023`. Several at once get the whole file.",
    schema: z.string(),
  },
];

export const ownerInQuery: Parameter = {
  name: "owner",
  in: "query",
  description: "Needed only where the desk's token serves several tenants that may hold the same number.",
  schema: id,
  example: OWNER,
};

const idempotencyKey: Parameter = {
  name: "Idempotency-Key",
  in: "header",
  description:
    "The same key for the same ticket and lane within 24 hours stores nothing more and gets the first answer again. Left out, or where the request is signed, `webhook-id` is taken for it.",
  schema: z.string().check(z.minLength(1), z.maxLength(256)),
};

export const fromEngine: Parameter[] = [ingressKey, idempotencyKey];

export const fromDesk: Parameter[] = [
  idempotencyKey,
  {
    name: "Prefer",
    in: "header",
    description: "`wait=N` (RFC 7240), N up to 20: the answer waits so many seconds for the delivery.",
    schema: z.string(),
  },
  {
    name: "webhook-id",
    in: "header",
    description: "With a signature: the message's own id (Standard Webhooks).",
    schema: idempotencyKey.schema,
  },
  {
    name: "webhook-timestamp",
    in: "header",
    description: "With a signature: unix seconds, not over 5 minutes off (Standard Webhooks).",
    schema: z.string(),
  },
];

export const timelinePage: Parameter[] = [
  {
    name: "lane",
    in: "query",
    description: "Shows one direction alone.",
    schema: timelineQuery.shape.lane,
  },
  {
    name: "before",
    in: "query",
    description: "The `next` of the answer before. For one direction a sequence alone does as well.",
    schema: z.optional(timelineQuery.shape.before.def.innerType),
  },
];

const pageOf = (most: number, byDefault: number, name: string, cursor: z.ZodMiniType): Parameter[] => [
  { name, in: "query", description: "The `next` of the answer before.", schema: cursor },
  {
    name: "limit",
    in: "query",
    description: `At most so many of them, from 1 to ${most}.`,
    schema: z._default(whole(most), byDefault),
  },
];
const before = (shape: RegExp): Parameter[] => pageOf(100, 50, "before", z.string().check(z.regex(shape)));

export const tenantPage = pageOf(100, 100, "next", z.string());
export const ticketPage = before(ticketCursor.shape);
const { lane, reason, group } = deadLetterQuery.shape;
export const letterPage: Parameter[] = [
  ...pageOf(100, 50, "before", z.string().check(z.regex(letterCursor.shape))),
  { name: "lane", in: "query", description: "Only those of one direction.", schema: lane },
  { name: "reason", in: "query", description: "Only those that are dead for this reason.", schema: reason },
  {
    name: "status",
    in: "query",
    description: "Only those that the far end answered last with this status.",
    schema: z.int().check(z.minimum(100), z.maximum(599)),
  },
  { name: "group", in: "query", description: "`cause` counts them by why they are dead.", schema: group },
];

export const minutes: Parameter = {
  name: "minutes",
  in: "query",
  description: "How many of the last minutes to show.",
  schema: z._default(whole(1440), 1440),
};

export const ticketFilters: Parameter[] = [
  {
    name: "state",
    in: "query",
    description:
      "Only tickets in that state; `waiting`: with a message that waits past 5 seconds, the oldest first; `dead`: with dead letters.",
    schema: z.enum(["open", "closing", "closed", "waiting", "dead"]),
  },
  {
    name: "q",
    in: "query",
    description: "Only tickets whose number, contact or customer's name contains this, whatever its case.",
    schema: z.string().check(z.maxLength(1024)),
  },
];

const OF_AUDIT: Record<string, string> = {
  owner: "Only what was about this tenant.",
  actor: "Only what this operator did, by the name; a desk's is `desk <deskId>`.",
  before: "The `next` of the answer before.",
  format: "`ndjson`: all that fits, one entry a line, however many there are.",
};

export const auditFilters: Parameter[] = [
  ...Object.entries<z.ZodMiniType>(auditQuery.shape).map(([name, schema]): Parameter => ({
    name,
    in: "query",
    description: OF_AUDIT[name] ?? "",
    schema,
  })),
  ...pageOf(200, 50, "before", z.string()).slice(1),
];

const ABOUT: Record<string, string> = {
  ticketNumber: "The ticket by way of which the desk may see this.",
  owner: ownerInQuery.description,
  ignoreDeleted: "Passed on to 3Dolphins.",
  includeChildrenSocial: "Passed on to 3Dolphins.",
  numberOfChildren: "Passed on to 3Dolphins.",
  from: "The first day, in the tenant's time zone; by default the one on which the ticket was opened.",
  to: "The last day; by default today.",
  next: "The `next` of the answer before.",
};

/** A query whose schema the route itself checks with. */
const queryOf = (schema: typeof contactQuery | typeof historyQuery): Parameter[] =>
  Object.entries<z.ZodMiniType>(schema.shape).map(([name, field]): Parameter => {
    const parameter = { name, in: "query" as const, description: ABOUT[name] ?? "", schema: field };
    return name === "ticketNumber" ? Object.assign(parameter, { required: true, example: TICKET }) : parameter;
  });

export const contactParameters: Parameter[] = [contactInPath, ...queryOf(contactQuery)];
export const historyParameters: Parameter[] = [ticketInPath, ...queryOf(historyQuery)];
