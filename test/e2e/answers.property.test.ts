import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RUN } from "../unit/property.ts";
import { accepted } from "./http.ts";
import { type RawAnswer, type RawFarEnd, startRawFarEnd } from "./raw-far-end.ts";
import { type Tenant, newTicketNumber } from "./tenant.ts";
import type { Ticket } from "./timeline.ts";
import { type World, startWorld } from "./world.ts";

/** Whatever a far end answers, and however it writes it down, each message is delivered, dead with a reason, or waits, and in order. */

type Kind = "delivered" | "rejected" | "retry";
/** An answer, and what it means by the table of outcomes. */
type Scripted = { answer: RawAnswer; means: Kind };

const TAKEN = '{"status":"success"}';
const SAYS_NO = ['{"status":"Gagal"}', '{"status":false}', '{"status":"500"}', '{"success":"0"}', '{"success":false}'];
const SAYS_NOTHING = [
  "",
  "ok",
  "<html>",
  "[]",
  "null",
  '"error"',
  '{"status":"399"}',
  '{"success":"no"}',
  "{",
  "x".repeat(70_000),
];
const REJECTED = [400, 401, 403, 404, 405, 406, 410, 411, 413, 414, 415, 422, 451, 501];
const RETRIED = [402, 408, 409, 418, 425, 429, 499, 500, 502, 503, 504, 520, 522, 525, 526, 530, 599];

const ofStatus = (status: number): Kind => {
  if (status < 300) return "delivered";
  return status < 400 || REJECTED.includes(status) ? "rejected" : "retry";
};

const status = fc.constantFrom(200, 201, 202, 203, 206, 226, 300, 301, 302, 307, 308, ...REJECTED, ...RETRIED);
const body = fc.constantFrom(TAKEN, ...SAYS_NO, ...SAYS_NOTHING);
const version = fc.constantFrom("HTTP/1.1", "HTTP/1.0");
const interim = fc.constantFrom(
  "",
  "",
  "HTTP/1.1 100 Continue\r\n\r\n",
  "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n",
);
const header = fc.constantFrom(
  "",
  "retry-after: soon\r\n",
  'content-type: application/json; charset="UTF-8"\r\n',
  "content-type: text/html\r\n",
  "x-odd: \u00e9\r\n",
  "set-cookie: a=b\r\nset-cookie: c=d\r\n",
  "location: ///\r\n",
);

/** How a body is framed, and whether the relay can read it to its end. */
const FRAMES: Record<string, (body: Buffer) => { head: string; bytes: Buffer; whole: boolean }> = {
  length: (bytes) => ({ head: `content-length: ${bytes.length}\r\n`, bytes, whole: true }),
  close: (bytes) => ({ head: "", bytes, whole: true }),
  chunked: (bytes) => ({ head: "transfer-encoding: chunked\r\n", bytes: chunked(bytes, bytes.length), whole: true }),
  "oddly chunked": (bytes) => ({
    head: "transfer-encoding: chunked\r\n",
    bytes: chunked(bytes, 1, ";a=b"),
    whole: true,
  }),
  "cut short": (bytes) => ({ head: `content-length: ${bytes.length + 9}\r\n`, bytes, whole: false }),
  "a chunk cut short": (bytes) => ({
    head: "transfer-encoding: chunked\r\n",
    bytes: Buffer.concat([Buffer.from(`${(bytes.length + 9).toString(16)}\r\n`), bytes]),
    whole: false,
  }),
  "chunks that are none": (bytes) => ({
    head: "transfer-encoding: chunked\r\n",
    bytes: Buffer.concat([Buffer.from("zz\r\n"), bytes]),
    whole: false,
  }),
};

function chunked(bytes: Buffer, size: number, extension = ""): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += Math.max(size, bytes.length >> 6)) {
    const part = bytes.subarray(at, at + Math.max(size, bytes.length >> 6));
    parts.push(Buffer.from(`${part.length.toString(16)}${extension}\r\n`), part, Buffer.from("\r\n"));
  }
  return Buffer.concat([...parts, Buffer.from("0\r\n\r\n")]);
}

const CODINGS: Record<string, (body: Buffer) => { head: string; bytes: Buffer; readable: boolean }> = {
  none: (bytes) => ({ head: "", bytes, readable: true }),
  gzip: (bytes) => ({ head: "content-encoding: gzip\r\n", bytes: gzipSync(bytes), readable: true }),
  "gzip that is none": (bytes) => ({ head: "content-encoding: gzip\r\n", bytes, readable: false }),
  "gzip cut short": (bytes) => ({
    head: "content-encoding: gzip\r\n",
    bytes: gzipSync(bytes).subarray(0, 12),
    readable: false,
  }),
  "brotli that is none": (bytes) => ({ head: "content-encoding: br\r\n", bytes, readable: false }),
  "a coding of its own": (bytes) => ({ head: "content-encoding: bank-7\r\n", bytes, readable: false }),
};

