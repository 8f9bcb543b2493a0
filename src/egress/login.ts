import type { Failure, Outcome, Sent } from "./outcome";

/** Logins at far ends that give a token for a while: an engine, or a desk. */

export type Token = { token: string; expiresAtMs: number };

export type Granted = Token | { outcome: Failure };

/** `refused`: the far end has said no, and will say it again until somebody fixes the credentials. */
export type LoginFailure = { outcome: Failure; refused: boolean };

/**
 * The far end's token: the one at hand, or a fresh one when that is `stale` or has expired. The same one comes back where it
 * is too early for another login.
 */
export type Login = (stale?: string) => Promise<Granted>;

/** A token is not used in its last seconds: it could expire on the way. */
const MARGIN_MS = 30_000;
/** How long a token is used that does not say how long it lives. */
const UNKNOWN_LIFETIME_MS = 10 * 60_000;
/** A shorter time to use it is a date without its zone, or a clock that is wrong: some lock out who logs in for every message. */
const SHORTEST_LIFETIME_MS = 60_000;
const LONGEST_LIFETIME_MS = 30 * 24 * 3600_000;

/** The token that an answer holds, and until when it is used; undefined where there is none. */
export function tokenFrom(token: unknown, expiresAtMs: number | undefined, nowMs: number): Token | undefined {
  // What no header can carry is no token.
  if (typeof token !== "string" || !/^[\u0021-\u007e]+$/.test(token)) return undefined;
  const lifetimeMs = (expiresAtMs ?? 0) - MARGIN_MS - nowMs;
  const usedMs = lifetimeMs < SHORTEST_LIFETIME_MS ? UNKNOWN_LIFETIME_MS : Math.min(lifetimeMs, LONGEST_LIFETIME_MS);
  return { token, expiresAtMs: nowMs + usedMs };
}

export const NO_TOKEN = "the answer holds no token";

/** What came of a login, as the outcome of the message that needed it. */
export function loginResult({ outcome, token }: { outcome: Outcome; token?: Token | undefined }): Token | LoginFailure {
  if (token) return token;
  if (outcome.kind !== "delivered") return { outcome: inLogin(outcome), refused: outcome.kind === "rejected" };
  return { outcome: { kind: "retry", error: `login: ${NO_TOKEN}`, during: "login" }, refused: false };
}

/**
 * A failed login says nothing about the message, so its status is left out and the message waits, in its place, until
 * somebody fixes the credentials. The body may quote them, and is left out too.
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

/**
 * Makes a request with a token. It may be refused before its time. Then a fresh one is asked for and the request is made once
 * more, and what that gives counts.
 */
export async function withToken(
  login: Login,
  saysEnded: (status: number) => boolean,
  attempt: (token: string) => Promise<Sent>,
): Promise<Sent> {
  const first = await login();
  if ("outcome" in first) return first;
  const sent = await attempt(first.token);
  if ("outcome" in sent || !saysEnded(sent.answer.status)) return sent;
  const second = await login(first.token);
  if ("outcome" in second) return second;
  return second.token === first.token ? sent : attempt(second.token);
}
