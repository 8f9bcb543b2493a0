import type { EngineRecord, LoginAuth } from "./record";
import type { Bounds, Login } from "../destination";
import { send } from "../http";
import { judgeAnswer, type Failure } from "../outcome";

/**
 * The token API of 3Dolphins ("Get Token"): POST {baseUrl}{apiPath}/graph/auth with user name and password gives
 * {"token","expireAt"}. Tokens are kept per isolate and owner, and one login at a time serves all tickets in it.
 */

type Session = { credentials: string; token: string | undefined; expiresAtMs: number; login: Promise<Login> };

/** A token is not used in its last seconds: it could expire on the way. */
const MARGIN_MS = 30_000;
/** How long a token with no readable `expireAt` is used: the page does not say how long one lives. */
const UNKNOWN_LIFETIME_MS = 10 * 60_000;

const sessions = new Map<string, Session>();

/** A token for this tenant's engine: the one at hand, or a fresh one when that is `stale` or has expired. */
export async function login(
  owner: string,
  record: EngineRecord,
  bounds: Bounds,
  stale: string | undefined,
): Promise<Login> {
  const { auth } = record;
  if (auth.type !== "login") throw new Error("this tenant's engine takes no login");
  // Changed credentials or another server must not meet the old token.
  const credentials = JSON.stringify([record.baseUrl, record.apiPath, auth.username, auth.password]);
  const known = sessions.get(owner);
  const isGood = known && known.credentials === credentials && known.expiresAtMs > Date.now();
  if (isGood && (stale === undefined || known.token !== stale)) return known.login;
  const session: Session = {
    credentials,
    token: undefined,
    expiresAtMs: Number.POSITIVE_INFINITY,
    login: request(record, auth, bounds).then((result) => {
      if ("token" in result) Object.assign(session, result);
      else if (sessions.get(owner) === session) sessions.delete(owner);
      return result;
    }),
  };
  sessions.set(owner, session);
  return session.login;
}

async function request(
  record: EngineRecord,
  auth: LoginAuth,
  bounds: Bounds,
): Promise<{ token: string; expiresAtMs: number } | { outcome: Failure }> {
  const result = await send({
    url: `${record.baseUrl}${record.apiPath}/graph/auth`,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username: auth.username, password: auth.password }),
    timeoutMs: bounds.timeoutMs,
    allowInsecureTargets: bounds.allowInsecureTargets,
  });
  if ("outcome" in result) return { outcome: inLogin(result.outcome) };
  const outcome = judgeAnswer(result.answer, true);
  if (outcome.kind !== "delivered") return { outcome: inLogin(outcome) };
  const parsed = readToken(result.answer.text);
  if (parsed) return parsed;
  return { outcome: { kind: "retry", status: outcome.status, error: "login: the answer holds no token" } };
}

/**
 * A failed login says nothing about the message: its status is not the answer to it, and the message waits until somebody
 * mends the credentials, in its place. The body of the answer is not kept: it may quote them.
 */
function inLogin(outcome: Failure): Failure {
  const error = `login: ${outcome.error}`;
  if (outcome.kind === "blocked") return { kind: "blocked", error };
  return outcome.kind === "retry" && outcome.retryAfterMs !== undefined
    ? { kind: "retry", error, retryAfterMs: outcome.retryAfterMs }
    : { kind: "retry", error };
}

/** `expireAt` looks like 2020-10-22T17:40:55.372+07:00[Asia/Jakarta]; Date.parse needs the zone's name cut off. */
function readToken(text: string): { token: string; expiresAtMs: number } | undefined {
  let body: { token?: unknown; expireAt?: unknown } | null;
  try {
    body = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof body?.token !== "string" || body.token === "") return undefined;
  const expireAtMs = typeof body.expireAt === "string" ? Date.parse(body.expireAt.replace(/\[.*\]$/, "")) : Number.NaN;
  const expiresAtMs = Number.isNaN(expireAtMs) ? Date.now() + UNKNOWN_LIFETIME_MS : expireAtMs - MARGIN_MS;
  return { token: body.token, expiresAtMs };
}
