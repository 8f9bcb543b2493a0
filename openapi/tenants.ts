import * as z from "zod/mini";
import {
  chatwootConnectionBody,
  connectedAnswer,
  connectionTestAnswer,
  credentialsAnswer,
  done,
  eraseAnswer,
  erasureBody,
  purgeAnswer,
  record,
  tenantAnswer,
  tenantsAnswer,
} from "./answers";
import * as examples from "./examples";
import type { Answer, Operation } from "./operation";
import { ifMatch, ofExport, ownerInPath, purging, tenantPage } from "./parameters";

/** What the operator does with tenants. */

const purge = { state: "running", startedAt: "2026-11-24T08:15:30.512Z", tickets: { deleted: 400, left: 37 } };

export const OPERATOR = ["operatorToken", "consoleSession", "accessToken"];
const TAG = "Operator: tenants";
const PATH = "/admin/tenants/{owner}";

const shownTenant: Answer = {
  description: "The whole record, its defaults filled in and its secrets shown as `***`.",
  schema: tenantAnswer,
  example: { status: "success", tenant: examples.tenant },
  headers: ["etag"],
};
const shownCredentials: Answer = {
  description: "What the desk is to be given. They belong to the `deskId`: one pair for all tenants that have it.",
  schema: credentialsAnswer,
  example: { status: "success", credentials: examples.credentials },
  headers: ["cache-control"],
};
const shownTest: Answer = {
  description: "What came of it: the far end's own status, and the beginning of its answer.",
  schema: connectionTestAnswer,
  example: { status: "success", ...examples.connectionTest },
};
const common = { tag: TAG, security: OPERATOR, parameters: [ownerInPath] };

