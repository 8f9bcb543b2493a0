import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { objectOf, required } from "../config";
import { readSession, writeSession, type Session } from "../console-session/cookie";
import { ask, configOf, type AppContext } from "./context";
import { isSameOrigin } from "./same-origin";

const isSecure = (c: AppContext): boolean => new URL(c.req.url).protocol === "https:";

/** The prefix keeps a neighbouring subdomain from setting a cookie of this name (RFC 6265bis, 4.1.3.2); http knows no prefix. */
const nameIn = (c: AppContext): string => (isSecure(c) ? "__Host-relay_session" : "relay_session");

const attributes = (c: AppContext) => ({ path: "/", httpOnly: true, sameSite: "Strict", secure: isSecure(c) }) as const;

export const sessionObject = (c: AppContext, { id }: Pick<Session, "id">) =>
  objectOf(c.env.CONSOLE_SESSION, id, configOf(c));

/**
 * The session under whose cookie this request came, if it is open and the request is from the relay's own pages. The
 * signature is checked before the session's object is asked.
 */
export async function sessionOf(c: AppContext): Promise<Session | undefined> {
  const cookie = getCookie(c, nameIn(c));
  if (cookie === undefined || !isSameOrigin(c)) return undefined;
  const { masterKeys, adminToken } = configOf(c);
  const session = await readSession(required(masterKeys), required(adminToken), cookie, Date.now());
  return session && (await ask(() => sessionObject(c, session).isOpen())) ? session : undefined;
}

/** What the cookie of this session holds. */
export function signed(c: AppContext, session: Session): Promise<string> {
  const { masterKeys, adminToken } = configOf(c);
  return writeSession(required(masterKeys), required(adminToken), session);
}

export const giveCookie = (c: AppContext, value: string, { expiresAtMs }: Session): void =>
  setCookie(c, nameIn(c), value, { ...attributes(c), expires: new Date(expiresAtMs) });

export const takeCookie = (c: AppContext): void => void deleteCookie(c, nameIn(c), attributes(c));
