import { forbiddenTarget } from "./ssrf-guard";
import { utf8 } from "../crypto/bytes";
import { errorText } from "../lib/log";
import { retryAfterMs, type Answer, type Failure } from "./outcome";

/** The only outbound fetch of the relay. */

/** Read of an answer to judge it; the rest is not waited for. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** Nearly every answer is shorter than this, and one read is all it takes. */
const FIRST_READ_BYTES = 4 * 1024;
const NEXT_READ_BYTES = 64 * 1024;

const decoder = new TextDecoder();

/** Media on its way through. `release` must be called when it is done with, read to its end or not: it holds a connection. */
export type Media = {
  contentType: string | undefined;
  length: number;
  stream: ReadableStream<Uint8Array>;
  /** Why it did not come to its end, when that is the fault of where it comes from. */
  failure: () => string | undefined;
  release: () => void;
};

/** A form with a file in it, written as it is read, with its length said before. */
export type Multipart = {
  fields: Record<string, string>;
  file: { field: string; name: string; type: string; media: Media };
};

export type OutboundRequest = {
  url: string;
  method?: "GET" | "POST";
  headers: Record<string, string>;
  body?: string | Multipart;
  /** Covers the whole exchange, to the last byte of the answer's body. */
  timeoutMs: number;
  allowInsecureTargets: boolean;
  /** Where the answer is not only judged but read. */
  mostAnswerBytes?: number;
};

/** Sends one request: an answer, or the outcome of there being none. Redirects are not followed; never throws. */
export async function send(request: OutboundRequest): Promise<{ answer: Answer } | { outcome: Failure }> {
  const forbidden = forbiddenTarget(request.url, request.allowInsecureTargets);
  if (forbidden) return { outcome: { kind: "blocked", error: `the target's URL ${forbidden}` } };
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), request.timeoutMs);
  try {
    const { headers, body } = written(request);
    const response = await fetch(request.url, {
      method: request.method ?? "POST",
      headers,
      redirect: "manual",
      signal: abort.signal,
      ...(body === undefined ? {} : { body }),
    });
    const { text, truncated } = await readAnswer(response, request.mostAnswerBytes ?? MAX_ANSWER_BYTES);
    const wait = response.ok ? undefined : retryAfterMs(response.headers.get("retry-after"), Date.now());
    return { answer: { status: response.status, text, truncated, retryAfterMs: wait } };
  } catch (error) {
    if (abort.signal.aborted) {
      const late = `no complete answer within ${request.timeoutMs} ms`;
      return { outcome: { kind: "retry", error: late, noAnswer: "timeout" } };
    }
    const broken = `no connection: ${errorText(error)}`;
    return { outcome: { kind: "retry", error: broken, noAnswer: "connection" } };
  } finally {
    clearTimeout(timer);
  }
}

/** Reads up to the limit and lets go of the connection: an object has only six, and an unread body keeps one. */
async function readAnswer({ body }: Response, most: number): Promise<{ text: string; truncated: boolean }> {
  if (!body) return { text: "", truncated: false };
  const reader = body.getReader({ mode: "byob" });
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for (;;) {
    const wanted = Math.min(bytes === 0 ? FIRST_READ_BYTES : NEXT_READ_BYTES, most - bytes + 1);
    const { value } = await reader.readAtLeast(wanted, new Uint8Array(wanted));
    if (value) chunks.push(value);
    bytes += value?.byteLength ?? 0;
    const truncated = bytes > most;
    if (truncated) await reader.cancel();
    // What is shorter than was asked for is the last.
    if (!truncated && (value?.byteLength ?? 0) === wanted) continue;
    const whole = chunks.length === 1 ? chunks[0] : await new Blob(chunks).arrayBuffer();
    return { text: decoder.decode(whole), truncated };
  }
}

function written({ headers, body }: OutboundRequest) {
  if (typeof body !== "object") return { headers, body };
  const boundary = `relay-${crypto.randomUUID()}`;
  const part = (lines: string[], value: string) => `--${boundary}\r\n${lines.join("\r\n")}\r\n\r\n${value}`;
  const disposition = (name: string) => `content-disposition: form-data; name="${quoted(name)}"`;
  const { field, name, type, media } = body.file;
  const fields = Object.entries(body.fields).map(([key, value]) => `${part([disposition(key)], value)}\r\n`);
  const file = part([`${disposition(field)}; filename="${quoted(name)}"`, `content-type: ${type}`], "");
  const [head, tail] = [utf8(fields.join("") + file), utf8(`\r\n--${boundary}--\r\n`)];
  const { readable, writable } = new FixedLengthStream(head.byteLength + media.length + tail.byteLength);
  // What goes wrong here goes wrong for who reads it, the request, as well.
  void writeAround(head, media.stream, tail, writable).catch(() => undefined);
  return { headers: { ...headers, "content-type": `multipart/form-data; boundary=${boundary}` }, body: readable };
}

