/** One conversation, as the examples of the document tell it. The walk over the API in the tests sends them as they stand. */

export const OWNER = "82ab0fd5cfd1e80d1ff97c0cfc9aaaa";
export const TICKET = "294c9ea88f7e649f8c37ae895ebab247";
export const CONTACT = "d61d77735f3fe08bcf6d6b96fa06ba9d";
const MESSAGE = "msg_01a20fa750bb717fb7b5629784140107";
const AT = "2026-11-24T08:15:30.512Z";
const LATER = "2026-11-24T08:15:38.104Z";

const ticket = { ticketNumber: TICKET, channel: "whatsapp" };
const customer = { contactId: CONTACT, customerName: "Farhan Akbar" };

export const incomingEvent = {
  ...ticket,
  accountId: "628128778222",
  contactId: CONTACT,
  messageType: "text",
  message: "Halo",
  mediaLink: "",
  customerName: "Farhan Akbar",
  createdDate: "2021-04-28T15:39:37.945",
  owner: OWNER,
  groupId: "",
  language: "",
};

export const incomingLocation = { ...incomingEvent, messageType: "Location", message: "-6.2088,106.8456" };

export const outgoingEvent = {
  ...ticket,
  messageType: "text",
  message: "Ada yang bisa dibantu?",
  mediaLink: "",
  customerName: "Farhan Akbar",
  owner: OWNER,
};

export const outgoingImage = {
  ...outgoingEvent,
  messageType: "image",
  message: "",
  mediaLink: "https://desk.example/media/receipt.png",
};

export const closeCommand = { ...ticket, owner: OWNER, event: "Close" };

export const failureReport = {
  type: "delivery.failed",
  ticketNumber: TICKET,
  owner: OWNER,
  messageId: MESSAGE,
  sequence: 1,
  reason: "rejected",
  status: 422,
  event: outgoingEvent,
};

export const tenantRecord = {
  name: "Bank ABC",
  timeZone: "Asia/Jakarta",
  dolphins: {
    baseUrl: "https://bank.example:9443",
    auth: { type: "login", username: "relay", password: "the engine's password" },
  },
  desk: { type: "native", url: "https://desk.example/hooks/dolphins" },
};

export const shortestRecord = {
  dolphins: { baseUrl: "https://bank.example:9443" },
  desk: { type: "native", url: "https://desk.example/hooks/dolphins" },
};

export const tenant = {
  name: "Bank ABC",
  timeZone: "Asia/Jakarta",
  language: "id",
  stickerText: "Stiker",
  dolphins: {
    baseUrl: "https://bank.example:9443",
    outgoingPath: "/outgoing",
    commandPath: "/command",
    apiPath: "/dolphin/apiv1",
    auth: { type: "login", username: "relay", password: "***" },
  },
  desk: { type: "native", url: "https://desk.example/hooks/dolphins", notifyFailures: false },
  delivery: { timeoutMs: 10_000, maxAgeSeconds: 86_400, whenExhausted: "advance" },
  retentionDays: 30,
  owner: OWNER,
  deskId: OWNER,
};

export const chatwootConnection = {
  baseUrl: "https://app.chatwoot.com",
  accountId: 1,
  accessToken: "an administrator's token",
  agentToken: "the token of the agent that the relay calls as",
};

const chatwootDesk = {
  type: "chatwoot",
  baseUrl: "https://app.chatwoot.com",
  accountId: 1,
  inboxId: 7,
  apiAccessToken: "***",
  webhookSecret: "***",
};

export const connected = {
  tenant: { ...tenant, desk: chatwootDesk },
  checks: [
    { name: "inbox", ok: true, message: 'Made "Bank ABC", number 7.' },
    { name: "webhookSecret", ok: true, message: "Read." },
    { name: "attributes", ok: true, message: "Agents see channel, ticketNumber, phone at a conversation." },
    { name: "member", ok: true, message: "Relay is in the inbox. Add the agents who are to answer." },
  ],
};

