import { send, type Bounds } from "../egress/http";
import { judgeAnswer, type Failure, type Outcome } from "../egress/outcome";
import { jsonIn } from "../lib/json";
import { readDate } from "./dates";
import type { EngineRecord, LoginAuth } from "./engine-record";

/**
 * The token API of 3Dolphins ("Get Token"): POST {baseUrl}{apiPath}/graph/auth with user name and password gives
 * {"token","expireAt"}.
 */

/** Where to log in, and as whom. `timeZone` is for an `expireAt` that names none. */
export type LoginTarget = Pick<EngineRecord, "baseUrl" | "apiPath" | "reach"> &
  Pick<LoginAuth, "username" | "password"> & { timeZone: string };

export type Token = { token: string; expiresAtMs: number };

export type Granted = Token | { outcome: Failure };

/** `refused`: the engine has said no, and will say it again until somebody fixes the credentials. */
export type LoginFailure = { outcome: Failure; refused: boolean };

/** A token is not used in its last seconds: it could expire on the way. */
const MARGIN_MS = 30_000;
/** How long a token is used whose `expireAt` says nothing: 3Dolphins does not document how long one lives. */
const UNKNOWN_LIFETIME_MS = 10 * 60_000;
/** A shorter time to use it is a date without its zone, or a clock that is wrong: engines lock who logs in for every reply. */
const SHORTEST_LIFETIME_MS = 60_000;
const LONGEST_LIFETIME_MS = 30 * 24 * 3600_000;

const NO_TOKEN = "the answer holds no token";

export async function requestToken(target: LoginTarget, bounds: Bounds): Promise<Token | LoginFailure> {
  const { outcome, token } = await logIn(target, bounds);
  if (token) return token;
  if (outcome.kind !== "delivered") return { outcome: inLogin(outcome), refused: outcome.kind === "rejected" };
  return { outcome: { kind: "retry", error: `login: ${NO_TOKEN}`, during: "login" }, refused: false };
}

/** The same for an operator's connection test, who wants to see what the engine says. An answer that may hold a token is not shown. */
export async function testLogin(target: LoginTarget, bounds: Bounds): Promise<Outcome> {
  const { outcome, token } = await logIn(target, bounds);
  if (outcome.kind !== "delivered") return outcome;
  const { status } = outcome;
  return token ? { kind: "delivered", status } : { kind: "retry", status, error: NO_TOKEN };
}

async function logIn(target: LoginTarget, bounds: Bounds): Promise<{ outcome: Outcome; token?: Token | undefined }> {
  const result = await send({
    url: `${target.baseUrl}${target.apiPath}/graph/auth`,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username: target.username, password: target.password }),
    ...bounds,
  });
  if ("outcome" in result) return result;
  const outcome = judgeAnswer(result.answer, true);
  const token = outcome.kind === "delivered" ? readToken(result.answer.raw, target.timeZone) : undefined;
  return { outcome, token };
}

/**
 * A failed login as the outcome of the message that needed it. It says nothing about the message, so its status is left out
 * and the message waits, in its place, until somebody fixes the credentials. The body may quote them, and is left out too.
 */
function inLogin(outcome: Failure): Failure {
  const error = `login: ${outcome.error}`;
  const during = "login";
  if (outcome.kind !== "retry") return { kind: outcome.kind === "blocked" ? "blocked" : "retry", error, during };
  const { retryAfterMs, noAnswer } = outcome;
  return {
    kind: "retry",
    error,
    during,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(noAnswer === undefined ? {} : { noAnswer }),
  };
}

/** `expireAt` looks like 2020-10-22T17:40:55.372+07:00[Asia/Jakarta]. */
function readToken(text: string, timeZone: string): Token | undefined {
  const body = jsonIn(text) as { token?: unknown; expireAt?: unknown } | null | undefined;
  // What no header can carry is no token.
  if (typeof body?.token !== "string" || !/^[\u0021-\u007e]+$/.test(body.token)) return undefined;
  const nowMs = Date.now();
  const lifetimeMs = (readDate(body.expireAt, timeZone) ?? 0) - MARGIN_MS - nowMs;
  const usedMs = lifetimeMs < SHORTEST_LIFETIME_MS ? UNKNOWN_LIFETIME_MS : Math.min(lifetimeMs, LONGEST_LIFETIME_MS);
  return { token: body.token, expiresAtMs: nowMs + usedMs };
}
