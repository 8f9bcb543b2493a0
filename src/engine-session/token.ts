import { objectOf, type Config } from "../config";
import type { EngineContext } from "../engine/authenticated";
import type { Granted, LoginTarget, Token } from "../engine/login";
import { BoundedMap } from "../lib/bounded-map";
import { boundsOf } from "../tenants/far-ends";
import type { Tenant } from "../tenants/tenant-record";
import type { EngineSession, LoginRequest } from "./engine-session";

type Sessions = DurableObjectNamespace<EngineSession>;

const CACHE_ENTRIES = 2000;

/**
 * The tokens this isolate has been given, so that an ordinary delivery asks nobody. Values alone and no promise: the
 * tickets of an isolate are objects of their own, and one may not wait for what another has begun.
 */
const known = new BoundedMap<string, { target: string; token: Token }>(CACHE_ENTRIES);

/** What a request to the tenant's engine is bound by. The tenant's secrets are open. */
export function engineContext(tenant: Tenant, config: Config, sessions: Sessions): EngineContext {
  const { owner, dolphins, timeZone } = tenant;
  const { baseUrl, apiPath, reach, auth } = dolphins;
  const bounds = boundsOf(tenant, config);
  const { timeoutMs, allowInsecureTargets } = bounds;
  return {
    ...bounds,
    login: async (stale): Promise<Granted> => {
      if (auth.type !== "login") throw new Error("this tenant's engine takes no login");
      const { username, password } = auth;
      const target: LoginTarget = { baseUrl, apiPath, reach, username, password, timeZone };
      const request = { owner, target, bounds: { timeoutMs, allowInsecureTargets } };
      return tokenFor(objectOf(sessions, owner, config), request, stale);
    },
  };
}

async function tokenFor(
  session: DurableObjectStub<EngineSession>,
  request: LoginRequest,
  stale: string | undefined,
): Promise<Granted> {
  const { owner } = request;
  // Changed credentials or another server must not meet the old token.
  const target = JSON.stringify(request.target);
  const held = known.get(owner);
  if (held?.target === target && held.token.token !== stale && held.token.expiresAtMs > Date.now()) return held.token;
  const login = await session.token(request, stale);
  if ("outcome" in login) known.delete(owner);
  else known.set(owner, { target, token: login });
  return login;
}
