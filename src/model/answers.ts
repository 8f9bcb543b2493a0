import * as z from "zod/mini";
import { STATUS, type ErrorCode } from "./errors";
import { id, SCHEMAS } from "./event";
import { ROLES } from "./operator";

/**
 * What the API answers, declared once: the Worker and the console take their types from here, and the API's description its
 * JSON Schema. The Worker imports types alone, so that none of these schemas is in its bundle: it checks what comes in, and
 * not what it answers itself. All times are ISO 8601, UTC.
 */

const answer = <T extends z.core.$ZodLooseShape>(shape: T) => z.object({ status: z.literal("success"), ...shape });
const count = z.int().check(z.minimum(0));
const time = z.iso.datetime();
const json = z.record(z.string(), z.unknown());
const described = (description: string) => z.string().register(z.globalRegistry, { description });
/** The cursor of the page behind this one, where there is one. */
const next = z.exactOptional(z.string());

export const done = answer({});

const lane = z.enum(["toDesk", "toDolphins"]);
export type LaneName = z.infer<typeof lane>;

const perLane = <T extends z.ZodMiniType>(of: T) => z.object({ toDesk: of, toDolphins: of });
const counts = { accepted: count, delivered: count, waiting: count, dead: count };

export const laneView = z.object({
  ...counts,
  oldestWaitingSince: z.exactOptional(time),
  nextAttemptAt: z.exactOptional(time),
  blockedBy: z.exactOptional(z.string()),
  paused: z.exactOptional(z.object({ since: time, reason: z.string() })),
});
export type LaneView = z.infer<typeof laneView>;

const outcome = z.enum(["delivered", "rejected", "retry", "blocked"]);

export const attempt = z.object({
  at: time,
  ms: count,
  /** Of the far end's answer, where one came. */
  status: z.exactOptional(z.int()),
  /** How it ended. Records of the first version do not have it. */
  outcome: z.exactOptional(outcome),
  /** Why the far end did not answer, where the relay can tell. */
  noAnswer: z.exactOptional(z.enum(["timeout", "connection"])),
  during: z.exactOptional(z.literal("login")),
  /** Why it failed, in the relay's own words. Left out where `status` alone says so. */
  detail: z.exactOptional(z.string()),
  /** The beginning of what the far end answered, where the attempt failed. */
  answer: z.exactOptional(z.string()),
  /** Set on the last attempt of a message that got too old: the age it was allowed. */
  givenUpAfterSeconds: z.exactOptional(count),
  /** All of that as one text. */
  error: z.exactOptional(z.string()),
});
export type Attempt = z.infer<typeof attempt>;

const messageState = z.enum(["waiting", "delivered", "dead", "discarded"]);
export type MessageState = z.infer<typeof messageState>;

export const timelineMessage = z.object({
  id: z.string(),
  lane,
  /** Not there before its lane takes it: in protocol.md, "Order at a desk's door". */
  sequence: z.exactOptional(count),
  kind: z.enum(["incoming", "outgoing", "command", "failure"]),
  state: messageState,
  acceptedAt: time,
  suspectedDuplicate: z.boolean(),
  /** The newest 20. */
  attempts: z.array(attempt),
  event: json,
  /** Why the event cannot be shown, which is empty then. */
  unreadable: z.exactOptional(z.string()),
});
export type TimelineMessage = z.infer<typeof timelineMessage>;

const ticketState = z.enum(["open", "closing", "closed"]);
export type TicketState = z.infer<typeof ticketState>;

const ticketInfo = {
  ticketNumber: id,
  channel: id,
  contactId: z.string(),
  customerName: z.string(),
  state: ticketState,
};

export const ticketAnswer = answer({
  ticket: z.object({
    ...ticketInfo,
    owner: id,
    lanes: perLane(laneView),
    messages: z.array(timelineMessage),
    next,
  }),
});
export type TicketView = z.infer<typeof ticketAnswer>;

/** A ticket in a list, as the tenant's index knows it. */
export const ticketSummary = z.object({
  ...ticketInfo,
  lanes: perLane(z.object(counts)),
  openedAt: time,
  toldAt: time,
  /** Since when its oldest message waits, once that is over 5 seconds. */
  waitingSince: z.exactOptional(time),
  nextAttemptAt: z.exactOptional(time),
});
export type TicketSummary = z.infer<typeof ticketSummary>;
export const ticketsAnswer = answer({ tickets: z.array(ticketSummary), next });
export type TicketsAnswer = z.infer<typeof ticketsAnswer>;

/** What is sent to those who watch a tenant live. */
export const liveEvent = z.union([
  z.object({ type: z.literal("ticket"), ticket: ticketSummary }),
  z.object({ type: z.literal("gone"), ticketNumber: id }),
]);
export type LiveEvent = z.infer<typeof liveEvent>;

const deadLetter = z.extend(timelineMessage, {
  sequence: count,
  reason: z.enum(["rejected", "blocked", "exhausted"]),
});
export type DeadLetter = z.infer<typeof deadLetter>;

