import { jsonIn } from "../lib/json";
import { clipBytes } from "../lib/text";
import type { NoAnswer } from "../model/attempt";

/**
 * How an attempt ended: the table under "Outcome of an attempt" in docs/protocol.md. Pure.
 * `error` is the relay's own words, fit for a log. `answer` is the beginning of the far end's, and may quote a customer.
 */
export type Outcome =
  | { kind: "delivered"; status: number; answer?: string }
  | { kind: "rejected"; status?: number; error: string; answer?: string }
  | { kind: "blocked"; error: string; during?: "login" }
  | {
      kind: "retry";
      status?: number;
      error: string;
      answer?: string;
      retryAfterMs?: number;
      noAnswer?: NoAnswer;
      /** The message itself was not sent. */
      during?: "login";
    };

export type Failure = Exclude<Outcome, { kind: "delivered" }>;

/** What came back from the far end, read under the attempt's time limit. */
export type Answer = {
  status: number;
  /** The body, or its first 64 KiB, without the secrets that were sent: fit to be kept and shown. */
  text: string;
  /** The same as it came. It is judged, and goes no further. */
  raw: string;
  /** The body went on after that. */
  truncated: boolean;
  /** The body broke off, or is not in the coding that it is said to be in. */
  unreadable: boolean;
  retryAfterMs: number | undefined;
};

/** What became of a request: an answer, or the outcome of there being none. */
export type Sent = { answer: Answer } | { outcome: Failure };

/** Kept of an answer for the timeline. */
const KEPT_BYTES = 2048;

const REJECTED = new Set([400, 401, 403, 404, 405, 406, 410, 411, 413, 414, 415, 422, 451, 501]);

/** Judges an answer. `readsBody` is set for far ends whose 2xx may still say failure in its body: the engine and native desks. */
export function judgeAnswer(answer: Answer, readsBody: boolean): Outcome {
  const { status } = answer;
  const kept = answer.text === "" ? {} : { answer: clipBytes(answer.text, KEPT_BYTES) };
  if (status >= 200 && status < 300) {
    if (!readsBody || answer.truncated || !saysFailure(answer.raw)) return { kind: "delivered", status, ...kept };
    return { kind: "rejected", status, error: `HTTP ${status}, but the body says failure`, ...kept };
  }
  if (status >= 300 && status < 400) {
    return { kind: "rejected", status, error: `HTTP ${status}: redirects are not followed`, ...kept };
  }
  const error = `HTTP ${status}`;
  if (REJECTED.has(status)) return { kind: "rejected", status, error, ...kept };
  // 408, 425, 429, 5xx, and what the protocol does not name: trying again loses nothing.
  const wait = answer.retryAfterMs === undefined ? {} : { retryAfterMs: answer.retryAfterMs };
  return { kind: "retry", status, error, ...kept, ...wait };
}

/** The same of a request that may have had no answer. */
export const judgeSent = (sent: Sent, readsBody: boolean): Outcome =>
  "outcome" in sent ? sent.outcome : judgeAnswer(sent.answer, readsBody);

export const statusOf = (outcome: Outcome): number | undefined => ("status" in outcome ? outcome.status : undefined);

/** For a request that was made for what its answer holds. What it did is done, or not, as the next attempt will find. */
export const unread = ({ status }: Answer): Failure => ({
  kind: "retry",
  status,
  error: `HTTP ${status}, but the answer could not be read`,
});

function saysFailure(text: string): boolean {
  const body = jsonIn(text);
  if (typeof body !== "object" || body === null) return false;
  const { status, success } = body as { status?: unknown; success?: unknown };
  if (/^(?:false|0)$/i.test(textOf(success))) return true;
  return Number(/^\d+$/.exec(textOf(status))) >= 400 || /^(?:err|fail|reject|gagal|false$)/i.test(textOf(status));
}

/** Of a field that some write as a text and some do not. */
const textOf = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : "";

/** `Retry-After` (RFC 9110, 10.2.3: seconds or a date) as ms from now, or undefined when absent or malformed. */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000;
  const dateMs = Date.parse(header);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}
