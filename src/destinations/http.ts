import { forbiddenTarget } from "../lib/address";
import { errorText } from "../lib/log";
import { retryAfterMs, type Answer, type Failure } from "./outcome";

/** The only outbound fetch of the relay. */

/** Read of an answer to judge it; the rest is not waited for. */
const MAX_ANSWER_BYTES = 64 * 1024;

export type OutboundRequest = {
  url: string;
  method?: "GET" | "POST";
  headers: Record<string, string>;
  body?: string;
  /** Covers the whole exchange, to the last byte of the answer's body. */
  timeoutMs: number;
  allowInsecureTargets: boolean;
};

/** Sends one request: an answer, or the outcome of there being none. Redirects are not followed; never throws. */
export async function send(request: OutboundRequest): Promise<{ answer: Answer } | { outcome: Failure }> {
  const forbidden = forbiddenTarget(request.url, request.allowInsecureTargets);
  if (forbidden) return { outcome: { kind: "blocked", error: `the target's URL ${forbidden}` } };
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), request.timeoutMs);
  try {
    const response = await fetch(request.url, {
      method: request.method ?? "POST",
      headers: request.headers,
      redirect: "manual",
      signal: abort.signal,
      ...(request.body === undefined ? {} : { body: request.body }),
    });
    const { text, truncated } = await readAnswer(response);
    const wait = retryAfterMs(response.headers.get("retry-after"), Date.now());
    return { answer: { status: response.status, text, truncated, retryAfterMs: wait } };
  } catch (error) {
    const reason = abort.signal.aborted
      ? `no complete answer within ${request.timeoutMs} ms`
      : `no connection: ${errorText(error)}`;
    return { outcome: { kind: "retry", error: reason } };
  } finally {
    clearTimeout(timer);
  }
}

/** Reads up to the limit and lets go of the connection: an object has only six, and an unread body keeps one. */
async function readAnswer(response: Response): Promise<{ text: string; truncated: boolean }> {
  if (!response.body) return { text: "", truncated: false };
  if (Number(response.headers.get("content-length") ?? Number.NaN) <= MAX_ANSWER_BYTES) {
    return { text: await response.text(), truncated: false };
  }
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  let text = "";
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { text: text + decoder.decode(), truncated: false };
    bytes += value.byteLength;
    text += decoder.decode(value, { stream: true });
    if (bytes > MAX_ANSWER_BYTES) {
      await reader.cancel();
      return { text, truncated: true };
    }
  }
}
