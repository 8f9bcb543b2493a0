import { bearer } from "../../support/tenant.ts";
import type { Hostile, Scenario } from "./scenario.ts";

const asDesk = (method: string, path: (scenario: Scenario) => string): Hostile[1] => {
  return (scenario) => ({ method, path: path(scenario), headers: bearer(scenario.tenant.token) });
};
const asOperator = (method: string, path: (scenario: Scenario) => string): Hostile[1] => {
  return (scenario) => ({ method, path: path(scenario), headers: bearer(scenario.world.settings.ADMIN_TOKEN) });
};
const notFound = { status: 404, code: "not_found" };
const unknownTicket = { status: 404, code: "unknown_ticket" };
const unknownOwner = { status: 404, code: "unknown_owner" };
const unauthorized = { status: 401, code: "unauthorized" };
const wrongOwner = { status: 403, code: "wrong_owner" };
const notAllowed = { status: 405, code: "method_not_allowed" };
const invalidOwner = { status: 422, code: "invalid_request", paths: ["owner"] };

/** What stands in the place of one segment of a path, and is a name like any other there. */
const NAMES: [name: string, segment: string][] = [
  ["a step up behind an encoded slash", "..%2f..%2fadmin"],
  ["an encoded slash", "a%2Fb"],
  ["an encoded backslash", "a%5Cb"],
  ["a doubly encoded slash", "a%252fb"],
  ["a malformed percent", "%"],
  ["half a percent", "%4"],
  ["a percent with no hex", "%zz"],
  ["a byte that is no UTF-8", "%ff"],
  ["a surrogate in UTF-8", "%ed%a0%80"],
  ["an encoded question mark", "a%3Fowner=b"],
  ["a semicolon", "a;b=c"],
  ["a quote that ends JSON", "%22,%22"],
  ["SQL", "'%20OR%201=1--"],
  ["__proto__", "__proto__"],
];

const names = NAMES.flatMap(([name, segment]): Hostile[] => [
  [`${name} for a ticket`, asDesk("GET", () => `/v1/tickets/${segment}`), unknownTicket],
  [
    `${name} for the operator's ticket`,
    asOperator("GET", (s) => `/admin/tickets/${s.tenant.owner}/${segment}`),
    unknownTicket,
  ],
  [`${name} for a tenant`, asOperator("GET", () => `/admin/tenants/${segment}`), unknownOwner],
  [
    `${name} for a key`,
    (scenario) => ({
      path: `/v1/dolphins/${segment}/incoming`,
      body: JSON.stringify({ owner: scenario.tenant.owner }),
    }),
    unauthorized,
  ],
  [`${name} for the owner asked about`, asDesk("GET", (s) => `/v1/tickets/${s.number}?owner=${segment}`), wrongOwner],
  [`${name} for a desk's owner`, () => ({ path: `/v1/desks/native/${segment}`, body: "{}" }), unauthorized],
]);

const CONTROLS: [name: string, segment: string][] = [
  ["a NUL", "%00"],
  ["a line break", "a%0d%0aset-cookie:b"],
  ["a DEL", "%7f"],
  ["129 characters", "o".repeat(129)],
  ["6,000 characters", "o".repeat(6_000)],
];
const controls = CONTROLS.flatMap(([name, segment]): Hostile[] => [
  [`${name} for a ticket`, asDesk("GET", () => `/v1/tickets/${segment}`), unknownTicket],
  [`${name} for a tenant`, asOperator("GET", () => `/admin/tenants/${segment}`), invalidOwner],
  [`${name} for a tenant to delete`, asOperator("DELETE", () => `/admin/tenants/${segment}`), invalidOwner],
  [`${name} for the owner of a ticket`, asOperator("GET", () => `/admin/tickets/${segment}/a`), invalidOwner],
  [`${name} for the owner asked about`, asDesk("GET", (s) => `/v1/tickets/${s.number}?owner=${segment}`), wrongOwner],
  [`${name} for a desk's owner`, () => ({ path: `/v1/desks/native/${segment}`, body: "{}" }), unauthorized],
  [`${name} for a desk's type`, (s) => ({ path: `/v1/desks/${segment}/${s.tenant.owner}`, body: "{}" }), unauthorized],
  [`${name} for a key`, () => ({ path: `/v1/dolphins/${segment}/incoming`, body: "{}" }), unauthorized],
]);

/** Ways round a route: none of them leads anywhere. */
const detours: Hostile[] = [
  ...["/v1//outgoing", "//v1/outgoing", "/v1/outgoing/", "/V1/outgoing", "/v1/outgoing;x", "/v1%2foutgoing"].map(
    (path): Hostile => [`POST ${path}`, asDesk("POST", () => path), notFound],
  ),
  ...[
    "/v1/tickets",
    "/v1/tickets/",
    "/v1/tickets//",
    "/v1/tickets/../admin",
    "/v1/tickets/%2e%2e/x",
    "/v1/tickets/a/..",
  ].map((path): Hostile => [`GET ${path}`, asDesk("GET", () => path), notFound]),
  ...[
    "/admin",
    "/admin/",
    "/admin//tenants",
    "/Admin/tenants",
    "/admin/tenants/",
    "/admin/tickets",
    "/admin/tickets/a",
  ].map((path): Hostile => [`GET ${path}`, asOperator("GET", () => path), notFound]),
  ["no key at all", () => ({ path: "/v1/dolphins//incoming", body: "{}" }), notFound],
  ["a path beyond the route", (s) => ({ path: `${s.incoming}/x`, body: "{}" }), notFound],
  ["another case", (s) => ({ path: s.incoming.replace("incoming", "Incoming"), body: "{}" }), notFound],
  [
    "a step back to the route by way of a tenant",
    (s) => ({ ...asDesk("GET", () => "/v1/tickets/x/../../../admin/tenants")(s) }),
    unauthorized,
  ],
];

const METHODS = ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "SEARCH"];
const methods = METHODS.flatMap((method): Hostile[] => [
  [`${method} of an Incoming Event`, (s) => ({ method, path: s.incoming }), notAllowed],
  [`${method} of an Outgoing Event`, () => ({ method, path: "/v1/outgoing" }), notAllowed],
  [`${method} of a desk's webhook`, () => ({ method, path: "/v1/desks/native/x" }), notAllowed],
  [`${method} of a rotation`, () => ({ method, path: "/admin/tenants/a/credentials/rotate" }), notAllowed],
  ["X-HTTP-Method-Override in vain", asOperator("GET", () => "/admin/tenants/a?_method=DELETE"), unknownOwner],
]);

export const PATHS: Hostile[] = [...names, ...controls, ...detours, ...methods];