/** A dead letter among those of all tickets. */
export const listedDeadLetter = z.extend(deadLetter, { ticketNumber: id, channel: id, customerName: z.string() });
export type ListedDeadLetter = z.infer<typeof listedDeadLetter>;
export const deadLettersAnswer = answer({ deadLetters: z.array(listedDeadLetter), next });
export type DeadLettersAnswer = z.infer<typeof deadLettersAnswer>;

/** Dead letters that have one cause. Times are those of acceptance. */
const deadLetterGroup = z.object({
  lane,
  reason: deadLetter.shape.reason,
  /** Of the far end's last answer, where one came. */
  status: z.exactOptional(z.int()),
  /** The newest of them. Numbers in it may differ from letter to letter. */
  error: z.string(),
  count,
  oldestAt: time,
  newestAt: time,
});
export type DeadLetterGroup = z.infer<typeof deadLetterGroup>;
/** With `incomplete`, more tickets have dead letters than one request asks: those behind `next`. */
export const deadLetterGroupsAnswer = answer({
  groups: z.array(deadLetterGroup),
  incomplete: z.exactOptional(z.literal(true)),
  next,
});
export type DeadLetterGroupsAnswer = z.infer<typeof deadLetterGroupsAnswer>;

export const discardAnswer = answer({ dryRun: z.boolean(), discarded: z.array(z.string()), more: z.boolean(), next });
export type DiscardAnswer = z.infer<typeof discardAnswer>;

const replayed = { replayed: z.array(z.string()), late: z.array(z.string()) };
export const ticketReplayAnswer = answer({ dryRun: z.boolean(), ...replayed });
export type TicketReplayAnswer = z.infer<typeof ticketReplayAnswer>;
export const tenantReplayAnswer = answer({ dryRun: z.boolean(), ...replayed, more: z.boolean(), next });
export type TenantReplayAnswer = z.infer<typeof tenantReplayAnswer>;

/** How many tickets wait, and are tried. */
export const retryAnswer = answer({ tickets: count });
export type RetryAnswer = z.infer<typeof retryAnswer>;

const laneMinute = z.object({
  accepted: count,
  delivered: count,
  dead: count,
  lagMeanMs: z.number(),
  lagMaxMs: z.number(),
});
const minute = z.extend(perLane(laneMinute), { at: time });
export type Minute = z.infer<typeof minute>;

export const overviewAnswer = answer({
  overview: z.object({
    owner: id,
    tickets: z.object({ open: count, closing: count, closed: count }),
    waiting: z.object({ tickets: count, messages: count, oldestSince: z.exactOptional(time) }),
    dead: z.object({ tickets: count, messages: count }),
    /** Everything before this is counted. Of what is later, some may be missing. */
    countedUntil: time,
    /** Of the minutes asked for; nothing where none was measured. */
    lag: perLane(
      z.object({
        p50Ms: z.exactOptional(z.number()),
        p95Ms: z.exactOptional(z.number()),
        p99Ms: z.exactOptional(z.number()),
      }),
    ),
    /** Oldest first, those in which nothing happened left out. */
    minutes: z.array(minute),
  }),
});
export type OverviewAnswer = z.infer<typeof overviewAnswer>;
export type Overview = OverviewAnswer["overview"];

const pause = z.object({ since: time, by: z.string(), reason: z.string() });
/** The lanes in which nothing is attempted. */
export const paused = z.object({ toDesk: z.exactOptional(pause), toDolphins: z.exactOptional(pause) });
export type Paused = z.infer<typeof paused>;
export const pausedAnswer = answer({ paused });
export type PausedAnswer = z.infer<typeof pausedAnswer>;

/**
 * What every tenant's record has, its secrets shown as `***`. What else is in it is up to its engine and its desk, whose own
 * schemas say that.
 */
const tenant = z.looseObject({
  owner: id,
  name: z.string(),
  deskId: id,
  timeZone: z.string(),
  dolphins: z.looseObject({ baseUrl: z.string(), auth: z.looseObject({ type: z.string() }) }),
  desk: z.looseObject({ type: z.string() }),
  delivery: z.object({ timeoutMs: count, maxAgeSeconds: count, whenExhausted: z.enum(["advance", "hold"]) }),
  paused: z.exactOptional(paused),
});
export type TenantView = z.infer<typeof tenant>;
export const tenantAnswer = answer({ tenant });
export type TenantAnswer = z.infer<typeof tenantAnswer>;
export const tenantsAnswer = answer({ tenants: z.array(tenant), next });
export type TenantsAnswer = z.infer<typeof tenantsAnswer>;

export const credentialsAnswer = answer({ credentials: z.object({ token: z.string(), signingSecret: z.string() }) });
export type CredentialsAnswer = z.infer<typeof credentialsAnswer>;
export type Credentials = CredentialsAnswer["credentials"];

/** `left` counts the tickets that are still to be deleted. */
const purge = z.object({
  state: z.enum(["running", "done"]),
  startedAt: time,
  endedAt: z.exactOptional(time),
  tickets: z.object({ deleted: count, left: count }),
});
export const purgeAnswer = answer({ purge });
export type PurgeAnswer = z.infer<typeof purgeAnswer>;

