import { parseJson } from "../lib/json";
import { send } from "../egress/http";
import { judgeAnswer, type Failure } from "../egress/outcome";
import type { Result } from "../model/result";
import { authenticated, type EngineContext } from "./authenticated";
import type { EngineRecord } from "./engine-record";

/** One request to the service APIs of 3Dolphins. Somebody waits for its answer, so it is tried once. */

/** Far more than a contact or a page of a conversation needs, and far less than an isolate has. */
const MOST_ANSWER_BYTES = 4 * 1024 * 1024;

/** `error` is the relay's own words, fit to be shown. The body of a failure is not: it may be about somebody else. */
export type ServiceFailure = { timedOut: boolean; error: string; retryAfterMs?: number };
export type Served<T> = Result<T, ServiceFailure>;

export const failedWith = (error: string): Served<never> => ({
  ok: false,
  error: { timedOut: false, error },
});

/** The JSON of the answer; undefined when it is empty. `path` goes behind the tenant's `apiPath`. */
export async function callService(
  record: EngineRecord,
  context: EngineContext,
  { path, body }: { path: string; body?: object },
): Promise<Served<unknown>> {
  const bounds = { ...context, mostAnswerBytes: MOST_ANSWER_BYTES };
  const url = `${record.baseUrl}${record.apiPath}${path}`;
  const result = await authenticated(record.auth, context, (headers) =>
    body === undefined
      ? send({ ...bounds, url, method: "GET", headers })
      : send({
          ...bounds,
          url,
          headers: { "content-type": "application/json", ...headers },
          body: JSON.stringify(body),
        }),
  );
  if ("outcome" in result) return failed(result.outcome);
  const { answer } = result;
  const outcome = judgeAnswer(answer, true);
  if (outcome.kind !== "delivered") return failed(outcome);
  if (answer.unreadable) return failedWith(`HTTP ${answer.status}, but the answer could not be read`);
  if (answer.truncated) return failedWith(`HTTP ${answer.status}, but the answer is longer than the relay reads`);
  if (answer.text.trim() === "") return { ok: true, value: undefined };
  const parsed = parseJson(answer.text);
  return parsed.ok ? parsed : failedWith(`HTTP ${answer.status}, but the answer is not JSON`);
}

function failed(outcome: Failure): Served<never> {
  const wait = outcome.kind === "retry" && outcome.retryAfterMs !== undefined;
  return {
    ok: false,
    error: {
      timedOut: outcome.kind === "retry" && outcome.noAnswer === "timeout",
      error: outcome.error,
      ...(wait ? { retryAfterMs: outcome.retryAfterMs } : {}),
    },
  };
}
