import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { objectOf, operatorNamed, required, type NamedToken } from "../config";
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
 * The session under whose cookie this request came, and whose it is, if it is open and the request is from the relay's own
 * pages. The signature is checked before the session's object is asked.
 */
export async function sessionOf(c: AppContext): Promise<{ session: Session; holder: NamedToken } | undefined> {
  const cookie = getCookie(c, nameIn(c));
  if (cookie === undefined || !isSameOrigin(c)) return undefined;
  const config = configOf(c);
  const found = await readSession(
    required(config.masterKeys),
    (name) => operatorNamed(config, name),
    cookie,
    Date.now(),
  );
  return found && (await ask(() => sessionObject(c, found.session).isOpen())) ? found : undefined;
}

/** What the cookie of this session holds. */
export const signed = (c: AppContext, holder: NamedToken, session: Session): Promise<string> =>
  writeSession(required(configOf(c).masterKeys), holder, session);

export const giveCookie = (c: AppContext, value: string, { expiresAtMs }: Session): void =>
  setCookie(c, nameIn(c), value, { ...attributes(c), expires: new Date(expiresAtMs) });

export const takeCookie = (c: AppContext): void => void deleteCookie(c, nameIn(c), attributes(c));
