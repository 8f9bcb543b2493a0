import { randomUUID } from "node:crypto";
import { bearer } from "../../support/tenant.ts";
import { type Hostile, type Scenario, closeOf, incomingOf, outgoingOf } from "./scenario.ts";

/** Headers that say who is asking, from where or for what, and that nobody has to believe. */

const unauthorized = { status: 401, code: "unauthorized" };
const notFound = { status: 404, code: "not_found" };
const notAllowed = { status: 405, code: "method_not_allowed" };
const noJson = { status: 400, code: "invalid_json" };
const upgradeRequired = { status: 426, code: "upgrade_required" };

type Headers = Record<string, string>;

/** Words of a proxy, or of a login in front of the relay. None of them is a credential. */
const CLAIMS: [name: string, headers: (scenario: Scenario) => Headers][] = [
  ["an address of the relay's own machine", () => ({ "x-forwarded-for": "127.0.0.1", "x-real-ip": "127.0.0.1" })],
  ["an address that Cloudflare is said to have seen", () => ({ "cf-connecting-ip": "::1" })],
  ["an address that is none", () => ({ "cf-connecting-ip": "1:2:3:4:5:6:7:8::9:::" })],
  ["a list of a thousand addresses", () => ({ "cf-connecting-ip": "2001:db8::1,".repeat(1_000) })],
  ["a Worker that is said to call", () => ({ "cf-worker": "relay.example", "cdn-loop": "cloudflare" })],
  [
    "a host of its own",
    () => ({ "x-forwarded-host": "relay.internal", forwarded: "for=127.0.0.1;host=relay.internal" }),
  ],
  ["an e-mail address of a login", () => ({ "cf-access-authenticated-user-email": "admin@bank.example" })],
  [
    "an assertion that nobody has signed",
    () => ({ "cf-access-jwt-assertion": `${json64({ alg: "none" })}.${json64({ email: "admin@bank.example" })}.` }),
  ],
  [
    "an assertion in Cloudflare's cookie",
    () => ({ cookie: `CF_Authorization=${json64({ alg: "none" })}.${json64({ email: "a@b.c" })}.` }),
  ],
  [
    "a certificate that was checked elsewhere",
    () => ({ "x-client-cert": "CN=admin", "x-ssl-client-verify": "SUCCESS" }),
  ],
  ["a name of an operator", () => ({ "x-remote-user": "admin", "x-webauth-user": "admin" })],
  [
    "the operator's token as a proxy's",
    ({ world }) => ({ "proxy-authorization": `Bearer ${world.settings.ADMIN_TOKEN}` }),
  ],
  ["the operator's token as an API key", ({ world }) => ({ "x-api-key": world.settings.ADMIN_TOKEN })],
  [
    "the operator's token as another header's",
    ({ world }) => ({ "x-authorization": `Bearer ${world.settings.ADMIN_TOKEN}` }),
  ],
  ["the operator's token as a cookie", ({ world }) => ({ cookie: `relay_session=${world.settings.ADMIN_TOKEN}` })],
  [
    "the operator's token as the name and the password of Basic",
    ({ world }) => ({
      authorization: `Basic ${Buffer.from(`admin:${world.settings.ADMIN_TOKEN}`).toString("base64")}`,
    }),
  ],
  ["20,000 characters of a token", () => bearer("a".repeat(20_000))],
  [
    "the operator's token and 20,000 characters more",
    ({ world }) => bearer(world.settings.ADMIN_TOKEN + "a".repeat(20_000)),
  ],
  [
    "a cookie that says its own end",
    () => ({ cookie: `relay_session=${"A".repeat(43)}.${Date.now() + 1e9}.${"A".repeat(43)}` }),
  ],
  [
    "a cookie under the name that https has",
    () => ({ cookie: `__Host-relay_session=${"A".repeat(43)}.${Date.now() + 1e9}.${"A".repeat(43)}` }),
  ],
  ["a cookie of a NUL and quotes", () => ({ cookie: 'relay_session="%00"; relay_session=' })],
  ["8,000 characters of a cookie", () => ({ cookie: `relay_session=${"A".repeat(8_000)}` })],
];
const claims = CLAIMS.map(([name, headers]): Hostile => [
  `${name} in place of the operator's token`,
  (scenario) => ({ method: "DELETE", path: `/admin/tenants/${scenario.tenant.owner}`, headers: headers(scenario) }),
  unauthorized,
]);

