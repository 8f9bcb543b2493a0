import { AppError, type ErrorCode } from "../src/model/errors";
import type { Json } from "./components";

/** The error table: when each code is answered, what its message is like, and the headers that come with it. */

type Refusal = { when: string; message: string; issues?: { path: string; message: string }[]; headers?: Header[] };
type Header = keyof typeof HEADERS;

export const HEADERS = {
  "x-request-id": "Names this request in the relay's log.",
  "www-authenticate": "`Bearer`, where a token would do.",
  allow: "The methods that the path takes.",
  upgrade: "`websocket`",
  "retry-after": "Seconds to wait.",
  "relay-message-id": "The message's id, stable for its whole life.",
  "relay-sequence": "1, 2, 3 … in its lane.",
  "idempotent-replay": "`true` when the request repeats an earlier one: nothing more was stored.",
  "preference-applied": "`wait=N`, where `Prefer: wait=N` was asked for.",
  "relay-delivery": "With `Prefer: wait=N`: `delivered`, or `pending` when N seconds have passed.",
  etag: "The version of the record, for `If-Match`.",
  "set-cookie": "The session's cookie; on signing out, its end.",
  "cache-control": "Whether the answer may be kept, and for how long.",
  vary: "What in the request the answer depends on.",
  location: "Where to go on.",
  "content-disposition": "The file's name, and whether a browser may show it.",
  "content-range": "Which part of how many bytes.",
  age: "Seconds since 3Dolphins gave this.",
} as const;

export const REFUSALS: Record<ErrorCode, Refusal> = {
  precondition_failed: {
    when: "The record is no longer the version that `If-Match` names. The issues say what it has now where this one differs.",
    message: "Somebody has changed the record since you read it. Read it again, and put what you want on top of that.",
    issues: [{ path: "retentionDays", message: "is now 30" }],
  },
  invalid_json: {
    when: "The body is not JSON.",
    message: "The body is not JSON: a comma is missing at line 3, column 3.",
  },
  unauthorized: {
    when: "The key, token, signature or cookie is missing or wrong, or a signature's time is over 5 minutes off.",
    message: "The desk's token is missing or wrong. Send Authorization: Bearer <token>; the relay's operator has it.",
    headers: ["www-authenticate"],
  },
  forbidden: {
    when: "The role of this operator does not go so far, or Cloudflare Access has let through somebody without one.",
    message: "This needs the role admin, and siti has viewer.",
  },
  https_required: {
    when: "The request came over plain http, and nothing was stored.",
    message:
      "The relay takes https alone, and has stored nothing. Put https:// into the URL; if a credential was sent, replace it.",
  },
  wrong_owner: {
    when: "The credential does not serve that owner, whether or not there is one.",
    message: "This credential does not serve that owner. Check owner, and whose token or secret you use.",
  },
  unknown_ticket: {
    when: "No Incoming Event has opened that ticket. With `Retry-After` the relay may not have heard of it everywhere yet.",
    message: "No Incoming Event has opened that ticket. Check ticketNumber, or give the owner.",
    headers: ["retry-after"],
  },
  unknown_owner: {
    when: "There is no such tenant, or it is bound to another engine's key.",
    message: "There is no such tenant. GET /admin/tenants lists those there are.",
  },
  not_found: {
    when: "There is nothing under that path.",
    message: "That ticket names another contact. Its contactId is in each of its Incoming Events.",
  },
  method_not_allowed: {
    when: "The path does not take that method.",
    message: "This path takes POST only.",
    headers: ["allow"],
  },
  ambiguous_ticket: {
    when: "No `owner` was given, and several tenants of that desk hold the number.",
    message: "Several tenants of this desk hold that ticket number. Give the owner.",
  },
  owner_in_use: {
    when: "A tenant of this owner was deleted and not purged, and had another `deskId`: its tickets are not for another desk to read.",
    message:
      "A tenant of this owner was deleted, and its tickets are another desk's. Give it the same deskId, or purge it first: DELETE …?purge=true.",
  },
  purging: {
    when: "The tenant is being purged.",
    message: "This tenant is being purged. Put it again when GET …/purge says that it is done.",
  },
  ticket_closed: {
    when: "The ticket is closed: the customer's next message opens it again.",
    message: "The ticket is closed. The customer's next message opens it again.",
  },
  too_large: {
    when: "The body is over 256 KiB, as it came or unpacked.",
    message: "The body is over 256 KiB. Send media as a link in mediaLink, not in the event.",
  },
  unsupported_encoding: {
    when: "The body has a `content-encoding` other than gzip and deflate.",
    message: "The relay cannot read the content-encoding br. Send the body as it is, or by gzip or deflate.",
  },
  idempotency_mismatch: {
    when: "The idempotency key was used with another event, compared after repair and with its fields in any order.",
    message: "This idempotency key was used with another event. Use a new key for a new message.",
  },
  invalid_event: {
    when: "The event does not fit: one issue for each field.",
    message: "The event does not fit: fix messageType.",
    issues: [{ path: "messageType", message: "must be one of text, image, video, audio, file, Location" }],
  },
  invalid_request: {
    when: "A parameter, a header or the body does not fit.",
    message: "limit must be a number from 1 to 100.",
    issues: [{ path: "limit", message: "must be a number from 1 to 100" }],
  },
  invalid_tenant: {
    when: "The tenant record does not fit: one issue for each field.",
    message: "The tenant record does not fit: fix dolphins.baseUrl.",
    issues: [{ path: "dolphins.baseUrl", message: "must begin with https://" }],
  },
  upgrade_required: {
    when: "The path speaks WebSocket alone.",
    message: "This path speaks WebSocket alone: ask with Upgrade: websocket.",
    headers: ["upgrade"],
  },
  backlog_full: {
    when: "1,000 messages wait in this lane of the ticket.",
    message: "Too much waits in this direction of the ticket. Send it again later.",
    headers: ["retry-after"],
  },
  rate_limited: {
    when: "Too many requests with this credential, or too many wrong credentials from this address.",
    message: "Too many requests with this credential. Wait as Retry-After says, then go on.",
    headers: ["retry-after"],
  },
  internal: {
    when: "The relay's own fault. Nothing was stored: send it again.",
    message: "Something went wrong in the relay, and nothing was stored. Send it again.",
  },
  delivery_failed: {
    when: "With `Prefer: wait=N`: 3Dolphins refused the message for good. Where a desk is connected: the desk failed at a part of it.",
    message: '3Dolphins did not take the message (rejected): HTTP 400: {"status":"error"}',
    headers: ["relay-message-id", "relay-sequence", "preference-applied"],
  },
  engine_failed: {
    when: "3Dolphins failed, or answered with something else.",
    message: "3Dolphins did not give this: HTTP 503.",
    headers: ["retry-after"],
  },
  unavailable: {
    when: "A setting is missing, or storage is out of reach. Nothing was stored: send it again.",
    message: "The relay could not do this just now. Send it again.",
    headers: ["retry-after"],
  },
  engine_timeout: {
    when: "3Dolphins did not answer in time.",
    message: "3Dolphins did not answer in time: no complete answer within 10000 ms. Ask again.",
    headers: ["retry-after"],
  },
};

export const statusOf = (code: ErrorCode): string => String(new AppError(code, "").status);

export const bodyOf = (code: ErrorCode): Json => {
  const { message, issues } = REFUSALS[code];
  return new AppError(code, message, issues ? { issues } : {}).toBody();
};

export const headersOf = (names: readonly Header[]): Json =>
  Object.fromEntries(names.map((name) => [name, { description: HEADERS[name], schema: { type: "string" } }] as const));
