import * as z from "zod/mini";
import { id, SCHEMAS } from "../src/model/event";
import { REFUSALS } from "./refusals";
import { ticketReplay, tenantReplay } from "../src/routes/admin/dead-letters";
import { signIn } from "../src/routes/sign-in";
import { tenantRecord } from "../src/tenants/tenant-record";
import { named } from "./components";

/** What is sent to the relay, by the schemas it checks with, and what it answers. */

export const incomingEvent = named("IncomingEvent", SCHEMAS.incoming);
export const outgoingEvent = named("OutgoingEvent", SCHEMAS.outgoing);
export const command = named("Command", SCHEMAS.command);
export const ownedCommand = named("EngineCommand", SCHEMAS.ownedCommand);
export const record = named("TenantRecord", z.extend(tenantRecord, { owner: z.optional(id) }));
export const ticketReplayBody = named("TicketReplay", ticketReplay);
export const tenantReplayBody = named("DeadLetterReplay", tenantReplay);
export const signInBody = named("SignIn", signIn);
export const deskWebhook = named("DeskWebhook", z.record(z.string(), z.unknown()));

const success = z.literal("success");
const answer = <T extends z.core.$ZodLooseShape>(shape: T) => z.object({ status: success, ...shape });
const list = <T extends z.ZodMiniType>(of: T) => z.array(of);
const count = z.int().check(z.minimum(0));
const time = z.iso.datetime();
const cursor = z.optional(z.string());
const lane = z.enum(["toDesk", "toDolphins"]);
const perLane = <T extends z.ZodMiniType>(of: T) => z.object({ toDesk: of, toDolphins: of });
const ticketState = z.enum(["open", "closing", "closed"]);

const words = (description: string) => z.string().register(z.globalRegistry, { description });

named(
  "Refusal",
  z.object({
    status: z.literal("error"),
    error: z.object({
      code: z.enum(Object.keys(REFUSALS)),
      message: words("Tells a person what to do."),
      issues: z.optional(list(z.object({ path: z.string(), message: words("What is wrong with it.") }))),
    }),
  }),
);

export const done = named("Success", answer({}));

const tenant = named("Tenant", z.extend(tenantRecord, { owner: id, deskId: id }));
/** Named here, and filled in with all defaults in the document. */
export const complete = { Tenant: tenant };
export const tenantAnswer = named("TenantAnswer", answer({ tenant }));
export const tenantsAnswer = named("TenantsAnswer", answer({ tenants: list(tenant), next: cursor }));
export const credentialsAnswer = named(
  "CredentialsAnswer",
  answer({ credentials: z.object({ token: z.string(), signingSecret: z.string() }) }),
);

const attempt = named(
  "Attempt",
  z.object({
    at: time,
    ms: count,
    status: z.optional(z.int()),
    outcome: z.optional(z.enum(["delivered", "rejected", "blocked", "retry"])),
    noAnswer: z.optional(z.enum(["timeout", "connection"])),
    detail: z.optional(z.string()),
    answer: z.optional(z.string()),
    givenUpAfterSeconds: z.optional(count),
    error: z.optional(z.string()),
  }),
);

const messageShape = {
  id: z.string(),
  lane,
  sequence: count,
  kind: z.enum(["incoming", "outgoing", "command", "failure"]),
  state: z.enum(["waiting", "delivered", "dead"]),
  acceptedAt: time,
  suspectedDuplicate: z.boolean(),
  attempts: list(attempt),
  event: z.record(z.string(), z.unknown()),
};
const counts = { accepted: count, delivered: count, waiting: count, dead: count };
const laneView = named(
  "Lane",
  z.object({
    ...counts,
    oldestWaitingSince: z.optional(time),
    nextAttemptAt: z.optional(time),
    blockedBy: z.optional(z.string()),
  }),
);
const about = { ticketNumber: id, channel: id, contactId: z.string(), customerName: z.string(), state: ticketState };

export const ticketAnswer = named(
  "TicketAnswer",
  answer({
    ticket: z.object({
      ...about,
      owner: id,
      lanes: perLane(laneView),
      messages: list(named("Message", z.object(messageShape))),
      next: cursor,
    }),
  }),
);

const summary = named(
  "TicketSummary",
  z.object({
    ...about,
    lanes: perLane(z.object(counts)),
    openedAt: time,
    toldAt: time,
    waitingSince: z.optional(time),
    nextAttemptAt: z.optional(time),
  }),
);
export const ticketsAnswer = named("TicketsAnswer", answer({ tickets: list(summary), next: cursor }));

const deadLetter = named(
  "DeadLetter",
  z.object({
    ticketNumber: id,
    channel: id,
    customerName: z.string(),
    ...messageShape,
    reason: z.enum(["rejected", "blocked", "exhausted"]),
  }),
);
export const deadLettersAnswer = named("DeadLettersAnswer", answer({ deadLetters: list(deadLetter), next: cursor }));

const replay = { dryRun: z.boolean(), replayed: list(z.string()), late: list(z.string()) };
export const ticketReplayAnswer = named("TicketReplayAnswer", answer(replay));
export const tenantReplayAnswer = named(
  "DeadLetterReplayAnswer",
  answer({ ...replay, more: z.boolean(), next: cursor }),
);

const perMinute = z.object({
  accepted: count,
  delivered: count,
  dead: count,
  lagMeanMs: z.number(),
  lagMaxMs: z.number(),
});
export const overviewAnswer = named(
  "OverviewAnswer",
  answer({
    overview: z.object({
      owner: id,
      tickets: z.object({ open: count, closing: count, closed: count }),
      waiting: z.object({ tickets: count, messages: count, oldestSince: z.optional(time) }),
      dead: z.object({ tickets: count, messages: count }),
      minutes: list(z.extend(perLane(perMinute), { at: time })),
    }),
  }),
);

/** Of the WebSocket: no answer of an operation. */
named(
  "LiveEvent",
  z.union([
    z.object({ type: z.literal("ticket"), ticket: summary }),
    z.object({ type: z.literal("gone"), ticketNumber: id }),
  ]),
);

export const probeAnswer = named(
  "TestAnswer",
  answer({ attempt, outcome: z.enum(["delivered", "rejected", "retry", "blocked"]), answer: z.string() }),
);

export const healthAnswer = named(
  "HealthAnswer",
  answer({ checks: list(z.object({ name: z.string(), ok: z.literal(true), ms: z.optional(count) })) }),
);

export const sessionAnswer = named("SessionAnswer", answer({ expiresAt: time }));

export const contactAnswer = named("ContactAnswer", answer({ contact: z.unknown() }));
export const historyAnswer = named(
  "HistoryAnswer",
  answer({
    messages: list(
      z.object({
        from: z.enum(["customer", "agent"]),
        by: z.string(),
        text: z.string(),
        at: z.optional(time),
        raw: z.unknown(),
      }),
    ),
    next: cursor,
  }),
);

export const failureReport = named(
  "FailureReport",
  z.object({
    type: z.literal("delivery.failed"),
    ticketNumber: id,
    owner: id,
    messageId: z.string(),
    sequence: count,
    reason: z.enum(["rejected", "blocked", "exhausted"]),
    status: z.nullable(z.int()),
    event: z.record(z.string(), z.unknown()),
  }),
);