/** Another path or method than the request's own. Nothing of it is followed. */
const DETOURS: [name: string, headers: Headers][] = [
  ["X-Original-URL", { "x-original-url": "/admin/tenants" }],
  ["X-Rewrite-URL", { "x-rewrite-url": "/admin/tenants" }],
  ["X-Forwarded-Prefix", { "x-forwarded-prefix": "/admin" }],
  ["X-Forwarded-Uri", { "x-forwarded-uri": "/admin/tenants" }],
];
const detours = DETOURS.map(([name, headers]): Hostile => [
  `${name} to another route`,
  (scenario) => ({
    method: "GET",
    path: "/nothing",
    headers: { ...bearer(scenario.world.settings.ADMIN_TOKEN), ...headers },
  }),
  notFound,
]);
const methods = ["x-http-method-override", "x-http-method", "x-method-override"].map((name): Hostile => [
  `${name} to another method`,
  () => ({ method: "POST", path: "/healthz", headers: { [name]: "GET" } }),
  notAllowed,
]);

/** A page of somebody else's that a browser with an operator's cookie has open. */
const ORIGINS: [name: string, headers: Headers][] = [
  ["another site", { "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
  ["a neighbouring host", { "sec-fetch-site": "same-site", origin: "https://evil.relay.example" }],
  ["a sandbox", { origin: "null" }],
  ["another origin, the site unnamed", { origin: "https://evil.example" }],
];
const signIns = ORIGINS.flatMap(([name, headers]): Hostile[] => [
  [
    `the operator's token at the sign-in, out of ${name}`,
    (scenario) => ({
      path: "/console/session",
      headers,
      body: JSON.stringify({ token: scenario.world.settings.ADMIN_TOKEN }),
    }),
    unauthorized,
  ],
]);
const FORMS: [type: string, body: (token: string) => string][] = [
  ["application/x-www-form-urlencoded", (token) => `token=${token}`],
  [
    "multipart/form-data; boundary=x",
    (token) => `--x\r\ncontent-disposition: form-data; name="token"\r\n\r\n${token}\r\n--x--`,
  ],
  // What a form of another page can be made to send as text.
  ["text/plain", (token) => `{"token":"${token}","a":"=\r\n"}`],
];
const forms = FORMS.map(([type, body]): Hostile => [
  `the operator's token at the sign-in as ${type}`,
  (scenario) => ({
    path: "/console/session",
    headers: { "content-type": type },
    body: body(scenario.world.settings.ADMIN_TOKEN),
  }),
  noJson,
]);

const upgrade = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
};
const events = (scenario: Scenario, headers: Headers) => ({
  method: "GET",
  path: `/admin/tenants/${scenario.tenant.owner}/events`,
  headers,
});
const sockets: Hostile[] = [
  ["an upgrade to the live view with no credential", (scenario) => events(scenario, upgrade), unauthorized],
  [
    "an upgrade with the operator's token as a subprotocol",
    (scenario) => events(scenario, { ...upgrade, "sec-websocket-protocol": scenario.world.settings.ADMIN_TOKEN }),
    unauthorized,
  ],
  [
    "an upgrade with the operator's token in the query",
    (scenario) => ({
      ...events(scenario, upgrade),
      path: `/admin/tenants/${scenario.tenant.owner}/events?token=${scenario.world.settings.ADMIN_TOKEN}`,
    }),
    unauthorized,
  ],
  [
    "an upgrade by a desk's token",
    (scenario) => events(scenario, { ...upgrade, ...bearer(scenario.tenant.token) }),
    unauthorized,
  ],
  [
    "an id of a console session that the caller names",
    (scenario) => events(scenario, { "console-session": "x", upgrade: "" }),
    unauthorized,
  ],
  [
    "no upgrade, though the operator's token holds",
    (scenario) => events(scenario, bearer(scenario.world.settings.ADMIN_TOKEN)),
    upgradeRequired,
  ],
];

/** Links to files that the relay has not written. */
const LINKS: [name: string, reference: (scenario: Scenario) => string][] = [
  ["of one letter", () => "x"],
  ["of a dot", () => "."],
  ["of two dots", () => "%2e%2e"],
  ["that names a file and is not signed", ({ tenant }) => json64([tenant.owner, `${tenant.desk.url}/a`, 9e15])],
  [
    "that is signed by nobody",
    ({ tenant }) => `${json64([tenant.owner, `${tenant.desk.url}/a`, 9e15])}.${"A".repeat(43)}`,
  ],
  ["that is a URL", () => encodeURIComponent("https://169.254.169.254/latest/meta-data")],
  ["of 6,000 characters", () => `${"A".repeat(6_000)}.${"A".repeat(43)}`],
];
const links = LINKS.map(([name, reference]): Hostile => [
  `a link to a file ${name}`,
  (scenario) => ({ method: "GET", path: `/v1/media/${reference(scenario)}` }),
  notFound,
]);

/** Webhooks of desks that this tenant does not have. */
const WEBHOOKS: [name: string, type: string, query: string, headers: (scenario: Scenario) => Headers][] = [
  ["of Zendesk with an empty secret", "zendesk", "", () => ({ "x-api-key": "" })],
  ["of Zendesk with the desk's own token", "zendesk", "", ({ tenant }) => ({ "x-api-key": tenant.token })],
  ["of Chatwoot with an empty token", "chatwoot", "?token=", () => ({})],
  [
    "of Chatwoot with a signature of nothing",
    "chatwoot",
    "",
    () => ({ "x-chatwoot-signature": "sha256=", "x-chatwoot-timestamp": "0" }),
  ],
  ["of a desk __proto__", "__proto__", "", () => ({})],
  ["of a desk constructor", "constructor", "", () => ({})],
];
const webhooks = WEBHOOKS.map(([name, type, query, headers]): Hostile => [
  `a webhook ${name}`,
  (scenario) => ({
    path: `/v1/desks/${type}/${scenario.tenant.owner}${query}`,
    headers: headers(scenario),
    body: JSON.stringify({ events: [] }),
  }),
  unauthorized,
]);

/** What only looks like a repeat of something good. */
const repeats: Hostile[] = [
  [
    "a good event of the engine under a key of its own and an idempotency key",
    (scenario) => ({
      path: "/v1/dolphins/main/incoming",
      headers: { "idempotency-key": randomUUID(), "webhook-id": "msg_1" },
      body: JSON.stringify(incomingOf(scenario)),
    }),
    unauthorized,
  ],
  [
    "a Close that says it is the relay's own",
    (scenario) => ({
      path: "/v1/command",
      headers: { ...bearer(scenario.tenant.token), "relay-message-id": "msg_1", "user-agent": "dolphin-relay/1.0.0" },
      body: JSON.stringify(closeOf(scenario)),
    }),
    { status: 422, code: "invalid_request" },
  ],
  [
    "a reply that says it is the relay's own",
    (scenario) => ({
      path: "/v1/outgoing",
      headers: { ...bearer(scenario.tenant.token), "webhook-id": "msg_1", "user-agent": "dolphin-relay/1.0.0" },
      body: JSON.stringify(outgoingOf(scenario)),
    }),
    { status: 422, code: "invalid_request" },
  ],
];

function json64(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

export const HEADERS: Hostile[] = [
  ...claims,
  ...detours,
  ...methods,
  ...signIns,
  ...forms,
  ...sockets,
  ...links,
  ...webhooks,
  ...repeats,
];
