import { objectOf, type Config } from "../config";
import type { NoteContext } from "../desks/desk";
import type { Granted, Login, Token } from "../egress/login";
import type { EngineContext } from "../engine/authenticated";
import type { LoginTarget } from "../engine/login";
import { BoundedMap } from "../lib/bounded-map";
import { boundsOf } from "../tenants/far-ends";
import { sessionNames } from "../tenants/session-names";
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
      return tokenFor(sessions, sessionNames(owner).engine, config, request, stale);
    },
  };
}

/** The same of its desk, where a request may take less time than the tenant allows an attempt. */
export function deskContext(
  tenant: Tenant,
  config: Config,
  sessions: Sessions,
  mostMs = Number.POSITIVE_INFINITY,
): NoteContext {
  const { owner, desk, language, delivery } = tenant;
  const bounds = boundsOf(tenant, config, Math.min(delivery.timeoutMs, mostMs));
  const { timeoutMs, allowInsecureTargets } = bounds;
  const request = { owner, target: { desk }, bounds: { timeoutMs, allowInsecureTargets } };
  const login: Login = (stale) => tokenFor(sessions, sessionNames(owner).desk, config, request, stale);
  return { ...bounds, language, login };
}

async function tokenFor(
  sessions: Sessions,
  name: string,
  config: Config,
  request: LoginRequest,
  stale: string | undefined,
): Promise<Granted> {
  // Changed credentials or another server must not meet the old token.
  const target = JSON.stringify(request.target);
  const held = known.get(name);
  if (held?.target === target && held.token.token !== stale && held.token.expiresAtMs > Date.now()) return held.token;
  const login = await objectOf(sessions, name, config).token(request, stale);
  if ("outcome" in login) known.delete(name);
  else known.set(name, { target, token: login });
  return login;
}
