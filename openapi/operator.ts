import {
  deadLettersAnswer,
  healthAnswer,
  overviewAnswer,
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
  "In their original order, ahead of what waits. With `dryRun` nothing is done. `late` are those of `replayed` behind which a later message of their lane has already been delivered.";

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
    description: "What was refused for good or grew too old, with the far end's answer. Each can be replayed.",
    parameters: [ownerInPath, ...letterPage],
    answer: {
      description: "The newest opened ticket first; within a lane the oldest first.",
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
