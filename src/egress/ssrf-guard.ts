import { memo } from "../lib/bounded-map";
import { isAddress, specialRange } from "./public-address";

/** Names that lead inside a network, by RFC 6761, RFC 6762, RFC 8375 and common use. */
const INTERNAL =
  /(^|\.)(localhost|local|localdomain|internal|intranet|corp|home|lan|private|home\.arpa|test|invalid|onion)$/;

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
  return INTERNAL.test(host) ? "names an internal host" : undefined;
}
