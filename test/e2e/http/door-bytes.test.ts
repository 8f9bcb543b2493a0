import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { text as textOf } from "node:stream/consumers";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { incomingEvent, outgoingEvent } from "../support/events.ts";
import { type Reply, refusal } from "../support/http.ts";
import { type Raw, sendBytes, sendRaw } from "../support/raw.ts";
import { type Tenant, bearer, newTicketNumber, openTicket } from "../support/tenant.ts";
import { type World, startWorld } from "../support/world.ts";

/** Bodies as Java's clients, and the proxies before them, write them. */

let world: World;
let tenant: Tenant;
beforeAll(async () => {
  world = await startWorld();
  tenant = await world.tenant();
});
afterAll(() => world.stop());

const incoming = (): string => `/v1/dolphins/${world.ingressKey}/incoming`;
const send = (raw: Raw): Promise<Reply> => sendRaw(world.relay().url, raw);

/** Sends an event's text as bytes to the engine's door, and gives the message that the desk then receives. */
async function delivered(bytes: (text: string) => Uint8Array, headers: Record<string, string>, message: string) {
  const number = newTicketNumber();
  const body = bytes(JSON.stringify(incomingEvent(tenant.owner, number, { message })));
  expect(await send({ path: incoming(), headers, body })).toBeAccepted();
  const all = await tenant.desk.until((some) => some.some((one) => one.body.includes(number)), "the event");
  const received = all.find((one) => one.body.includes(number));
  return (JSON.parse(received?.body ?? "{}") as { message?: string }).message;
}

const CODINGS: [string, (bytes: Uint8Array) => Uint8Array][] = [
  ["gzip", gzipSync],
  ["GZip", gzipSync],
  ["x-gzip", gzipSync],
  ["deflate", deflateSync],
  ["deflate", deflateRawSync],
  ["gzip, identity", gzipSync],
  ["deflate, gzip", (bytes) => gzipSync(deflateSync(bytes))],
];

