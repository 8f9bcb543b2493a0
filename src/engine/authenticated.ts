import { utf8 } from "../crypto/bytes";
import type { Bounds } from "../egress/http";
import type { Sent } from "../egress/outcome";
import type { EngineAuth } from "./engine-record";
import type { Granted } from "./login";

/** What a request to the engine is given. */
export type EngineContext = Bounds & {
  /**
   * The engine's token under `login`: the one at hand, or a fresh one when that is `stale` or has expired. The same one comes
   * back where it is too early for another login.
   */
  login: (stale?: string) => Promise<Granted>;
};

/** How engines, and what stands before them, say that a login has ended: 419 and 498 are no standard's. */
const LOGIN_ENDED = new Set([401, 403, 419, 498]);

const saysLoginEnded = (status: number) => LOGIN_ENDED.has(status) || (status >= 300 && status < 400);

/**
 * Makes a request with the tenant's authentication. Under `login` the token may be refused before its time. Then a fresh one
 * is asked for and the request is made once more, and what that gives counts.
 */
export async function authenticated(
  auth: EngineAuth,
  context: Pick<EngineContext, "login">,
  attempt: (headers: Record<string, string>) => Promise<Sent>,
): Promise<Sent> {
  switch (auth.type) {
    case "none":
      return attempt({});
    case "bearer":
      return attempt({ authorization: `Bearer ${auth.token}` });
    case "basic":
      return attempt({ authorization: `Basic ${utf8(`${auth.username}:${auth.password}`).toBase64()}` });
    case "header":
      return attempt({ [auth.name]: auth.value });
    case "login": {
      const first = await context.login();
      if ("outcome" in first) return first;
      const sent = await attempt({ authorization: `Bearer ${first.token}` });
      if ("outcome" in sent || !saysLoginEnded(sent.answer.status)) return sent;
      const second = await context.login(first.token);
      if ("outcome" in second) return second;
      return second.token === first.token ? sent : attempt({ authorization: `Bearer ${second.token}` });
    }
  }
}
