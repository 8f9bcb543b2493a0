import * as z from "zod/mini";
import { utf8 } from "../../crypto/bytes";
import { send, type Bounds } from "../../egress/http";
import { loginResult, tokenFrom, withToken, type Login, type LoginFailure, type Token } from "../../egress/login";
import { judgeAnswer, type Outcome } from "../../egress/outcome";
import { jsonIn } from "../../lib/json";
import { withFallback } from "../../lib/zod";
import type { NoteContext } from "../desk";
import { apiUrlOf, loginUrlOf, ownUrls, type GenesysRecord } from "./record";

/** Genesys Cloud's Platform API, as one OAuth client. */

const tokenAnswer = withFallback(
  z.object({ access_token: z.string(), expires_in: withFallback(z.optional(z.number()), undefined) }),
  { access_token: "", expires_in: undefined },
);

/** Client credentials (RFC 6749, 4.4). */
export async function requestToken(record: GenesysRecord, bounds: Bounds): Promise<Token | LoginFailure> {
  const { clientId, clientSecret } = record;
  const sent = await send({
    ...bounds,
    url: `${loginUrlOf(record)}/oauth/token`,
    headers: {
      authorization: `Basic ${utf8(`${clientId}:${clientSecret}`).toBase64()}`,
      "content-type": "application/x-www-form-urlencoded",
    },
    body: "grant_type=client_credentials",
  });
  if ("outcome" in sent) return loginResult(sent);
  const outcome = judgeAnswer(sent.answer, false);
  const { access_token, expires_in } = tokenAnswer.parse(jsonIn(sent.answer.raw));
  const nowMs = Date.now();
  const endMs = expires_in === undefined ? undefined : nowMs + expires_in * 1000;
  const token = outcome.kind === "delivered" ? tokenFrom(access_token, endMs, nowMs) : undefined;
  return loginResult({ outcome, token });
}

type Reply = { outcome: Outcome; json: unknown };

export type Api = {
  get: (path: string) => Promise<Reply>;
  post: (path: string, body: object) => Promise<Reply>;
  patch: (path: string, body: object) => Promise<Reply>;
};

const UNAUTHORIZED = 401;

export function genesysApi(record: GenesysRecord, { language: _language, login, ...bounds }: NoteContext): Api {
  const base = `${apiUrlOf(record)}/api/v2/conversations`;
  const call = async (method: "GET" | "POST" | "PATCH", path: string, body?: object): Promise<Reply> => {
    const sent = await withToken(
      login,
      (status) => status === UNAUTHORIZED,
      (token) =>
        send({
          ...bounds,
          url: base + path,
          method,
          headers: {
            authorization: `Bearer ${token}`,
            ...(body === undefined ? {} : { "content-type": "application/json" }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        }),
    );
    if ("outcome" in sent) return { outcome: sent.outcome, json: undefined };
    return { outcome: judgeAnswer(sent.answer, false), json: jsonIn(sent.answer.raw) };
  };
  return {
    get: (path) => call("GET", path),
    post: (path, body) => call("POST", path, body),
    patch: (path, body) => call("PATCH", path, body),
  };
}

/** Agents' files open with the token alone. It goes to Genesys's own hosts, and not to the store that they redirect to. */
export const agentFiles = {
  isBehind: (link: string, record: GenesysRecord): boolean => isOwn(URL.parse(link), record),
  credential: async (at: URL, record: GenesysRecord, login: Login): Promise<Record<string, string>> => {
    if (!isOwn(at, record)) return {};
    const granted = await login();
    if ("outcome" in granted) throw new Error(granted.outcome.error);
    return { authorization: `Bearer ${granted.token}` };
  },
};

/** The login's host has no files, and is none that a token is for. */
function isOwn(at: URL | null, record: GenesysRecord): boolean {
  const [, ...own] = ownUrls(record);
  return at !== null && own.some((url) => new URL(url).origin === at.origin);
}
