import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RUN } from "../../unit/property.ts";
import { accepted } from "../support/http.ts";
import { type RawAnswer, type RawFarEnd, startRawFarEnd } from "../support/raw-far-end.ts";
import { type Tenant, newTicketNumber } from "../support/tenant.ts";
import type { Ticket } from "../support/timeline.ts";
import { type World, startWorld } from "../support/world.ts";

/** Whatever a far end answers, and however it writes it down, each message is delivered, dead with a reason, or waits, and in order. */

type Kind = "delivered" | "rejected" | "retry";
/** An answer, and what it may mean by the table of outcomes. */
type Scripted = { answer: RawAnswer; means: Kind[] };

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

const anyStatus = fc.constantFrom(200, 201, 202, 203, 206, 226, 300, 301, 302, 307, 308, ...REJECTED, ...RETRIED);
const anyBody = fc.constantFrom(TAKEN, ...SAYS_NO, ...SAYS_NOTHING);
const anyVersion = fc.constantFrom("HTTP/1.1", "HTTP/1.0");
const anyInterim = fc.constantFrom(
  "",
  "",
  "HTTP/1.1 100 Continue\r\n\r\n",
  "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n",
);
const anyHeader = fc.constantFrom(
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
    status: anyStatus,
    body: anyBody,
    version: anyVersion,
    interim: anyInterim,
    header: anyHeader,
    frame: fc.constantFrom(...Object.keys(FRAMES)),
    coding: fc.oneof({ weight: 2, arbitrary: fc.constant("none") }, fc.constantFrom(...Object.keys(CODINGS))),
  })
  .map(({ status, body, version, interim, header, frame, coding }) => {
    const coded = CODINGS[coding]?.(Buffer.from(body)) ?? { head: "", bytes: Buffer.from(""), readable: true };
    const framed = FRAMES[frame]?.(coded.bytes) ?? { head: "", bytes: coded.bytes, whole: true };
    const head = `${interim}${version} ${status} Odd\r\nconnection: close\r\n${header}${coded.head}${framed.head}\r\n`;
    const isRead = framed.whole && coded.readable;
    const judged = status < 300 && isRead && SAYS_NO.includes(body) ? "rejected" : ofStatus(status);
    // Where the connection breaks, the runtime may not hand on the status, or wait in vain for the rest of the body.
    const broken: Kind[] = [judged, "retry"];
    // HTTP/1.0 has no chunks: the runtime takes such an answer for none (RFC 9112, 6.1).
    const isFaulty = version === "HTTP/1.0" && framed.head.startsWith("transfer");
    const means: Kind[] = isFaulty ? ["retry"] : framed.whole ? [judged] : broken;
    return { answer: { bytes: Buffer.concat([Buffer.from(head), framed.bytes]) }, means };
  });

/** What is no answer at all. */
const noAnswer: fc.Arbitrary<Scripted> = fc
  .constantFrom<RawAnswer>(
    { bytes: "" },
    { bytes: "", after: "reset" },
    { bytes: "SSH-2.0-OpenSSH_9.6\r\n" },
    { bytes: "HTTP/1.1 2" },
    { bytes: "HTTP/1.1 099 Odd\r\n\r\n" },
    { bytes: "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok" },
    { bytes: "HTTP/1.1 200 OK\r\nno header at all\r\n\r\n" },
    { bytes: "HTTP/1.1 100 Continue\r\n\r\n" },
    { bytes: "HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{", after: "hold" },
    { bytes: "", after: "hold" },
  )
  .map((answer) => ({ answer, means: ["retry"] }));

/** What is answered to the attempts of a message; to the next one, that it is taken. */
const script = fc.array(fc.oneof({ weight: 5, arbitrary: httpAnswer }, noAnswer), { minLength: 1, maxLength: 2 });
const TICKETS = 40;

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

/** Answers that were whole, and those of them that the runtime did not hand on: it lost the connection first. A busy machine loses none. */
const whole = { all: 0, lost: 0 };

/** Whether each attempt of a message ended as the answer to it has to. What follows a script is that the message is taken. */
function isJudged(played: Scripted[], { attempts, state }: Ticket["messages"][number]): boolean {
  const ends = attempts.map(({ error = "" }, at): Kind => {
    const means = played[at]?.means ?? ["delivered"];
    const isWhole = means.length === 1 && means[0] !== "retry";
    if (isWhole) whole.all += 1;
    if (isWhole && error.startsWith("no connection")) whole.lost += 1;
    if (at + 1 < attempts.length) return "retry";
    return state === "dead" ? "rejected" : "delivered";
  });
  return ends.every((end, at) => {
    const isLost = attempts[at]?.status === undefined && end === "retry";
    return isLost || (played[at]?.means ?? ["delivered"]).includes(end);
  });
}

async function play(tenant: Tenant, both: readonly [Scripted[], Scripted[]], seed: number): Promise<void> {
  const number = newTicketNumber();
  const texts = ["Satu", "Dua"];
  for (const [at, text] of texts.entries()) answers.set(`${number} ${text}`, [...(both[at] ?? [])]);
  for (const message of texts) accepted(await tenant.incoming(number, { message }));
  const settled = ({ lanes }: Ticket): boolean => lanes.toDesk.delivered + lanes.toDesk.dead === texts.length;
  const { messages } = await tenant.untilTicket(number, settled, "an end of both");
  const said = both.flat().map(({ answer }) => Buffer.from(answer.bytes).toString("latin1").slice(0, 200));
  const attempts = messages.map((message) => message.attempts.map(({ error }) => error?.slice(0, 100)));
  const isRight = messages.every((message, at) => isJudged(both[at] ?? [], message));
  expect(isRight, JSON.stringify({ seed, attempts, said })).toBe(true);
  for (const message of messages) expect(message.state === "dead" && !message.attempts.at(-1)?.error).toBe(false);
  // In order, and no more often than the timeline says; an attempt may be lost on its way there.
  const came = arrived.get(number) ?? [];
  expect(came).toEqual(came.toSorted((a, b) => texts.indexOf(a) - texts.indexOf(b)));
  for (const [at, text] of texts.entries()) {
    const times = came.filter((each) => each === text).length;
    expect(times).toBeGreaterThan(0);
    expect(times).toBeLessThanOrEqual(messages[at]?.attempts.length ?? 0);
  }
}

test("whatever a far end answers, nothing is lost, doubled or out of order", async () => {
  const tenant = await world.tenant({
    record: { desk: { type: "native", url: farEnd.url }, delivery: { timeoutMs: 4_000 } },
  });
  // All at once: most of the time is spent waiting for a next attempt.
  const seed = Date.now();
  const scripts = fc.sample(fc.tuple(script, script), { seed, ...RUN, numRuns: TICKETS });
  await Promise.all(scripts.map((both) => play(tenant, both, seed)));
  expect(whole.lost).toBeLessThan(whole.all / 10);
});
