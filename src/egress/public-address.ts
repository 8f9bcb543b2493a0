/**
 * Which addresses are public, by IANA's registries of special-purpose addresses. A host is read in the one spelling that the
 * URL parser leaves: four decimal numbers for IPv4, groups in hex without brackets for IPv6.
 */

/** What the relay may not call, each under the name that a person is shown. */
const SPECIAL = {
  unspecified: ["0.0.0.0/8", "::/128"],
  loopback: ["127.0.0.0/8", "::1/128"],
  private: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"],
  "link-local": ["169.254.0.0/16", "fe80::/10"],
  "carrier-grade NAT": ["100.64.0.0/10"],
  multicast: ["224.0.0.0/4", "ff00::/8"],
  documentation: ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"],
  "6to4": ["192.88.99.0/24", "2002::/16"],
  benchmarking: ["198.18.0.0/15"],
  AS112: ["192.31.196.0/24", "192.175.48.0/24", "2620:4f:8000::/48"],
  AMT: ["192.52.193.0/24"],
  // Teredo is in the last of them.
  reserved: ["192.0.0.0/24", "240.0.0.0/4", "2001::/23"],
};

/** An IPv4 address is written in IPv6 as `::ffff:a.b.c.d`. */
const IPV4_MAPPED = "0".repeat(80) + "1".repeat(16);
/** The one block of IPv6 out of which public addresses are given, 2000::/3. What translates to IPv4 lies outside it. */
const PUBLIC_IPV6 = "001";

/** The bits that the addresses of each block begin with. */
const PREFIXES = Object.entries(SPECIAL).flatMap(([name, blocks]) =>
  blocks.map((block) => [prefixOf(block), name] as const),
);

const IPV4 = /^\d+\.\d+\.\d+\.\d+$/;

export const isAddress = (host: string): boolean => IPV4.test(host) || host.includes(":");

/** The name of the range that makes an address a special one; undefined for a public address. */
export function specialRange(address: string): string | undefined {
  const bits = bitsOf(address);
  const [, name] = PREFIXES.find(([prefix]) => bits.startsWith(prefix)) ?? [];
  if (name !== undefined) return name;
  return bits.startsWith(IPV4_MAPPED) || bits.startsWith(PUBLIC_IPV6) ? undefined : "reserved";
}

function prefixOf(block: string): string {
  const [address = "", length] = block.split("/");
  return bitsOf(address).slice(0, Number(length) + (address.includes(":") ? 0 : IPV4_MAPPED.length));
}

/** All 128 bits of an address, as a text of noughts and ones. */
function bitsOf(address: string): string {
  if (!address.includes(":")) return IPV4_MAPPED + binary(address.split("."), 10, 8);
  const [head = [], tail = []] = address.split("::").map((half) => half.split(":").filter(Boolean));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => "0");
  return binary([...head, ...zeros, ...tail], 16, 16);
}

function binary(numbers: string[], radix: number, width: number): string {
  return numbers.map((number) => Number.parseInt(number, radix).toString(2).padStart(width, "0")).join("");
}
