import { errorText } from "../lib/log";
import { retryAfterMs, type Answer, type Sent } from "./outcome";
import { redact, secretsIn } from "./redaction";
import { forbiddenTarget } from "./ssrf-guard";
import { USER_AGENT } from "./user-agent";

/** The only outbound fetch of the relay. */

/** Read of an answer to judge it; the rest is not waited for. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** Nearly every answer is shorter than this, and one read is all it takes. */
const FIRST_READ_BYTES = 4 * 1024;
const NEXT_READ_BYTES = 64 * 1024;

const decoder = new TextDecoder();

/** The requests to one origin go through a binding of the Worker. It is undefined when there is none of that name any more. */
export type Reach = { origin: string; name: string; binding: Pick<Fetcher, "fetch"> | undefined };

/** How the far ends of a tenant are reached. `secrets` are all that they are sent: no answer is kept or shown with one of them. */
export type Network = { allowInsecureTargets: boolean; reaches: readonly Reach[]; secrets: readonly string[] };

/** What every request to a far end is bound by. The time limit covers it to the last byte that is read of the answer. */
export type Bounds = Network & { timeoutMs: number };

/** A form with a file in it. Its stream is asked for once the request may be made. */
export type Form = { contentType: string; stream: () => ReadableStream };

export type OutboundRequest = Bounds & {
  url: string;
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  headers: Record<string, string>;
  body?: string | Form;
  /** Where the answer is not only judged but read. */
  mostAnswerBytes?: number;
};

/**
 * A request under way. `end` has to be called: until then its timer runs, and it may hold a connection. `redacted` is a text of
 * the far end without the secrets that it was sent.
 */
type Exchange = {
  response: Promise<Response>;
  redacted: (text: string, isCut?: boolean) => string;
  isLate: () => boolean;
  end: () => void;
};

type Init = Omit<RequestInit, "headers"> & { headers?: Record<string, string> };

/** Begins a request, if the guard lets it. Redirects are not followed. */
export function begin(
  { url, timeoutMs, allowInsecureTargets, reaches, secrets }: Bounds & { url: string },
  init: () => Init | Promise<Init> = () => ({}),
): Exchange | { refused: string; transient: boolean } {
  const origin = reaches.length === 0 ? undefined : URL.parse(url)?.origin;
  const reach = reaches.find((one) => one.origin === origin);
  const forbidden = forbiddenTarget(url, allowInsecureTargets || reach !== undefined);
  if (forbidden !== undefined) return { refused: `URL ${forbidden}`, transient: false };
  const by = reach ? reach.binding : globalThis;
  if (!by) return { refused: `binding ${reach?.name} is gone: see reach in the tenant's record`, transient: true };
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), timeoutMs);
  let sent = secrets;
  const redacted = (text: string, isCut?: boolean) => redact(text, sent, isCut);
  // What is wrong with the request itself is a rejection like any other. The runtime's words may quote a header.
  const response = async () => {
    try {
      const { headers = {}, ...rest } = await init();
      sent = [...secrets, ...secretsIn(headers)];
      const said = { "user-agent": USER_AGENT, accept: "*/*", ...headers };
      return await by.fetch(url, { ...rest, headers: said, redirect: "manual", signal: abort.signal });
    } catch (error) {
      throw new Error(redacted(errorText(error)), { cause: error });
    }
  };
  return {
    response: response(),
    redacted,
    isLate: () => abort.signal.aborted,
    end: () => {
      clearTimeout(timer);
      abort.abort();
    },
  };
}

/** Sends one request: an answer, or the outcome of there being none. Never throws. */
export async function send(request: OutboundRequest): Promise<Sent> {
  const exchange = begin(request, () => initOf(request));
  if ("refused" in exchange) {
    return { outcome: { kind: exchange.transient ? "retry" : "blocked", error: `the target's ${exchange.refused}` } };
  }
  try {
    const response = await exchange.response;
    const body = await readAnswer(response, request.mostAnswerBytes ?? MAX_ANSWER_BYTES, exchange.isLate);
    const wait = response.ok ? undefined : retryAfterMs(response.headers.get("retry-after"), Date.now());
    const shown = { ...body, text: exchange.redacted(body.text, body.truncated), raw: body.text };
    return { answer: { status: response.status, ...shown, retryAfterMs: wait } };
  } catch (error) {
    if (exchange.isLate()) {
      const late = `no complete answer within ${request.timeoutMs} ms`;
      return { outcome: { kind: "retry", error: late, noAnswer: "timeout" } };
    }
    const broken = `no connection: ${errorText(error)}`;
    return { outcome: { kind: "retry", error: broken, noAnswer: "connection" } };
  } finally {
    exchange.end();
  }
}

function initOf({ method = "POST", headers: own, body }: OutboundRequest) {
  const headers = { accept: "application/json", ...own };
  if (body === undefined) return { method, headers };
  if (typeof body === "string") return { method, headers, body };
  return { method, headers: { ...headers, "content-type": body.contentType }, body: body.stream() };
}

type Body = Pick<Answer, "text" | "truncated" | "unreadable">;
const UNREADABLE: Body = { text: "", truncated: false, unreadable: true };

/** A far end that has said its status has answered, even if it breaks off then or packs its body wrongly. Too late is too late. */
async function readAnswer(response: Response, most: number, isLate: () => boolean): Promise<Body> {
  try {
    if (isCodedOddly(response)) {
      await response.body?.cancel();
      return UNREADABLE;
    }
    return await readBody(response, most);
  } catch (error) {
    if (isLate()) throw error;
    return UNREADABLE;
  }
}

/** The runtime undoes gzip and Brotli, and hands on any other coding as it is. */
const isCodedOddly = ({ headers }: Response) => !/^(?:gzip|br|identity)?$/i.test(headers.get("content-encoding") ?? "");

/** Reads up to the limit and lets go of the connection: an object has only six, and an unread body keeps one. */
async function readBody({ body }: Response, most: number): Promise<Body> {
  if (!body) return { text: "", truncated: false, unreadable: false };
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
    return { text: decoder.decode(whole), truncated, unreadable: false };
  }
}
