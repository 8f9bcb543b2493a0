import { hostsOf, secretsOf, targetsOf, type DeskRecord } from "../desks/registry";
import type { Bounds, Network, Reach } from "../egress/http";
import { ENGINE_SECRETS, valueAt, type Tenant } from "./tenant-record";

/** How a tenant's far ends are reached, and what they are sent that no answer may show again. */

type Bindings = ReadonlyMap<string, Pick<Fetcher, "fetch">>;
/** The settings of the Worker that decide it. */
export type Ways = { allowInsecureTargets: boolean; bindings: Bindings };

/** What every request to the far ends is bound by. The tenant's secrets are open. */
export function boundsOf(tenant: Tenant, ways: Ways, timeoutMs = tenant.delivery.timeoutMs): Bounds {
  const { dolphins, desk } = tenant;
  const reaches = [
    ...reachesTo([dolphins.baseUrl], dolphins.reach, ways.bindings),
    ...reachesTo(deskUrls(desk), desk.reach, ways.bindings),
  ];
  return { timeoutMs, allowInsecureTargets: ways.allowInsecureTargets, reaches, secrets: sentSecrets(tenant) };
}

/** Without a name, they are reached as everything is. */
export function reachesTo(urls: string[], name: string | undefined, bindings: Bindings): Reach[] {
  if (name === undefined) return [];
  return urls.map((url) => ({ origin: URL.parse(url)?.origin ?? "", name, binding: bindings.get(name) }));
}

/** All that the relay calls of a desk: what its record says, and what follows from that. */
export const deskUrls = (desk: DeskRecord): string[] => [
  ...targetsOf(desk)
    .map((field) => valueAt(desk, field))
    .filter((url) => typeof url === "string"),
  ...hostsOf(desk),
];

const texts = (values: unknown[]): string[] => values.filter((value) => typeof value === "string");

export const deskSecrets = (desk: DeskRecord): string[] =>
  texts(
    Object.entries(secretsOf(desk))
      .filter(([, targets]) => targets.length > 0)
      .map(([name]) => valueAt(desk, name)),
  );

function sentSecrets({ dolphins, desk }: Tenant): Network["secrets"] {
  const values = texts(ENGINE_SECRETS.map((name) => valueAt(dolphins.auth, name)));
  const urls = [...deskUrls(desk), dolphins.outgoingPath, dolphins.commandPath];
  return [...values, ...deskSecrets(desk), ...urls.flatMap(keysIn)];
}

const KEY = /auth|code|key|pass|secret|sig|token/i;

/** What a URL has in its query to open the far end. */
function keysIn(url: string): string[] {
  const at = url.indexOf("?");
  if (at === -1) return [];
  const pairs = url.slice(at + 1).split("&");
  const sent = pairs
    .filter((pair) => KEY.test(pair.split("=", 1)[0] ?? ""))
    .map((pair) => pair.slice(pair.indexOf("=") + 1));
  return [...sent, ...sent.map((value) => new URLSearchParams(`v=${value}`).get("v") ?? "")];
}
