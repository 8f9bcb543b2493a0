import { toBase64Url } from "../crypto/bytes";
import type { MasterKeys } from "../crypto/derive";
import { signToken, verifyToken } from "../crypto/signed-token";

/**
 * What the cookie of a session holds: its id, its end and whose it is, signed. Nobody who has not signed in can name a
 * session, and so nobody makes an object by asking for one.
 */
export type Session = { id: string; expiresAtMs: number; name: string };

/** Who has signed in, as the settings are now. */
export type Holder = { name: string; role: string; token: string };

/** From signing in to signing out by itself. */
const SESSION_MS = 8 * 3600_000;
const ID_BYTES = 32;

/** Derived from token and role too, so that a session is over when either is another; as with a new MASTER_KEY, at once. */
const purposeOf = ({ name, role, token }: Holder) => ["console-session", name, role, token];

export const newSession = (name: string, nowMs: number): Session => ({
  id: toBase64Url(crypto.getRandomValues(new Uint8Array(ID_BYTES))),
  expiresAtMs: nowMs + SESSION_MS,
  name,
});

export const writeSession = (masterKeys: MasterKeys, holder: Holder, session: Session): Promise<string> =>
  signToken(masterKeys, purposeOf(holder), `${session.id}.${session.expiresAtMs}.${session.name}`);

/** The session that a cookie names and whose it is, if it was signed for them as they are now and is not over by its own account. */
export async function readSession<H extends Holder>(
  [masterKey]: MasterKeys,
  holderOf: (name: string) => H | undefined,
  cookie: string,
  nowMs: number,
): Promise<{ session: Session; holder: H } | undefined> {
  const [, id = "", expires = "", name = ""] =
    /^([\w-]{43})\.(\d{1,15})\.([\w.-]{1,64})\.[\w-]{43}$/.exec(cookie) ?? [];
  const session = { id, expiresAtMs: Number(expires), name };
  if (session.expiresAtMs <= nowMs) return undefined;
  const holder = holderOf(name);
  if (!holder) return undefined;
  const text = await verifyToken([masterKey], purposeOf(holder), cookie);
  return text === undefined ? undefined : { session, holder };
}
