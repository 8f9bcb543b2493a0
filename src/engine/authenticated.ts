import { utf8 } from "../crypto/bytes";
import type { Bounds } from "../egress/http";
import { withToken, type Login } from "../egress/login";
import type { Sent } from "../egress/outcome";
import type { EngineAuth } from "./engine-record";

/** What a request to the engine is given. */
export type EngineContext = Bounds & {
  /** Of an engine under `login`. */
  login: Login;
};

/** How engines, and what stands before them, say that a login has ended: 419 and 498 are no standard's. */
const LOGIN_ENDED = new Set([401, 403, 419, 498]);

const saysLoginEnded = (status: number) => LOGIN_ENDED.has(status) || (status >= 300 && status < 400);

/** Makes a request with the tenant's authentication. */
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
    case "login":
      return withToken(context.login, saysLoginEnded, (token) => attempt({ authorization: `Bearer ${token}` }));
  }
}