const httpAnswer: fc.Arbitrary<Scripted> = fc
  .record({
    status,
    body,
    version,
    interim,
    header,
    frame: fc.constantFrom(...Object.keys(FRAMES)),
    coding: fc.oneof({ weight: 2, arbitrary: fc.constant("none") }, fc.constantFrom(...Object.keys(CODINGS))),
  })
  .map(({ status, body, version, interim, header, frame, coding }) => {
    const coded = CODINGS[coding]?.(Buffer.from(body)) ?? { head: "", bytes: Buffer.from(""), readable: true };
    const framed = FRAMES[frame]?.(coded.bytes) ?? { head: "", bytes: coded.bytes, whole: true };
    const head = `${interim}${version} ${status} Odd\r\nconnection: close\r\n${header}${coded.head}${framed.head}\r\n`;
    const isRead = framed.whole && coded.readable;
    const means = status < 300 && isRead && SAYS_NO.includes(body) ? "rejected" : ofStatus(status);
    return { answer: { bytes: Buffer.concat([Buffer.from(head), framed.bytes]) }, means };
  });

/** What is no answer at all. */
const noAnswer: fc.Arbitrary<Scripted> = fc
  .constantFrom<RawAnswer>(
    { bytes: "" },
    { bytes: "", then: "reset" },
    { bytes: "SSH-2.0-OpenSSH_9.6\r\n" },
    { bytes: "HTTP/1.1 2" },
    { bytes: "HTTP/1.1 099 Odd\r\n\r\n" },
    { bytes: "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok" },
    { bytes: "HTTP/1.1 200 OK\r\nno header at all\r\n\r\n" },
    { bytes: "HTTP/1.1 100 Continue\r\n\r\n" },
    { bytes: "HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{", then: "hold" },
    { bytes: "", then: "hold" },
  )
  .map((answer) => ({ answer, means: "retry" }));

/** What is answered to the attempts of a message; to the next one, that it is taken. */
const script = fc.array(fc.oneof({ weight: 5, arbitrary: httpAnswer }, noAnswer), { minLength: 1, maxLength: 2 });
const TICKETS = 80;

let world: World;
let farEnd: RawFarEnd;
const answers = new Map<string, Scripted[]>();
/** The messages of each ticket, as they came, repeats among them. */
const arrived = new Map<string, string[]>();

beforeAll(async () => {
  world = await startWorld();
  farEnd = await startRawFarEnd((request) => {
    const { ticketNumber, message } = JSON.parse(request.split("\r\n\r\n")[1] ?? "") as Record<string, string>;
    arrived.set(ticketNumber ?? "", [...(arrived.get(ticketNumber ?? "") ?? []), message ?? ""]);
    const next = answers.get(`${ticketNumber} ${message}`)?.shift();
    return (
      next?.answer ?? {
        bytes: `HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: ${TAKEN.length}\r\n\r\n${TAKEN}`,
      }
    );
  });
});
afterAll(async () => {
  await world.stop();
  farEnd.close();
});

/** How many attempts a script makes, and how the message ends. */
function ending(played: Scripted[]): { attempts: number; state: string } {
  const last = played.findIndex(({ means }) => means !== "retry");
  if (last === -1) return { attempts: played.length + 1, state: "delivered" };
  return { attempts: last + 1, state: played[last]?.means === "rejected" ? "dead" : "delivered" };
}

async function play(tenant: Tenant, both: readonly [Scripted[], Scripted[]], seed: number): Promise<void> {
  const number = newTicketNumber();
  const expected = both.map(ending);
  const texts = ["Satu", "Dua"];
  for (const [at, text] of texts.entries()) answers.set(`${number} ${text}`, [...(both[at] ?? [])]);
  for (const message of texts) accepted(await tenant.incoming(number, { message }));
  const settled = ({ lanes }: Ticket): boolean => lanes.toDesk.delivered + lanes.toDesk.dead === texts.length;
  const { messages } = await tenant.untilTicket(number, settled, "an end of both");
  const seen = messages.map(({ state, attempts }) => ({ attempts: attempts.length, state }));
  const errors = messages.flatMap(({ attempts }) => attempts.map(({ error }) => error?.slice(0, 100)));
  const said = both.flat().map(({ answer }) => Buffer.from(answer.bytes).toString("latin1").slice(0, 200));
  expect(seen, `seed ${seed}: ${JSON.stringify({ said, errors })}`).toEqual(expected);
  for (const { state, attempts } of messages) expect(state === "dead" && !attempts.at(-1)?.error).toBe(false);
  const repeated = texts.flatMap((text, at) => Array.from({ length: expected[at]?.attempts ?? 0 }, () => text));
  expect(arrived.get(number)).toEqual(repeated);
}

test("whatever a far end answers, nothing is lost, doubled or out of order", async () => {
  const tenant = await world.tenant({
    record: { desk: { type: "native", url: farEnd.url }, delivery: { timeoutMs: 2_000 } },
  });
  // All at once: most of the time is spent waiting for a next attempt.
  const seed = Date.now();
  const scripts = fc.sample(fc.tuple(script, script), { seed, ...RUN, numRuns: TICKETS });
  await Promise.all(scripts.map((both) => play(tenant, both, seed)));
});