export const credentials = {
  token: "desk_ODJhYjBmZDVjZmQxZTgwZDFmZjk3YzBjZmM5YWFhYQ.…",
  signingSecret: "whsec_…",
};

const maintenance = "<h1>Under maintenance</h1>";
const attempt = {
  at: AT,
  ms: 31,
  status: 503,
  outcome: "retry",
  answer: maintenance,
  error: `HTTP 503: ${maintenance}`,
};
const quiet = { accepted: 0, delivered: 0, waiting: 0, dead: 0 };

const message = {
  id: MESSAGE,
  lane: "toDesk",
  sequence: 1,
  kind: "incoming",
  state: "waiting",
  acceptedAt: AT,
  suspectedDuplicate: false,
  attempts: [attempt],
  event: incomingEvent,
};

export const timeline = {
  ...ticket,
  owner: OWNER,
  ...customer,
  state: "open",
  lanes: {
    toDesk: {
      ...quiet,
      accepted: 1,
      waiting: 1,
      oldestWaitingSince: AT,
      nextAttemptAt: LATER,
      blockedBy: MESSAGE,
    },
    toDolphins: quiet,
  },
  messages: [message],
};

export const summary = {
  ...ticket,
  ...customer,
  state: "open",
  lanes: { toDesk: { ...quiet, accepted: 1, waiting: 1 }, toDolphins: quiet },
  openedAt: AT,
  toldAt: LATER,
  waitingSince: AT,
  nextAttemptAt: LATER,
};

export const deadLetter = {
  ticketNumber: TICKET,
  channel: "whatsapp",
  customerName: "Farhan Akbar",
  ...message,
  state: "dead",
  attempts: [{ at: AT, ms: 31, status: 404, outcome: "rejected", error: "HTTP 404" }],
  reason: "rejected",
};

export const overview = {
  owner: OWNER,
  tickets: { open: 12, closing: 0, closed: 230 },
  waiting: { tickets: 1, messages: 3, oldestSince: AT },
  dead: { tickets: 1, messages: 1 },
  countedUntil: "2026-11-24T08:17:45.000Z",
  lag: { toDesk: { p50Ms: 64, p95Ms: 110, p99Ms: 120 }, toDolphins: {} },
  minutes: [
    {
      at: "2026-11-24T08:15:00.000Z",
      toDesk: { accepted: 4, delivered: 1, dead: 0, lagMeanMs: 84, lagMaxMs: 120 },
      toDolphins: { accepted: 2, delivered: 2, dead: 0, lagMeanMs: 61, lagMaxMs: 70 },
    },
  ],
};

export const replayed = { dryRun: false, replayed: [MESSAGE], late: [], more: false };
export const discarded = { dryRun: true, discarded: [MESSAGE], more: false };
export const paused = { toDesk: { since: AT, by: "admin", reason: "maintenance until 4" } };
export const someIds = { ids: [MESSAGE], dryRun: true };

export const connectionTest = {
  attempt,
  outcome: "retry",
  answer: "<h1>Under maintenance</h1>",
};

export const history = [
  { from: "customer", by: "Farhan Akbar", text: "Halo", at: AT, raw: { answer: false, message: "Halo" } },
];

export const auditEntry = {
  seq: 1042,
  at: AT,
  actor: { name: "siti@bank.example", role: "admin", by: "access" },
  address: "203.0.113.7",
  action: "tenant_put",
  owner: OWNER,
  outcome: "ok",
  changes: [
    { path: "dolphins.baseUrl", before: "https://bank.example:9443", after: "https://bank.example:1443" },
    { path: "dolphins.auth.password", before: "***", after: "*** (new)" },
  ],
  requestId: "5f2c1c1e-0b0c-4a8e-9f4e-3f1d8f0f8f11",
  hash: "3b1f0c6c7a4f5a1f0b8d1a9a2f6e4c7d8e9f0a1b2c3d4e5f60718293a4b5c6d7",
};