export const tenants: Operation[] = [
  {
    ...common,
    id: "listTenants",
    method: "get",
    path: "/admin/tenants",
    summary: "All tenants",
    description: "Whole records, their secrets shown as `***`.",
    parameters: tenantPage,
    answer: {
      description: "In the order of their owners.",
      schema: tenantsAnswer,
      example: { status: "success", tenants: [examples.tenant] },
    },
    refusals: ["invalid_request"],
  },
  {
    ...common,
    id: "getTenant",
    method: "get",
    path: PATH,
    summary: "One tenant's record",
    description: "With its defaults filled in. Its secrets never come back out.",
    answer: shownTenant,
    refusals: ["unknown_owner", "invalid_request"],
  },
  {
    ...common,
    id: "putTenant",
    method: "put",
    path: PATH,
    summary: "Registers a tenant, or replaces its record",
    description:
      "A secret that is put as `***` stays as it is, and so does what is `paused`. Where it would be sent to another origin, or by way of another `reach`, it is 422 and has to be given. All that waits is tried at once. Two at once take effect one after the other. With another `deskId` its open tickets move to that desk, and the first can read them no more.",
    parameters: [ownerInPath, ifMatch],
    body: {
      schema: record,
      examples: { whole: examples.tenantRecord, shortest: examples.shortestRecord },
    },
    answer: shownTenant,
    refusals: ["invalid_tenant", "invalid_request", "precondition_failed", "owner_in_use", "purging"],
  },
  {
    ...common,
    id: "deleteTenant",
    method: "delete",
    path: PATH,
    summary: "Ends the acceptance of a tenant's events",
    description:
      "At once. What waits goes on waiting until its `maxAgeSeconds`, and a new PUT with the same `deskId` lets it go on. With `purge=true` everything of the tenant is deleted as well, which goes on after the answer: that is then as in `getPurge`.",
    parameters: [ownerInPath, purging],
    answer: {
      description: "Deleted, or being deleted.",
      schema: z.union([done, purgeAnswer]),
      example: { status: "success" },
    },
    refusals: ["unknown_owner", "invalid_request"],
  },
  {
    ...common,
    id: "getPurge",
    method: "get",
    path: `${PATH}/purge`,
    summary: "How far the purge of a tenant is",
    description: "Until it is done, the owner cannot be put again.",
    answer: { description: "Its tickets, counted.", schema: purgeAnswer, example: { status: "success", purge } },
    refusals: ["not_found", "invalid_request"],
  },
  {
    ...common,
    id: "eraseCustomer",
    method: "post",
    path: `${PATH}/erase`,
    summary: "Deletes all that there is of a customer",
    description:
      "All tickets that are, or were, of a contact, or one ticket: messages, whatever waits or is dead, keys, what was kept of a conversation. Many tickets go on after the answer; to ask again does no harm. The customer's next message opens a ticket anew. Of a deleted tenant as well.",
    body: {
      schema: erasureBody,
      examples: { contact: { contactId: examples.CONTACT }, ticket: { ticketNumber: examples.TICKET } },
    },
    answer: {
      description: "What this request has deleted, and how many tickets are left to be.",
      schema: eraseAnswer,
      example: { status: "success", erased: [{ ticketNumber: examples.TICKET, messages: 12 }], left: 0 },
    },
    refusals: ["unknown_owner", "invalid_request"],
  },
  {
    ...common,
    id: "exportCustomer",
    method: "get",
    path: `${PATH}/export`,
    summary: "Gives out all that there is of a customer",
    description:
      "As NDJSON, each line an `ExportLine`: a ticket, then its messages with their attempts, the newest first. The last line is of type `end`; without it, the answer was cut short.",
    parameters: [ownerInPath, ...ofExport],
    answer: { description: "One JSON object a line." },
    refusals: ["unknown_owner", "invalid_request"],
  },
  {
    ...common,
    id: "getCredentials",
    method: "get",
    path: `${PATH}/credentials`,
    summary: "The token and the signing secret of the tenant's desk",
    description: "For the desk's own configuration. Whoever has the token can read and answer this desk's tickets.",
    answer: shownCredentials,
    refusals: ["unknown_owner", "invalid_request"],
  },
  {
    ...common,
    id: "rotateCredentials",
    method: "post",
    path: `${PATH}/credentials/rotate`,
    summary: "Makes new ones",
    description:
      'Those before stay good for 24 hours, or until the next rotation; with the body `{"revoke":true}` they end at once. Two at once are two.',
    answer: shownCredentials,
    refusals: ["unknown_owner", "invalid_request", "invalid_json", "too_large", "unsupported_encoding"],
  },
  {
    ...common,
    id: "connectChatwoot",
    method: "post",
    path: `${PATH}/connect/chatwoot`,
    summary: "Sets up an inbox of Chatwoot for the tenant",
    description:
      "With an administrator's token. Makes the inbox of type API, or finds the one whose webhook is this tenant's at the host that was called, reads its secret, defines the attributes that agents see at a conversation, puts the user of the token that is kept into the inbox, and writes `desk` into the record. Where `agentToken` is given, that is the one that is kept. What one call has left undone, the next one does.",
    body: {
      schema: chatwootConnectionBody,
      examples: {
        agent: examples.chatwootConnection,
        administrator: { baseUrl: "https://app.chatwoot.com", accountId: 1, accessToken: "an administrator's token" },
      },
    },
    answer: {
      description: "The record as it is now, and what was done at Chatwoot.",
      schema: connectedAnswer,
      example: { status: "success", ...examples.connected },
    },
    refusals: ["unknown_owner", "invalid_request", "invalid_tenant", "delivery_failed"],
  },
  {
    ...common,
    id: "testDesk",
    method: "post",
    path: `${PATH}/test/desk`,
    summary: "Sends a test event to the tenant's desk",
    description:
      'Signed and translated as any other. No ticket is opened, and nothing is tried again. Chatwoot, Zendesk and Genesys Cloud are asked what is set up there instead, in `checks`, and are sent nothing unless the body is `{"send":true}`.',
    answer: shownTest,
    refusals: ["unknown_owner", "invalid_request", "invalid_json", "unsupported_encoding"],
  },
  {
    ...common,
    id: "testEngine",
    method: "post",
    path: `${PATH}/test/engine`,
    summary: "Logs in to the tenant's 3Dolphins",
    description:
      "With `dolphins.auth` of type `login` alone. The token is not shown, nor the password where the answer quotes it.",
    answer: {
      ...shownTest,
      example: {
        ...(shownTest.example as object),
        outcome: "delivered",
        answer: "",
        attempt: { at: "2026-11-24T08:15:30.512Z", ms: 84, status: 200 },
      },
    },
    refusals: ["unknown_owner", "invalid_request"],
  },
];
