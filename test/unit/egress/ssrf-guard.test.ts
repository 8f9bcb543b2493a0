import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { forbiddenTarget } from "../../../src/egress/ssrf-guard";
import { RUN } from "../property";

const PUBLIC = [
  "https://bank.example",
  "https://bank.example:9443/dolphin",
  "https://bank.example./hooks?x=1#y",
  "https://BANK.Example/",
  "https://a-b.c-d.example:1443",
  "https://bücher.example/",
  "https://8.8.8.8/",
  "https://134744072/",
  "https://172.15.255.255/",
  "https://172.32.0.1/",
  "https://192.167.1.1/",
  "https://11.0.0.1/",
  "https://[2606:4700::1111]:8443/",
  "https://[::ffff:8.8.8.8]/",
  "https://local.example/",
  "https://internal.example/",
  "https://mylocalhost.example/",
  "https://notlocal.co/",
];

const FORBIDDEN: Record<string, string[]> = {
  "IPv4 loopback": [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
  ],
  "more of its spellings": [
    "017700000001",
    "127.0.0.1.",
    "0x7f.0x0.0x0.0x1",
    "127.0x000001",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
  ],
  "IPv4 private": ["10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "0xc0a80001", "10.1"],
  "IPv4 unspecified": ["0.0.0.0", "0", "0.1.2.3", "0x0", "00"],
  "IPv4 link-local": ["169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376"],
  "IPv4 shared and reserved": [
    "100.64.0.1",
    "100.127.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "198.19.255.255",
  ],
  "IPv4 documentation and relays": ["198.51.100.1", "203.0.113.1", "192.88.99.1"],
  "IPv4 multicast, reserved, broadcast": ["224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "4294967295"],
  "IPv6 loopback and unspecified": ["[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "[0000::0001]"],
  "IPv6 private": ["[fc00::1]", "[fd12:3456:789a::1]", "[fe80::1]", "[febf::1]", "[fec0::1]"],
  "IPv6 with an IPv4 address in it": [
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:10.0.0.1]",
    "[::ffff:169.254.169.254]",
  ],
  "IPv6 translations": ["[64:ff9b::7f00:1]", "[64:ff9b::10.0.0.1]", "[64:ff9b:1::1]", "[::ffff:0:127.0.0.1]"],
  "IPv6 tunnels": ["[2002:7f00:1::]", "[2002:a00:1::1]", "[2001::1]"],
  "IPv6 multicast": ["[ff02::1]", "[ff0e::1]"],
  "IPv6 documentation and discard": ["[2001:db8::1]", "[3fff::1]", "[100::1]"],
  "names inside": [
    "localhost",
    "LocalHost",
    "a.localhost",
    "localhost.",
    "printer.local",
    "db.internal",
    "metadata.google.internal",
  ],
  "more names inside": [
    "x.intranet",
    "x.corp",
    "nas.home",
    "nas.lan",
    "x.private",
    "x.home.arpa",
    "x.test",
    "x.invalid",
    "x.onion",
  ],
  "names without a domain": ["bank", "bank.", "intranet", "%6cocalhost", "ｌｏｃａｌｈｏｓｔ"],
};

describe("a target of the relay", () => {
  test.each(PUBLIC)("a target of the relay may be %s", (url) => {
    expect(forbiddenTarget(url, false)).toBeUndefined();
  });

  describe.each(Object.entries(FORBIDDEN))("%s", (range, hosts) => {
    test.each(hosts)(`a target of the relay may not be one of ${range}: %s`, (host) => {
      for (const url of [`https://${host}`, `https://${host}:8443/hooks?x=1`]) {
        expect(forbiddenTarget(url, false)).toEqual(expect.any(String));
      }
    });
  });

  test.each(["localhost..", "127.0.0.1..", "db.internal..", "printer.local.."])(
    "a target of the relay may not be an internal host with dots behind it: %s",
    (host) => {
      expect(forbiddenTarget(`https://${host}/`, false)).toEqual(expect.any(String));
    },
  );

  test("a target of the relay may not be an IPv4 address in the obsolete IPv6 form", () => {
    for (const host of ["[::127.0.0.1]", "[::7f00:1]", "[::10.0.0.1]"]) {
      expect(forbiddenTarget(`https://${host}/`, false)).toEqual(expect.any(String));
    }
  });

  test.each([
    ["http://bank.example/", "must begin with https://"],
    ["ws://bank.example/", "must begin with https://"],
    ["ftp://bank.example/", "must begin with https://"],
    ["file:///etc/passwd", "must begin with https://"],
    ["data:text/plain,x", "must begin with https://"],
    ["javascript:alert(1)", "must begin with https://"],
    ["blob:https://bank.example/1", "must begin with https://"],
    ["https://user:pass@bank.example/", "must not hold a user name or password"],
    ["https://user@bank.example/", "must not hold a user name or password"],
    ["https://:pass@bank.example/", "must not hold a user name or password"],
    ["https://bank.example\u0000@127.0.0.1/", "must not hold a user name or password"],
    ["", "is not a URL"],
    ["bank.example", "is not a URL"],
    ["/hooks", "is not a URL"],
    ["//bank.example", "is not a URL"],
    ["https://", "is not a URL"],
    ["https://bank example/", "is not a URL"],
    ["https://1.2.3.4.5/", "is not a URL"],
    ["https://256.0.0.1/", "is not a URL"],
    ["https://[::1/", "is not a URL"],
    ["https://[fe80::1%25eth0]/", "is not a URL"],
    ["https://bank.example:99999/", "is not a URL"],
    ["https://192.168.0.1/", "names an address that is not public (private)"],
    ["https://localhost/", "names a host without a domain"],
    ["https://db.internal/", "names an internal host"],
  ])("the target %j is refused: it %s", (url, reason) => {
    expect(forbiddenTarget(url, false)).toBe(reason);
  });

  test("a target of the relay may be no IPv4 address in a private range, in any spelling", () => {
    const inside = fc.oneof(
      fc.tuple(fc.constantFrom(10, 127), fc.nat(255), fc.nat(255), fc.nat(255)),
      fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), fc.nat(255), fc.nat(255)),
      fc.tuple(fc.constantFrom(192), fc.constant(168), fc.nat(255), fc.nat(255)),
      fc.tuple(fc.constant(169), fc.constant(254), fc.nat(255), fc.nat(255)),
    );
    fc.assert(
      fc.property(inside, ([a, b, c, d]) => {
        const whole = ((a * 256 + b) * 256 + c) * 256 + d;
        const hex = (n: number) => n.toString(16);
        const spellings = [
          `${a}.${b}.${c}.${d}`,
          `${a}.${b}.${c * 256 + d}`,
          `${a}.${(b * 256 + c) * 256 + d}`,
          String(whole),
          `0x${hex(whole)}`,
          `0${whole.toString(8)}`,
          `0x${hex(a)}.0${b.toString(8)}.${c}.${d}`,
          `[::ffff:${a}.${b}.${c}.${d}]`,
          `[64:ff9b::${a}.${b}.${c}.${d}]`,
          `[2002:${hex(a * 256 + b)}:${hex(c * 256 + d)}::1]`,
        ];
        for (const host of spellings)
          expect([host, forbiddenTarget(`https://${host}/`, false)]).not.toContain(undefined);
      }),
      RUN,
    );
  });

  test("a target of the relay gives a reason or none for any text, and never throws", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.webUrl()), fc.boolean(), (text, allowInsecure) => {
        expect(["string", "undefined"]).toContain(typeof forbiddenTarget(text, allowInsecure));
      }),
      RUN,
    );
  });
});

describe("a target of the relay in local development", () => {
  test.each([
    "http://127.0.0.1:9100/hooks",
    "http://localhost:8080",
    "https://10.0.0.1",
    "http://[::1]:1",
    "https://bank.example",
  ])("a target of the relay in local development may be %s", (url) => {
    expect(forbiddenTarget(url, true)).toBeUndefined();
  });

  test.each(["ftp://127.0.0.1/", "file:///etc/passwd", "ws://localhost/", "nonsense", "http://user:pass@127.0.0.1/"])(
    "a target of the relay in local development may still not be %s",
    (url) => {
      expect(forbiddenTarget(url, true)).toEqual(expect.any(String));
    },
  );
});
