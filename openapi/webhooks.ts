import { judgeAnswer, type Outcome } from "../src/egress/outcome";
import { command, failureReport, incomingEvent } from "./answers";
import { schemaOf, type Json } from "./components";
import * as examples from "./examples";

/** What a native desk is sent, and what its answers mean: as `judgeAnswer` has it, which judges them. */

const MEANINGS: Record<Exclude<Outcome["kind"], "blocked">, string> = {
  delivered:
    "Taken, unless a JSON body says failure: a `status` that begins with `err`, `fail`, `reject` or `gagal`, that is `false`, or that is a number from 400 on; or a `success` that is `false` or `0`, either also as a text. That is refused for good.",
  rejected: "Refused for good: the message goes to the dead letters, and the next one goes out.",
  retry: "Tried again, the first times within seconds.",
};

function meaningOf(status: number): string {
  const { kind } = judgeAnswer(
    { status, text: "", raw: "", truncated: false, unreadable: false, retryAfterMs: undefined },
    true,
  );
  if (kind === "blocked") throw new Error(`An answer ${status} would be blocked.`);
  return MEANINGS[kind];
}

/** A range means what most of its statuses do; those that mean something else stand beside it, each by itself. */
function answersOf(hundreds: number): [string, Json][] {
  const statuses = Array.from({ length: 100 }, (_, index) => hundreds * 100 + index);
  const [most = ""] = Map.groupBy(statuses, meaningOf)
    .entries()
    .toArray()
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([meaning]) => meaning);
  const others = statuses.filter((status) => meaningOf(status) !== most);
  const all = [...others.map((status) => [String(status), meaningOf(status)]), [`${hundreds}XX`, most]];
  return all.map(([status = "", description]) => [status, { description }]);
}

const HEADERS: Record<string, string> = {
  "webhook-id": "The message's id, the same in every attempt.",
  "webhook-timestamp": "When this attempt was made, in unix seconds.",
  "webhook-signature": "`v1,…`; for 24 hours after a rotation a second one behind a space.",
  "relay-sequence": "1, 2, 3 … in the ticket's lane to the desk.",
  "relay-attempt": "1 at first.",
};

type Sent = {
  id: string;
  summary: string;
  description: string;
  schema: Parameters<typeof schemaOf>[0];
  value: unknown;
};

const webhook = ({ id, summary, description, schema, value }: Sent): Json => ({
  post: {
    operationId: id,
    summary,
    description,
    tags: ["Desk"],
    security: [{ standardWebhooks: [] }],
    parameters: Object.entries(HEADERS).map(([name, meaning]) => ({
      name,
      in: "header",
      required: true,
      description: meaning,
      schema: { type: "string" },
    })),
    requestBody: {
      required: true,
      content: { "application/json": { schema: schemaOf(schema), examples: { event: { value } } } },
    },
    responses: Object.fromEntries([2, 3, 4, 5].flatMap(answersOf)),
  },
});

export const webhooks: Json = {
  incoming: webhook({
    id: "sentIncoming",
    summary: "A customer has written",
    description: "The Incoming Event as 3Dolphins sent it, in the documented spelling, and a sticker as text.",
    schema: incomingEvent,
    value: examples.incomingEvent,
  }),
  close: webhook({
    id: "sentClose",
    summary: "3Dolphins closes the ticket",
    description: "A Close that the desk sent itself does not come back to it.",
    schema: command,
    value: examples.closeCommand,
  }),
  failure: webhook({
    id: "sentFailure",
    summary: "A reply was not delivered",
    description:
      "Sent where the tenant's record has `notifyFailures`: a reply of this desk ended among the dead letters.",
    schema: failureReport,
    value: examples.failureReport,
  }),
};
