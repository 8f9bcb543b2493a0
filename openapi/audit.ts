import { auditAnswer, auditCheckAnswer, meAnswer } from "./answers";
import * as examples from "./examples";
import type { Operation } from "./operation";
import { auditFilters } from "./parameters";
import { OPERATOR } from "./tenants";

/** Who operates the relay, and what the audit log has of it. */

const common = { tag: "Operator: audit", security: OPERATOR };

export const audit: Operation[] = [
  {
    ...common,
    id: "me",
    method: "get",
    path: "/admin/me",
    summary: "Who one is, and with which role",
    description:
      "`viewer` reads all but credentials; `operator` also retries, replays, discards, pauses and tests connections; `admin` does all. `by` is how one has shown it.",
    answer: {
      description: "The operator.",
      schema: meAnswer,
      example: { status: "success", operator: { name: "siti", role: "operator", by: "token" } },
    },
  },
  {
    ...common,
    id: "audit",
    method: "get",
    path: "/admin/audit",
    summary: "Who did or read what, from where, when",
    description:
      "Every act, and every look at what customers say or at a credential, for 400 days. The same look by the same operator is one entry in ten minutes. With `format=ndjson` all that fits is streamed, one entry a line.",
    parameters: auditFilters,
    answer: {
      description: "The newest first. A page may have fewer than `limit`, or none, and still a `next`.",
      schema: auditAnswer,
      example: { status: "success", entries: [examples.auditEntry], next: "1041" },
    },
    refusals: ["invalid_request"],
  },
  {
    ...common,
    id: "verifyAudit",
    method: "get",
    path: "/admin/audit/verify",
    summary: "Whether the audit log is as it was written",
    description:
      "Each entry has the hash of the one before it in its own. `firstBroken` is the number of the first that does not fit, or is missing. Keep `head` elsewhere, and you can tell later that the log still leads there.",
    answer: {
      description: "Which entries were checked, and the hash of the last.",
      schema: auditCheckAnswer,
      example: { status: "success", check: { first: 1, last: 1042, head: examples.auditEntry.hash } },
    },
  },
];
