import type { ErrorCode } from "../src/model/errors";
import * as z from "zod/mini";
import { command, contactAnswer, deskWebhook, done, historyAnswer, outgoingEvent, ticketAnswer } from "./answers";
import * as examples from "./examples";
import type { Answer, Operation } from "./operation";
import {
  contactParameters,
  fromDesk,
  historyParameters,
  ownerInPath,
  ownerInQuery,
  ticketInPath,
  timelinePage,
} from "./parameters";

/** What a desk calls. */

const DESK = "Desk";
const signedOrToken = ["deskToken", "standardWebhooks"];
const token = ["deskToken"];

const stored: Answer = {
  description:
    "Durably stored; with `Prefer: wait=N` also what became of it within N seconds. A Close that repeats one is answered as that was.",
  schema: done,
  example: { status: "success" },
  headers: ["relay-message-id", "relay-sequence", "idempotent-replay", "preference-applied", "relay-delivery"],
};

const OF_EVENTS: ErrorCode[] = [
  "wrong_owner",
  "unknown_ticket",
  "ambiguous_ticket",
  "idempotency_mismatch",
  "invalid_event",
  "invalid_request",
  "backlog_full",
  "delivery_failed",
];
const OF_TICKETS: ErrorCode[] = ["wrong_owner", "unknown_ticket", "ambiguous_ticket", "invalid_request"];
const OF_LOOKUPS: ErrorCode[] = ["engine_failed", "engine_timeout"];

export const desk: Operation[] = [
  {
    id: "outgoing",
    method: "post",
    path: "/v1/outgoing",
    tag: DESK,
    summary: "An agent answers: Outgoing Event",
    description:
      "Stored behind what was accepted before it, and delivered in that order. A reply may leave out what the ticket knows: the customer's name and, with `owner`, the channel.",
    security: signedOrToken,
    parameters: fromDesk,
    body: {
      schema: outgoingEvent,
      examples: { text: examples.outgoingEvent, image: examples.outgoingImage },
    },
    answer: stored,
    refusals: [...OF_EVENTS, "ticket_closed"],
  },
  {
    id: "command",
    method: "post",
    path: "/v1/command",
    tag: DESK,
    summary: "The desk closes the ticket: Command Event",
    description: "Stands behind every reply accepted before it. The customer's next message opens the ticket again.",
    security: signedOrToken,
    parameters: fromDesk,
    body: { schema: command, examples: { close: examples.closeCommand } },
    answer: stored,
    refusals: OF_EVENTS,
  },
  {
    id: "deskWebhook",
    method: "post",
    path: "/v1/desks/{deskType}/{owner}",
    tag: DESK,
    summary: "A webhook that a known desk sends of its own",
    description:
      "The body is as that desk writes it. What is no agent's answer and closes nothing is answered 200 and left.",
    security: ["chatwootSignature", "zendeskKey", "genesysSignature"],
    parameters: [
      {
        name: "deskType",
        in: "path",
        description: "As in the tenant's record.",
        schema: z.enum(["chatwoot", "zendesk", "genesys"]),
        example: "chatwoot",
      },
      ownerInPath,
    ],
    body: { schema: deskWebhook, examples: { chatwoot: { event: "conversation_typing_on" } } },
    answer: { ...stored, headers: ["relay-message-id", "relay-sequence", "idempotent-replay", "relay-delivery"] },
    refusals: ["unknown_ticket", "ticket_closed", "invalid_event", "backlog_full", "delivery_failed"],
  },
  {
    id: "ticket",
    method: "get",
    path: "/v1/tickets/{ticketNumber}",
    tag: DESK,
    summary: "State and timeline of a ticket",
    description: "With each message's attempts and, where the lane waits, for which message and until when.",
    security: token,
    parameters: [ticketInPath, ownerInQuery, ...timelinePage],
    answer: {
      description: "The newest 100 messages, newest last, each with its attempts.",
      schema: ticketAnswer,
      example: { status: "success", ticket: examples.timeline },
    },
    refusals: OF_TICKETS,
  },
  {
    id: "history",
    method: "get",
    path: "/v1/tickets/{ticketNumber}/history",
    tag: DESK,
    summary: "The conversation as 3Dolphins has it",
    description: "Read from its Report API. Where `from` is after `to`, there are no messages.",
    security: token,
    parameters: historyParameters,
    answer: {
      description: "Oldest first.",
      schema: historyAnswer,
      example: { status: "success", messages: examples.history },
      headers: ["cache-control"],
    },
    refusals: [...OF_TICKETS, ...OF_LOOKUPS],
  },
  {
    id: "contact",
    method: "get",
    path: "/v1/contacts/{contactId}",
    tag: DESK,
    summary: "A contact that one of the desk's tickets names",
    description:
      "Read from its Contact API, and kept for a short while: `age` says how old it is. `Cache-Control: no-cache` asks anew.",
    security: token,
    parameters: contactParameters,
    answer: {
      description: "As 3Dolphins has it, unwrapped.",
      schema: contactAnswer,
      example: { status: "success", contact: { id: examples.CONTACT, firstName: "Farhan" } },
      headers: ["cache-control", "age"],
    },
    refusals: [...OF_TICKETS, "not_found", ...OF_LOOKUPS],
  },
];
