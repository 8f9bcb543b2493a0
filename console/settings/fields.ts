/** The fields of a tenant record, as a form shows them: docs/tenants.md. Pure. */

export type FieldPath =
  | "name"
  | "deskId"
  | "ingress"
  | "timeZone"
  | "language"
  | "stickerText"
  | "retentionDays"
  | "dolphins.baseUrl"
  | "dolphins.outgoingPath"
  | "dolphins.commandPath"
  | "dolphins.apiPath"
  | "dolphins.auth.type"
  | "dolphins.auth.token"
  | "dolphins.auth.username"
  | "dolphins.auth.password"
  | "dolphins.auth.name"
  | "dolphins.auth.value"
  | "desk.type"
  | "desk.url"
  | "desk.notifyFailures"
  | "desk.baseUrl"
  | "desk.accountId"
  | "desk.inboxId"
  | "desk.apiAccessToken"
  | "desk.webhookSecret"
  | "desk.templates"
  | "desk.appId"
  | "desk.keyId"
  | "desk.keySecret"
  | "desk.users"
  | "desk.brandId"
  | "desk.region"
  | "desk.integrationId"
  | "desk.clientId"
  | "desk.clientSecret"
  | "desk.loginUrl"
  | "desk.apiUrl"
  | "delivery.timeoutMs"
  | "delivery.maxAgeSeconds"
  | "delivery.whenExhausted";

export type Field = {
  path: FieldPath;
  kind: "text" | "url" | "secret" | "number" | "choice" | "switch" | "zone";
  /** Of a choice. */
  options?: readonly string[];
  /** Left out of the record when it is empty. */
  optional?: boolean;
  /** Of a switch: it is on where the record says nothing. */
  isOn?: boolean;
};

export type SectionName = "tenant" | "desk" | "dolphins" | "delivery";
type Section = { name: SectionName; fields: Field[] };

const text = (path: FieldPath): Field => ({ path, kind: "text" });
const secret = (path: FieldPath): Field => ({ path, kind: "secret" });
const number = (path: FieldPath): Field => ({ path, kind: "number" });
const url = (path: FieldPath): Field => ({ path, kind: "url" });

const DESK_FIELDS: Record<string, Field[]> = {
  native: [url("desk.url"), { path: "desk.notifyFailures", kind: "switch" }],
  chatwoot: [
    url("desk.baseUrl"),
    number("desk.accountId"),
    number("desk.inboxId"),
    secret("desk.apiAccessToken"),
    secret("desk.webhookSecret"),
    { path: "desk.templates", kind: "switch", isOn: true },
  ],
  zendesk: [
    url("desk.baseUrl"),
    text("desk.appId"),
    text("desk.keyId"),
    secret("desk.keySecret"),
    secret("desk.webhookSecret"),
    { ...text("desk.users"), optional: true },
    { ...text("desk.brandId"), optional: true },
  ],
  genesys: [
    text("desk.region"),
    text("desk.integrationId"),
    text("desk.clientId"),
    secret("desk.clientSecret"),
    secret("desk.webhookSecret"),
    { ...url("desk.loginUrl"), optional: true },
    { ...url("desk.apiUrl"), optional: true },
  ],
};

const AUTH_FIELDS: Record<string, Field[]> = {
  none: [],
  bearer: [secret("dolphins.auth.token")],
  basic: [text("dolphins.auth.username"), secret("dolphins.auth.password")],
  header: [text("dolphins.auth.name"), secret("dolphins.auth.value")],
  login: [text("dolphins.auth.username"), secret("dolphins.auth.password")],
};

/** The form for a desk and an authentication of these types. */
export const sectionsFor = (deskType: string, authType: string): Section[] => [
  {
    name: "tenant",
    fields: [
      { ...text("name"), optional: true },
      { path: "timeZone", kind: "zone" },
      { path: "language", kind: "choice", options: ["id", "en"] },
      text("stickerText"),
      { ...text("deskId"), optional: true },
      { ...text("ingress"), optional: true },
      number("retentionDays"),
    ],
  },
  {
    name: "desk",
    fields: [
      { path: "desk.type", kind: "choice", options: Object.keys(DESK_FIELDS) },
      ...(DESK_FIELDS[deskType] ?? []),
    ],
  },
  {
    name: "dolphins",
    fields: [
      url("dolphins.baseUrl"),
      text("dolphins.outgoingPath"),
      text("dolphins.commandPath"),
      text("dolphins.apiPath"),
      { path: "dolphins.auth.type", kind: "choice", options: Object.keys(AUTH_FIELDS) },
      ...(AUTH_FIELDS[authType] ?? []),
    ],
  },
  {
    name: "delivery",
    fields: [
      number("delivery.timeoutMs"),
      number("delivery.maxAgeSeconds"),
      { path: "delivery.whenExhausted", kind: "choice", options: ["advance", "hold"] },
    ],
  },
];

/** What a new record begins with: the relay's own defaults. */
export const NEW_RECORD = {
  timeZone: "Asia/Jakarta",
  language: "id",
  stickerText: "Stiker",
  dolphins: {
    outgoingPath: "/outgoing",
    commandPath: "/command",
    apiPath: "/dolphin/apiv1",
    auth: { type: "none" },
  },
  desk: { type: "native" },
  delivery: { timeoutMs: 10_000, maxAgeSeconds: 86_400, whenExhausted: "advance" },
  retentionDays: 30,
};
