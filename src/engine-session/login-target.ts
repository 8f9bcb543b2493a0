import type { Config } from "../config";
import { deskLoginOf, type DeskRecord } from "../desks/registry";
import type { Bounds } from "../egress/http";
import type { LoginFailure, Token } from "../egress/login";
import { requestToken, type LoginTarget } from "../engine/login";
import { deskSecrets, deskUrls, reachesTo } from "../tenants/far-ends";

/** Where a tenant is logged in, and as whom: at its engine, or at its desk. */
export type SessionTarget = LoginTarget | { desk: DeskRecord };

/** Where and as whom, to the letter: a token is good for nothing else. */
export function identityAt(target: SessionTarget): string[] {
  const { reach } = "desk" in target ? target.desk : target;
  const through = reach === undefined ? [] : [reach];
  if ("desk" in target) return [...deskLoginOf(target.desk).identity, ...through];
  const { baseUrl, apiPath, username, password } = target;
  return [baseUrl, apiPath, username, password, ...through];
}

export function requestTokenAt(
  target: SessionTarget,
  bounds: Pick<Bounds, "timeoutMs" | "allowInsecureTargets">,
  bindings: Config["bindings"],
): Promise<Token | LoginFailure> {
  if ("desk" in target) {
    const { desk } = target;
    const reaches = reachesTo(deskUrls(desk), desk.reach, bindings);
    return deskLoginOf(desk).request({ ...bounds, reaches, secrets: deskSecrets(desk) });
  }
  const reaches = reachesTo([target.baseUrl], target.reach, bindings);
  return requestToken(target, { ...bounds, reaches, secrets: [target.password] });
}
