import ipaddr from "ipaddr.js";
import { memo } from "../lib/bounded-map";

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
  const host = url.hostname.replace(/^\[|\]$/g, "").replace(/\.+$/, "");
  if (ipaddr.isValid(host)) {
    const address = ipaddr.process(host);
    // ::a.b.c.d, deprecated by RFC 4291, 2.5.5.1: no public host has one, and a system may still read the IPv4 address in it.
    const isCompatible = address instanceof ipaddr.IPv6 && address.parts.slice(0, 6).every((part) => part === 0);
    const range = isCompatible ? "IPv4-compatible" : address.range();
    return range === "unicast" ? undefined : `names an address that is not public (${range})`;
  }
  if (!host.includes(".")) return "names a host without a domain";
  return INTERNAL.test(host) ? "names an internal host" : undefined;
}
