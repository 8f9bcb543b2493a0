import { done, incomingEvent, ownedCommand } from "./answers";
import * as examples from "./examples";
import type { Answer, Operation } from "./operation";
import { fromEngine, ofMedia } from "./parameters";

/** What 3Dolphins calls. */

const answer: Answer = {
  description:
    "Durably stored. It is delivered at least once, or ends among the dead letters, where a person sees why.",
  schema: done,
  example: { status: "success" },
  headers: ["relay-message-id", "relay-sequence", "idempotent-replay"],
};

const incoming = (id: string, path: string, summary: string): Operation => ({
  id,
  method: "post",
  path: `/v1/dolphins/{ingressKey}/${path}`,
  tag: "3Dolphins",
  summary,
  description: "What 3Dolphins calls with which of its properties is not documented, so the relay takes each path.",
  security: [],
  parameters: fromEngine,
  body: {
    schema: incomingEvent,
    examples: { text: examples.incomingEvent, location: examples.incomingLocation },
  },
  answer,
  refusals: [
    "unauthorized",
    "unknown_owner",
    "idempotency_mismatch",
    "invalid_event",
    "invalid_request",
    "backlog_full",
    "rate_limited",
    "unavailable",
  ],
});

export const engine: Operation[] = [
  {
    ...incoming("incoming", "incoming", "A customer has written: Incoming Event"),
    description: "Opens the ticket, or opens it again after a Close. Fields that the relay does not know ride along.",
  },
  incoming("sendMessage", "sendMessage", "The same as incoming"),
  incoming("incomingMessage", "incomingMessage", "The same as incoming"),
  {
    ...incoming("engineCommand", "command", "3Dolphins closes the ticket: Command Event"),
    description: "Goes to the desk behind every message before it. The customer's next message opens the ticket again.",
    body: { schema: ownedCommand, examples: { close: examples.closeCommand } },
    refusals: [
      "unauthorized",
      "unknown_owner",
      "unknown_ticket",
      "idempotency_mismatch",
      "invalid_event",
      "invalid_request",
      "backlog_full",
      "rate_limited",
      "unavailable",
    ],
  },
  {
    id: "media",
    method: "get",
    path: "/v1/media/{reference}",
    tag: "3Dolphins",
    summary: "A file that an agent has sent",
    description:
      "The link that a reply brings where the desk's own opens with a credential alone. Of up to 25 MB, and as long as the tenant's messages are kept.",
    security: [],
    parameters: ofMedia,
    answer: { description: "The file, in its own type.", headers: ["content-disposition", "cache-control"] },
    otherwise: [
      { status: 206, description: "The part that was asked for.", headers: ["content-range", "content-disposition"] },
      { status: 416, description: "The file has no such part." },
    ],
    refusals: ["not_found", "rate_limited", "unavailable"],
  },
];