describe("a packed body", () => {
  test.each(CODINGS)("a packed body of %s is read at the engine's door", async (coding, pack) => {
    const headers = { "content-encoding": coding };
    expect(await delivered((text) => pack(Buffer.from(text)), headers, "Dé 👍")).toBe("Dé 👍");
  });

  test.each(CODINGS)(
    "a packed body of %s is read at a desk's door, by token and by a signature over what was sent",
    async (coding, pack) => {
      const number = await openTicket(tenant);
      const body = pack(Buffer.from(JSON.stringify(outgoingEvent(tenant.owner, number))));
      const headers = { "content-encoding": coding };
      const path = "/v1/outgoing";
      expect(await send({ path, headers: { ...headers, ...bearer(tenant.token) }, body })).toBeAccepted();
      const id = `evt_${number}`;
      const at = new Date();
      // The library signs texts alone.
      const key = await crypto.subtle.importKey(
        "raw",
        Buffer.from(tenant.signingSecret.replace("whsec_", ""), "base64"),
        { name: "HMAC", hash: "SHA-256" },
        false,
        ["sign"],
      );
      const stamp = String(Math.floor(at.getTime() / 1_000));
      const mac = await crypto.subtle.sign("HMAC", key, Buffer.concat([Buffer.from(`${id}.${stamp}.`), body]));
      const signed = {
        "webhook-id": id,
        "webhook-timestamp": stamp,
        "webhook-signature": `v1,${Buffer.from(mac).toString("base64")}`,
      };
      expect(await send({ path, headers: { ...headers, ...signed }, body })).toBeAccepted();
      const overText = new Webhook(tenant.signingSecret).sign(
        id,
        at,
        JSON.stringify(outgoingEvent(tenant.owner, number)),
      );
      const wrong = { ...signed, "webhook-signature": overText };
      expect(await send({ path, headers: { ...headers, ...wrong }, body })).toBeRefused(401, "unauthorized");
    },
  );

  test("a packed body is read at the operator's door", async () => {
    const record = { dolphins: { baseUrl: tenant.engine.url }, desk: { type: "native", url: `${tenant.desk.url}/x` } };
    const headers = { ...bearer(world.settings.ADMIN_TOKEN), "content-encoding": "gzip" };
    const path = "/admin/tenants/packed";
    const reply = await send({ method: "PUT", path, headers, body: gzipSync(JSON.stringify(record)) });
    expect(reply.status).toBe(200);
  });

  test.each(["br", "zstd", "compress", "gzip, br"])(
    "a packed body of %s is refused by name, behind the credential",
    async (coding) => {
      const number = await openTicket(tenant);
      const body = brotliCompressSync(JSON.stringify(outgoingEvent(tenant.owner, number)));
      const headers = { "content-encoding": coding };
      const doors: [string, Record<string, string>][] = [
        [incoming(), {}],
        ["/v1/outgoing", bearer(tenant.token)],
        ["/v1/outgoing", { "webhook-id": "evt_1", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA" }],
        [`/admin/tickets/${tenant.owner}/${number}/replay`, bearer(world.settings.ADMIN_TOKEN)],
      ];
      for (const [path, credential] of doors) {
        const reply = await send({ path, headers: { ...headers, ...credential }, body });
        expect(refusal(reply, 415, "unsupported_encoding").message).toContain(coding.split(", ").at(-1));
      }
      const strangers: [string, Record<string, string>][] = [
        ["/v1/dolphins/not-the-key/incoming", {}],
        ["/v1/outgoing", bearer("wrong")],
        [`/v1/desks/chatwoot/${tenant.owner}`, {}],
        [`/admin/tickets/${tenant.owner}/${number}/replay`, bearer("wrong")],
      ];
      for (const [path, credential] of strangers) {
        expect(await send({ path, headers: { ...headers, ...credential }, body })).toBeRefused(401, "unauthorized");
      }
    },
  );

  test("a packed body that is cut short, damaged or no such thing is refused as unreadable", async () => {
    const packed = gzipSync(JSON.stringify(incomingEvent(tenant.owner, newTicketNumber())));
    for (const body of [packed.subarray(0, -4), packed.subarray(0, 12), Buffer.from("{}"), deflateSync("{}")]) {
      const reply = await send({ path: incoming(), headers: { "content-encoding": "gzip" }, body });
      expect(refusal(reply, 400, "invalid_json").message).toContain("gzip");
    }
  });

  test("a packed body that swells past 256 KiB is refused, and the rest of it costs no memory", async () => {
    const peakKiB = (): number =>
      Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${world.relay().pid()}/status`, "utf8"))?.[1]);
    const headers = { "content-encoding": "gzip" };
    const before = { path: incoming(), headers, body: gzipSync(Buffer.alloc(256 * 1_024 + 1, " ")) };
    expect(await send(before)).toBeRefused(413, "too_large");
    const peak = peakKiB();
    const bomb = gzipSync(Buffer.alloc(250 * 1_024 * 1_024));
    expect(bomb.byteLength).toBeLessThan(256 * 1_024);
    expect(await send({ path: incoming(), headers, body: bomb })).toBeRefused(413, "too_large");
    expect(peakKiB() - peak).toBeLessThan(64 * 1_024);
  });
});

const utf16 = (text: string): Buffer => Buffer.from(text, "utf16le");
const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");

describe("text in another encoding than UTF-8", () => {
  test.each<[string, (text: string) => Uint8Array, string, string]>([
    ["Latin-1 without a charset", latin1, "application/json", "Café é"],
    ["Latin-1 with no content type", latin1, "", "Café é"],
    ["Latin-1 that says UTF-8", latin1, "application/json; charset=utf-8", "Café é"],
    ["Latin-1 that says so in quotes", latin1, 'text/plain; charset="ISO-8859-1"', "Café é"],
    ["UTF-8 that says Latin-1", (text) => Buffer.from(text), "text/plain; charset=ISO-8859-1", "Café 👍"],
    ["UTF-8 with an unknown charset", (text) => Buffer.from(text), "text/plain; charset=klingon", "Café 👍"],
    ["Latin-1 with an unknown charset", latin1, "text/plain; charset=klingon", "Café é"],
    ["Java's UTF-16", (text) => utf16(`\uFEFF${text}`).swap16(), "application/json; charset=UTF-16", "Café 👍"],
    ["UTF-16LE with a mark", (text) => utf16(`\uFEFF${text}`), "application/json", "Café 👍"],
    ["Java's UTF-16BE, without a mark", (text) => utf16(text).swap16(), "text/plain; charset=UTF-16BE", "Café 👍"],
    ["Java's UTF-16LE, without a mark", utf16, "", "Café 👍"],
    ["packed UTF-16", (text) => gzipSync(utf16(`\uFEFF${text}`)), "application/json", "Café 👍"],
  ])("text in another encoding than UTF-8 is read at the engine's door: %s", async (name, bytes, type, message) => {
    const packing = name.startsWith("packed") ? { "content-encoding": "gzip" } : {};
    expect(await delivered(bytes, { "content-type": type, ...packing }, message)).toBe(message);
  });

  test("text in another encoding than UTF-8 is read by the charset that it names", async () => {
    // Windows' Cyrillic for "Привет".
    const cyrillic = (text: string) => latin1(text.replace("Halo", "\u00cf\u00f0\u00e8\u00e2\u00e5\u00f2"));
    expect(await delivered(cyrillic, { "content-type": "application/json; charset=windows-1251" }, "Halo")).toBe(
      "Привет",
    );
  });

  test("text in another encoding than UTF-8 is refused at a desk's door, where the sender sees it", async () => {
    const number = await openTicket(tenant);
    const text = JSON.stringify(outgoingEvent(tenant.owner, number, { message: "Café" }));
    for (const body of [latin1(text), utf16(`\uFEFF${text}`)]) {
      const headers = { ...bearer(tenant.token), "content-type": "application/json; charset=ISO-8859-1" };
      expect(await send({ path: "/v1/outgoing", headers, body })).toBeRefused(400, "invalid_json");
    }
  });
});

describe("a request on the wire", () => {
  const head = (lines: string[], version = "1.1"): string =>
    [`POST ${incoming()} HTTP/${version}`, "Host: relay", ...lines, "", ""].join("\r\n");
  const event = (): string => JSON.stringify(incomingEvent(tenant.owner, newTicketNumber()));

  test.each<[string, (body: string) => string, number[]]>([
    ["in chunks of one byte", (body) => head(["Transfer-Encoding: chunked"]) + inChunks(body, 1), [200]],
    [
      "in chunks with extensions and a trailer",
      (body) => head(["Transfer-Encoding: chunked"]) + inChunks(body, 7, ";a=b", "x: y\r\n"),
      [200],
    ],
    ["by HTTP/1.0", (body) => head([`Content-Length: ${body.length}`, "Connection: close"], "1.0") + body, [200]],
    ["that expects 100", (body) => head([`Content-Length: ${body.length}`, "Expect: 100-continue"]) + body, [100, 200]],
    ["and another behind it", (body) => (head([`Content-Length: ${body.length}`]) + body).repeat(2), [200, 200]],
  ])("a request is answered that comes on the wire %s", async (_, bytes, statuses) => {
    expect(await sendBytes(world.relay().url, bytes(event()), statuses.length)).toEqual(statuses);
  });

  test.each([
    ["sooner than it says", "Content-Length: 500", "{}"],
    ["sooner than its chunk says", "Transfer-Encoding: chunked", "ff\r\n{}"],
    ["with a chunk of no size", "Transfer-Encoding: chunked", "zz\r\n{}\r\n0\r\n\r\n"],
  ])("a request on the wire whose body ends %s is refused as no JSON", async (_, line, body) => {
    expect(await answerToAll(head([line]) + body)).toContain('"code":"invalid_json"');
  });

  /** What the relay says to a sender that ends its side of the connection behind its last byte. */
  async function answerToAll(bytes: string): Promise<string> {
    const { hostname, port } = new URL(world.relay().url);
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    socket.end(bytes);
    return textOf(socket);
  }
});

function inChunks(body: string, size: number, extension = "", trailer = ""): string {
  let chunks = "";
  for (let at = 0; at < body.length; at += size) {
    const chunk = body.slice(at, at + size);
    chunks += `${chunk.length.toString(16)}${extension}\r\n${chunk}\r\n`;
  }
  return `${chunks}0\r\n${trailer}\r\n`;
}
