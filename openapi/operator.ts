import {
  deadLettersAnswer,
  discardAnswer,
  healthAnswer,
  overviewAnswer,
  pausedAnswer,
  pauseRequest,
  resumeRequest,
  retryAnswer,
  retryRequest,
  tenantReplayAnswer,
  tenantReplayBody,
  ticketAnswer,
  ticketReplayAnswer,
  ticketReplayBody,
  ticketsAnswer,
} from "./answers";
import * as examples from "./examples";
import type { Operation } from "./operation";
import { letterPage, minutes, ownerInPath, ticketFilters, ticketInPath, ticketPage, timelinePage } from "./parameters";
import { OPERATOR } from "./tenants";

/** What the operator sees of the tenants' tickets. */

const TAG = "Operator: tickets";
const TENANT = "/admin/tenants/{owner}";
const ONE_TICKET = "/admin/tickets/{owner}/{ticketNumber}";
const common = { tag: TAG, security: OPERATOR };

const DRY_RUN =
  "In their original order, ahead of what waits. `lane`, `reason`, `status`, and `since` and `until`, between which they were accepted, narrow it down. With `dryRun` nothing is done. `late` are those of `replayed` behind which a later message of their lane has already been delivered.";

export const operator: Operation[] = [
  {
    ...common,
    id: "health",
    method: "get",
    path: "/admin/health",
    tag: "Operator: tenants",
    summary: "Whether the relay has all it needs",
    description:
      "What is wrong is answered with 503, with one issue for each check that failed: `path` is its name, `message` says what to do.",
    answer: {
      description: "All in order.",
      schema: healthAnswer,
      example: {
        status: "success",
        checks: [
          { name: "MASTER_KEY", ok: true },
          { name: "DIRECTORY", ok: true, ms: 3 },
        ],
      },
    },
  },
  {
    ...common,
    id: "overview",
    method: "get",
    path: `${TENANT}/overview`,
    summary: "A tenant at a glance",
    description: "Counts of tickets and messages, and what happened in each of the last minutes.",
    parameters: [ownerInPath, minutes],
    answer: {
      description: "Minutes in which nothing happened are left out; the oldest stands first.",
      schema: overviewAnswer,
      example: { status: "success", overview: examples.overview },
    },
    refusals: ["unknown_owner", "invalid_request"],
  },
  {
    ...common,
    id: "listTickets",
    method: "get",
    path: `${TENANT}/tickets`,
    summary: "Tickets by state, or by search",
    description: "Out of the tenant's index, to which tickets report within seconds.",
    parameters: [ownerInPath, ...ticketFilters, ...ticketPage],
    answer: {
      description: "The newest opened first, as each was last heard of.",
      schema: ticketsAnswer,
      example: { status: "success", tickets: [examples.summary] },
    },
    refusals: ["unknown_owner", "invalid_request"],
  },
  {
    ...common,
    id: "listDeadLetters",
    method: "get",
    path: `${TENANT}/dead-letters`,
    summary: "Dead letters of all tickets",
    description:
      "What was refused for good or grew too old, with the far end's answer. With `group=cause` they are counted by lane, reason, status and error, the largest group first; one that differs in its numbers alone is the same error. Where more tickets have dead letters than one request asks, `incomplete` is there: ask again with `next` as `before`, and add up.",
    parameters: [ownerInPath, ...letterPage],
    answer: {
      description: "The newest opened ticket first; within a lane the oldest first. Or the groups.",
      schema: deadLettersAnswer,
      example: { status: "success", deadLetters: [examples.deadLetter] },
    },
    refusals: ["unknown_owner", "invalid_request"],
  },
  {
    ...common,
    id: "replayDeadLetters",
    method: "post",
    path: `${TENANT}/dead-letters/replay`,
    summary: "Puts dead letters back, across tickets",
    description: `${DRY_RUN} With \`more\`, a bounded run has left some: ask again with its \`next\` as \`before\`.`,
    parameters: [ownerInPath],
    body: { schema: tenantReplayBody, examples: { all: { all: true }, preview: examples.someIds } },
    answer: {
      description: "Which were put back, or would be.",
      schema: tenantReplayAnswer,
      example: { status: "success", ...examples.replayed },
    },
    refusals: ["unknown_owner", "invalid_request"],
  },
  {
    ...common,
    id: "discardDeadLetters",
    method: "post",
    path: `${TENANT}/dead-letters/discard`,
    summary: "Gives dead letters up for good, across tickets",
    description:
      "They stay in the timeline in state `discarded`, count nowhere as dead and can be replayed no more. With `dryRun` nothing is done; `more` and `next` are as in a replay.",
    parameters: [ownerInPath],
    body: {
      schema: tenantReplayBody,
      examples: { filtered: { all: true, lane: "toDolphins", status: 401, dryRun: true }, ids: examples.someIds },
    },
    answer: {
      description: "Which were discarded, or would be.",
      schema: discardAnswer,
      example: { status: "success", ...examples.discarded },
    },
    refusals: ["unknown_owner", "invalid_request"],
  },
  {
    ...common,
    id: "retryTenant",
    method: "post",
    path: `${TENANT}/retry`,
    summary: "Tries all that waits now",
    description:
      "The head of each lane that waits, or of one lane, before a `Retry-After` too; of many tickets in portions. A PUT of the record does the same by itself.",
    parameters: [ownerInPath],
    body: { schema: retryRequest, examples: { both: {}, toDesk: { lane: "toDesk" } }, isOptional: true },
    answer: {
      description: "How many tickets are known to wait.",
      schema: retryAnswer,
      example: { status: "success", tickets: 3 },
    },
    refusals: ["unknown_owner", "invalid_request"],
  },
  {
    ...common,
    id: "pauseTenant",
    method: "post",
    path: `${TENANT}/pause`,
    summary: "Pauses a tenant's deliveries",
    description:
      "In both directions, or in one. Events are accepted and kept, and nothing is attempted; what is under way ends. Tickets that wait or were active lately stop at once, others within a minute and a half. The time does not count towards `maxAgeSeconds`.",
    parameters: [ownerInPath],
    body: {
      schema: pauseRequest,
      examples: { maintenance: { lane: "toDesk", reason: "maintenance until 4" } },
      isOptional: true,
    },
    answer: {
      description: "What is paused now.",
      schema: pausedAnswer,
      example: { status: "success", paused: examples.paused },
    },
    refusals: ["unknown_owner", "invalid_request"],
  },
  {
    ...common,
    id: "resumeTenant",
    method: "post",
    path: `${TENANT}/resume`,
    summary: "Lets a tenant's deliveries go on",
    description: "At once, and in order.",
    parameters: [ownerInPath],
    body: { schema: resumeRequest, examples: { both: {} }, isOptional: true },
    answer: {
      description: "What is still paused.",
      schema: pausedAnswer,
      example: { status: "success", paused: {} },
    },
    refusals: ["unknown_owner", "invalid_request"],
  },
  {
    ...common,
    id: "watch",
    method: "get",
    path: `${TENANT}/events`,
    summary: "Watches a tenant live, over a WebSocket",
    description:
      "Each message is a `LiveEvent` as JSON text: a ticket as it is now, or one that is gone. The relay closes the line after 10 minutes (1000, `reconnect`): come back with a credential that is still good.",
    parameters: [ownerInPath],
    answer: { status: 101, description: "From here on it is a WebSocket." },
    refusals: ["unknown_owner", "invalid_request", "upgrade_required"],
  },
  {
    ...common,
    id: "adminTicket",
    method: "get",
    path: ONE_TICKET,
    summary: "State and timeline of a ticket",
    description: "As the ticket's own desk sees it.",
    parameters: [ownerInPath, ticketInPath, ...timelinePage],
    answer: {
      description: "The newest 100 messages, newest last, each with its attempts.",
      schema: ticketAnswer,
      example: { status: "success", ticket: examples.timeline },
    },
    refusals: ["unknown_ticket", "invalid_request"],
  },
  {
    ...common,
    id: "retryTicket",
    method: "post",
    path: `${ONE_TICKET}/retry`,
    summary: "Tries what waits in a ticket now",
    description: "In both lanes, or in one, before a `Retry-After` too.",
    parameters: [ownerInPath, ticketInPath],
    body: { schema: retryRequest, examples: { both: {} }, isOptional: true },
    answer: {
      description: "1 if anything is tried, else 0.",
      schema: retryAnswer,
      example: { status: "success", tickets: 1 },
    },
    refusals: ["unknown_ticket", "invalid_request"],
  },
  {
    ...common,
    id: "replayTicket",
    method: "post",
    path: `${ONE_TICKET}/replay`,
    summary: "Puts dead letters of a ticket back",
    description: DRY_RUN,
    parameters: [ownerInPath, ticketInPath],
    body: { schema: ticketReplayBody, examples: { all: { all: true }, preview: examples.someIds } },
    answer: {
      description: "Which were put back, or would be.",
      schema: ticketReplayAnswer,
      example: { status: "success", dryRun: false, replayed: examples.replayed.replayed, late: [] },
    },
    refusals: ["unknown_ticket", "invalid_request"],
  },
];
