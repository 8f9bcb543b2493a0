import ipaddr from "ipaddr.js";

/** Names that lead inside a network, by RFC 6761, RFC 6762, RFC 8375 and common use. */
const INTERNAL = /(^|\.)(localhost|local|internal|intranet|corp|home|lan|private|home\.arpa|test|invalid|onion)$/;

/**
 * Why the relay may not call this URL, or undefined when it may: https, no credentials in it, a public host.
 * The URL parser has already turned every spelling of an IPv4 address (decimal, hex, octal, short) into four numbers.
 * A name that resolves to a private address is not seen here: a Worker can neither resolve a host nor pin its address.
 */
export function forbiddenTarget(text: string, allowInsecure: boolean): string | undefined {
  const url = URL.parse(text);
  if (!url) return "is not a URL";
  if (url.username || url.password) return "must not hold a user name or password";
  if (allowInsecure) return /^https?:$/.test(url.protocol) ? undefined : "must begin with https:// or http://";
  if (url.protocol !== "https:") return "must begin with https://";
  const host = url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  if (ipaddr.isValid(host)) {
    const range = ipaddr.process(host).range();
    return range === "unicast" ? undefined : `names an address that is not public (${range})`;
  }
  if (!host.includes(".")) return "names a host without a domain";
  return INTERNAL.test(host) ? "names an internal host" : undefined;
}