/** As the WHATWG's "multipart/form-data encoding algorithm" has it for names. */
const quoted = (name: string) => name.replaceAll('"', "%22").replaceAll("\r", "%0D").replaceAll("\n", "%0A");

async function writeAround(
  head: Uint8Array,
  stream: ReadableStream<Uint8Array>,
  tail: Uint8Array,
  writable: WritableStream<Uint8Array>,
): Promise<void> {
  const before = writable.getWriter();
  await before.write(head);
  before.releaseLock();
  await stream.pipeTo(writable, { preventClose: true });
  const after = writable.getWriter();
  await after.write(tail);
  await after.close();
}

export type DownloadRequest = {
  url: string;
  /** Covers the whole download, to the last byte of the media. */
  timeoutMs: number;
  mostBytes: number;
  allowInsecureTargets: boolean;
};

/**
 * Fetches media. Where its length is known it streams through as it is read, and is held in memory otherwise. `transient`
 * says that another time it may be there. Redirects are not followed; never throws.
 */
export async function download(
  request: DownloadRequest,
): Promise<{ media: Media } | { error: string; transient: boolean }> {
  const { mostBytes, timeoutMs } = request;
  const forbidden = forbiddenTarget(request.url, request.allowInsecureTargets);
  if (forbidden) return { error: `the media's URL ${forbidden}`, transient: false };
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), timeoutMs);
  const release = () => {
    clearTimeout(timer);
    abort.abort();
  };
  try {
    const response = await fetch(request.url, { redirect: "manual", signal: abort.signal });
    const refused = refusal(response, mostBytes);
    if (refused || !response.body) {
      await response.body?.cancel();
      release();
      return refused ?? { error: "the media is empty", transient: false };
    }
    const contentType = response.headers.get("content-type") ?? undefined;
    const length = lengthOf(response);
    if (length !== undefined) return { media: { contentType, length, release, ...exactly(response.body, length) } };
    const bytes = await readAtMost(response.body, mostBytes);
    release();
    if (!bytes) return { error: `the media is longer than ${mostBytes} bytes`, transient: false };
    const stream = new Blob(bytes).stream();
    const size = bytes.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    return { media: { contentType, length: size, stream, failure: () => undefined, release } };
  } catch (error) {
    const timedOut = abort.signal.aborted;
    release();
    const why = timedOut ? `the media did not come within ${timeoutMs} ms` : `no media: ${errorText(error)}`;
    return { error: why, transient: true };
  }
}

function refusal(response: Response, mostBytes: number): { error: string; transient: boolean } | undefined {
  const { status } = response;
  if (status !== 200) {
    const transient = status === 408 || status === 425 || status === 429 || status >= 500;
    return { error: `the media's server answered HTTP ${status}`, transient };
  }
  const length = lengthOf(response) ?? 1;
  if (length > mostBytes) return { error: `the media is longer than ${mostBytes} bytes`, transient: false };
  return length > 0 && response.body ? undefined : { error: "the media is empty", transient: false };
}

/** Of an encoded body the length that is said is not the length that is read. */
function lengthOf({ headers }: Response): number | undefined {
  const said = headers.get("content-length");
  return said !== null && /^\d+$/.test(said) && !headers.has("content-encoding") ? Number(said) : undefined;
}

/** The same bytes, of which there have to be so many; remembers when they break off, unless nobody wanted them any more. */
function exactly(source: ReadableStream<Uint8Array>, length: number): Pick<Media, "stream" | "failure"> {
  const reader = source.getReader();
  let left = length;
  let isWanted = true;
  let failure: string | undefined;
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        left -= value?.byteLength ?? 0;
        if (left < 0 || (done && left > 0)) throw new Error(`it is not the ${length} bytes that were said`);
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        if (isWanted) failure = `the media broke off: ${errorText(error)}`;
        controller.error(error);
      }
    },
    cancel: (reason) => {
      isWanted = false;
      return reader.cancel(reason);
    },
  });
  return { stream, failure: () => failure };
}

/** The whole of it, or undefined, and the connection released, when it is longer. */
async function readAtMost(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  most: number,
): Promise<Uint8Array<ArrayBuffer>[] | undefined> {
  const reader = stream.getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return chunks;
    bytes += value.byteLength;
    if (bytes > most) {
      await reader.cancel();
      return undefined;
    }
    chunks.push(value);
  }
}
