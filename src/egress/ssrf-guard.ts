import { memo } from "../lib/bounded-map";
import { isAddress, specialRange } from "./public-address";

/**
 * Names that lead inside a network. By RFC 2606 and 6761 (invalid, localhost, test), 6762 with its appendix G (local, and what
 * networks use beside it), 7686 (onion), 8375 (home.arpa), 9476 (alt), by ICANN's resolution of 2024-07-29 (internal) and its
 * collision study of 2013 (corp, home, mail); `svc` and `cluster` are Kubernetes', `consul`, `docker` and `nomad` those of the
 * products.
 */
const INTERNAL =
  /(?:^|\.)(?:alt|arpa|cluster|consul|corp|docker|home|internal|intranet|invalid|kube|lan|local|localdomain|localhost|mail|nomad|onion|private|svc|test|workgroup)$/;
/** Where clouds keep the credentials of their machines, under whatever domain; and services that make a name of any address. */
const METADATA = /^(?:metadata|instance-data)\./;
const NAMED_ADDRESS =
  /(?:^|\.)(?:nip\.io|sslip\.io|xip\.io|traefik\.me|localtest\.me|lvh\.me|vcap\.me|lacolhost\.com)$/;

/**
 * Why the relay may not call this URL, or undefined when it may: https, no credentials in it, a public host.
 * The URL parser has already turned every spelling of an IPv4 address (decimal, hex, octal, short) into four numbers.
 * A name that resolves to a private address is not seen here: a Worker can neither resolve a host nor pin its address.
 */
export const forbiddenTarget = (text: string, allowInsecure: boolean): string | undefined =>
  (allowInsecure ? judgedInsecure : judged)(text).why;

const KEPT_JUDGEMENTS = 1_000;
const judged = memo(KEPT_JUDGEMENTS, (text) => ({ why: whyForbidden(text, false) }));
const judgedInsecure = memo(KEPT_JUDGEMENTS, (text) => ({ why: whyForbidden(text, true) }));

function whyForbidden(text: string, allowInsecure: boolean): string | undefined {
  const url = URL.parse(text);
  if (!url) return "is not a URL";
  if (url.username || url.password) return "must not hold a user name or password";
  if (allowInsecure) return /^https?:$/.test(url.protocol) ? undefined : "must begin with https:// or http://";
  if (url.protocol !== "https:") return "must begin with https://";
  if (url.hostname.endsWith("..")) return "names a host that ends in two dots";
  const host = url.hostname.replace(/^\[|[\].]$/g, "");
  if (isAddress(host)) {
    const range = specialRange(host);
    return range === undefined ? undefined : `names an address that is not public (${range})`;
  }
  if (!host.includes(".")) return "names a host without a domain";
  return INTERNAL.test(host) || METADATA.test(host) || NAMED_ADDRESS.test(host) ? "names an internal host" : undefined;
}
