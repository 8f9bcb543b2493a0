import { send, type Bounds } from "../egress/http";
import { loginResult, NO_TOKEN, tokenFrom, type LoginFailure, type Token } from "../egress/login";
import { judgeAnswer, type Outcome } from "../egress/outcome";
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

export async function requestToken(target: LoginTarget, bounds: Bounds): Promise<Token | LoginFailure> {
  return loginResult(await logIn(target, bounds));
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

/** `expireAt` looks like 2020-10-22T17:40:55.372+07:00[Asia/Jakarta]. How long a token lives is not documented. */
function readToken(text: string, timeZone: string): Token | undefined {
  const body = jsonIn(text) as { token?: unknown; expireAt?: unknown } | null | undefined;
  return tokenFrom(body?.token, readDate(body?.expireAt, timeZone), Date.now());
}
