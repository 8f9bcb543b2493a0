import { send, type Bounds, type Form } from "../../egress/http";
import * as z from "zod/mini";
import { judgeAnswer, unread, type Answer, type Failure, type Outcome } from "../../egress/outcome";
import { jsonIn } from "../../lib/json";
import { withFallback } from "../../lib/zod";
import type { ChatwootRecord } from "./record";

/** Chatwoot's Application API, as in its swagger/paths/application. */

/** A step of an attempt: what it was made for, or the outcome that ends the attempt. */
export type Step<T> = { ok: true; value: T } | { ok: false; outcome: Failure };

/** `unread` is what comes of a step that needs what the answer holds, where that could not be read. */
export type Reply = { outcome: Outcome; json: unknown; unread?: Failure };

/** A list of conversations holds each one's newest messages, and these up to 150,000 characters. */
const MOST_ANSWER_BYTES = 4 * 1024 * 1024;

export type Api = {
  get: (path: string) => Promise<Reply>;
  /** Of what stands above the accounts. */
  getSite: (path: string) => Promise<Reply>;
  post: (path: string, body: object) => Promise<Reply>;
  patch: (path: string, body: object) => Promise<Reply>;
  upload: (path: string, form: Form) => Promise<Reply>;
  /** What is left of the attempt, which has one time limit for all its requests. */
  leftMs: () => number;
};

/** Where an account is, and as whom it is called. */
export type Account = Pick<ChatwootRecord, "baseUrl" | "accountId" | "apiAccessToken">;

export function chatwootApi(record: Account, bounds: Bounds): Api {
  const base = `${record.baseUrl}/api/v1/accounts/${record.accountId}`;
  const deadlineMs = Date.now() + bounds.timeoutMs;
  const leftMs = () => Math.max(1, deadlineMs - Date.now());
  const call = async (method: "GET" | "POST" | "PATCH", url: string, body?: string | Form): Promise<Reply> => {
    const sent = await send({
      url,
      method,
      headers: {
        // Published as `api_access_token`, which nginx drops for its underscores. Rack makes the same of both.
        "api-access-token": record.apiAccessToken,
        ...(typeof body === "string" ? { "content-type": "application/json" } : {}),
      },
      ...(body === undefined ? {} : { body }),
      ...bounds,
      timeoutMs: leftMs(),
      mostAnswerBytes: MOST_ANSWER_BYTES,
    });
    if ("outcome" in sent) return { outcome: sent.outcome, json: undefined };
    const { answer } = sent;
    const outcome = judge(answer);
    if (!answer.unreadable || outcome.kind !== "delivered") return { outcome, json: jsonIn(answer.text) };
    return { outcome: method === "GET" ? unread(answer) : outcome, json: undefined, unread: unread(answer) };
  };
  return {
    get: (path) => call("GET", base + path),
    getSite: (path) => call("GET", record.baseUrl + path),
    post: (path, body) => call("POST", base + path, JSON.stringify(body)),
    patch: (path, body) => call("PATCH", base + path, JSON.stringify(body)),
    upload: (path, form) => call("POST", base + path, form),
    leftMs,
  };
}

/** A conversation takes so many messages a minute and says 422 to more (Message#prevent_message_flooding): that passes. */
function judge(answer: Answer): Outcome {
  const outcome = judgeAnswer(answer, false);
  const isFlooded = outcome.kind === "rejected" && outcome.status === 422 && answer.text.includes("Too many messages");
  return isFlooded ? { ...outcome, kind: "retry" } : outcome;
}

const refusal = withFallback(z.object({ error: z.string() }), { error: "" });

/** What Chatwoot says of a request that it refused; empty where it says nothing, or in another form. */
export const errorIn = (json: unknown): string => refusal.parse(json).error;

/** What a request was made for, once it was taken; `read` gives undefined where the answer does not hold it. */
export function stepOf<T>({ outcome, json, unread: failure }: Reply, read: (json: unknown) => T | undefined): Step<T> {
  if (outcome.kind !== "delivered") return { ok: false, outcome };
  if (failure) return { ok: false, outcome: failure };
  const value = read(json);
  if (value !== undefined) return { ok: true, value };
  const error = `HTTP ${outcome.status}, but the answer is not Chatwoot's: is baseUrl right?`;
  return { ok: false, outcome: { kind: "rejected", status: outcome.status, error } };
}
