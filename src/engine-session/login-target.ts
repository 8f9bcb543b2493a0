import { deskLoginOf, type DeskRecord } from "../desks/registry";
import type { Bounds } from "../egress/http";
import type { LoginFailure, Token } from "../egress/login";
import { requestToken, type LoginTarget } from "../engine/login";

/** Where a tenant is logged in, and as whom: at its engine, or at its desk. */
export type SessionTarget = LoginTarget | { desk: DeskRecord };

/** Where and as whom, to the letter: a token is good for nothing else. */
export function identityAt(target: SessionTarget): string[] {
  if ("desk" in target) return deskLoginOf(target.desk).identity;
  const { baseUrl, apiPath, username, password } = target;
  return [baseUrl, apiPath, username, password];
}

export const requestTokenAt = (target: SessionTarget, bounds: Bounds): Promise<Token | LoginFailure> =>
  "desk" in target ? deskLoginOf(target.desk).request(bounds) : requestToken(target, bounds);
