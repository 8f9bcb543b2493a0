import { utf8 } from "../../crypto/bytes";
import { send, type Bounds } from "../../egress/http";
import { judgeAnswer, unread, type Failure } from "../../egress/outcome";
import { jsonIn } from "../../lib/json";
import type { ZendeskRecord } from "./record";

/** The JSON of a 2xx (undefined when it is none), or what else came of a request. */
type Reply = { json: unknown; status: number } | { failure: Failure };

/** Lists are read, not only judged: a hundred messages of the longest text come to some 1.5 MB. */
const MOST_LIST_BYTES = 2 * 1024 * 1024;

export type Api = {
  get: (path: string, query?: Record<string, string>) => Promise<Reply>;
  post: (path: string, body: unknown) => Promise<Reply>;
};

/** Sunshine Conversations of one app, under HTTP Basic. Paths are relative to the app. */
export function sunshine({ baseUrl, appId, keyId, keySecret }: ZendeskRecord, bounds: Bounds): Api {
  const app = `${baseUrl}/v2/apps/${encodeURIComponent(appId)}`;
  const authorization = authorizationOf(keyId, keySecret);

  async function call(request: { method: "GET" | "POST"; path: string; body?: string }): Promise<Reply> {
    const { method, path, body } = request;
    const sent = await send({
      url: app + path,
      method,
      headers: { authorization, ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { body }),
      ...bounds,
      ...(method === "GET" ? { mostAnswerBytes: MOST_LIST_BYTES } : {}),
    });
    if ("outcome" in sent) return { failure: sent.outcome };
    const { answer } = sent;
    const outcome = judgeAnswer(answer, false);
    if (method === "GET" && answer.unreadable && outcome.kind === "delivered") return { failure: unread(answer) };
    return outcome.kind === "delivered" ? { json: jsonIn(answer.text), status: answer.status } : { failure: outcome };
  }

  return {
    get: (path, query = {}) => {
      const search = new URLSearchParams(query).toString();
      return call({ method: "GET", path: search === "" ? path : `${path}?${search}` });
    },
    post: (path, body) => call({ method: "POST", path, body: JSON.stringify(body) }),
  };
}

const authorizationOf = (keyId: string, keySecret: string) => `Basic ${utf8(`${keyId}:${keySecret}`).toBase64()}`;

const isOwn = (at: URL | null, { baseUrl }: ZendeskRecord): boolean => at?.origin === new URL(baseUrl).origin;

/** Private attachments open with the app's key alone. They are at the account's own host. */
export const privateFiles = {
  isBehind: (link: string, record: ZendeskRecord): boolean => isOwn(URL.parse(link), record),
  credential: (at: URL, record: ZendeskRecord): Record<string, string> =>
    isOwn(at, record) ? { authorization: authorizationOf(record.keyId, record.keySecret) } : {},
};