/** What this request has deleted; `left` tickets are deleted soon, whether or not anybody asks again. */
export const eraseAnswer = answer({
  erased: z.array(z.object({ ticketNumber: id, messages: count })),
  left: count,
});
export type EraseAnswer = z.infer<typeof eraseAnswer>;

/** One line of an export each. The last one says that it is whole. */
export const exportLine = z.union([
  z.object({ type: z.literal("ticket"), ...ticketInfo, owner: id, lanes: perLane(laneView) }),
  z.extend(timelineMessage, { type: z.literal("message"), ticketNumber: id }),
  z.object({ type: z.literal("end"), tickets: count, messages: count }),
]);
export type ExportLine = z.infer<typeof exportLine>;

/** What was found at a desk, and what is missing there. */
const checks = z.array(
  z.object({ name: z.string(), ok: z.boolean(), message: described("What was found, or what to do.") }),
);
export type Checks = z.infer<typeof checks>;

export const connectedAnswer = answer({ tenant, checks });
export type ConnectedAnswer = z.infer<typeof connectedAnswer>;

/** `answer` is the beginning of the far end's, empty where there is none to show. */
export const connectionTestAnswer = answer({
  attempt,
  outcome,
  answer: z.string(),
  /** Of a desk that can be asked. */
  checks: z.exactOptional(checks),
});
export type ConnectionTestAnswer = z.infer<typeof connectionTestAnswer>;

export const healthAnswer = answer({
  checks: z.array(z.object({ name: z.string(), ok: z.literal(true), ms: z.exactOptional(count) })),
});
export type HealthAnswer = z.infer<typeof healthAnswer>;

/** Paths of the relay itself. */
export const homeAnswer = answer({ apiReference: z.string(), openapi: z.string(), console: z.string() });
export type HomeAnswer = z.infer<typeof homeAnswer>;

const role = z.enum(ROLES);
const operator = z.object({ name: z.string(), role, by: z.enum(["token", "session", "access"]) });
export const meAnswer = answer({ operator });
export type MeAnswer = z.infer<typeof meAnswer>;

/** `desk` by its token, under the name `desk <deskId>`; `nothing` where a credential did not hold. */
const actor = z.object({
  name: z.string(),
  role: z.exactOptional(role),
  by: z.enum(["token", "session", "access", "desk", "nothing"]),
});
export type Actor = z.infer<typeof actor>;

export const auditEntry = z.object({
  seq: count,
  at: time,
  actor,
  /** From which it came, where Cloudflare says so. */
  address: z.exactOptional(z.string()),
  action: z.string(),
  owner: z.exactOptional(z.string()),
  ticketNumber: z.exactOptional(z.string()),
  /** `ok`, or the code of the refusal. */
  outcome: z.string(),
  /** Of a record, what is another value now. A secret is `***`, before and after. */
  changes: z.exactOptional(
    z.array(z.object({ path: z.string(), before: z.exactOptional(z.unknown()), after: z.exactOptional(z.unknown()) })),
  ),
  details: z.exactOptional(z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))),
  requestId: z.string(),
  /** SHA-256, in hex, of the hash of the entry before, a line feed, and this entry without `hash` as JSON with sorted keys. */
  hash: z.string(),
});
export type AuditEntry = z.infer<typeof auditEntry>;
export const auditAnswer = answer({ entries: z.array(auditEntry), next });
export type AuditAnswer = z.infer<typeof auditAnswer>;

/** Those that are there, and the first that is not as it was written, or is missing. */
export const auditCheckAnswer = answer({
  check: z.object({ first: count, last: count, head: z.string(), firstBroken: z.exactOptional(count) }),
});
export type AuditCheckAnswer = z.infer<typeof auditCheckAnswer>;
export type AuditCheck = AuditCheckAnswer["check"];

export const sessionAnswer = answer({ expiresAt: time });
export type SessionAnswer = z.infer<typeof sessionAnswer>;

export const contactAnswer = answer({ contact: z.unknown() });
export const historyAnswer = answer({
  messages: z.array(
    z.object({
      from: z.enum(["customer", "agent"]),
      by: z.string(),
      text: z.string(),
      at: z.exactOptional(time),
      raw: z.unknown(),
    }),
  ),
  next,
});
export type HistoryAnswer = z.infer<typeof historyAnswer>;

export const refusal = z.object({
  status: z.literal("error"),
  error: z.object({
    code: z.enum(Object.keys(STATUS) as ErrorCode[]),
    message: described("Tells a person what to do."),
    issues: z.exactOptional(z.array(z.object({ path: z.string(), message: described("What is wrong with it.") }))),
  }),
});
export type Refusal = z.infer<typeof refusal>;

/** No answer, but what a desk that asks for it is sent of a reply, or a Close, that ended among the dead letters. */
export const failureReport = z.object({
  type: z.literal("delivery.failed"),
  ticketNumber: id,
  owner: id,
  messageId: z.string(),
  sequence: count,
  reason: deadLetter.shape.reason,
  /** Of the engine's last answer; null when there was none. */
  status: z.nullable(z.int()),
  event: z.union([SCHEMAS.outgoing, SCHEMAS.command]),
});
export type FailureReport = z.infer<typeof failureReport>;
