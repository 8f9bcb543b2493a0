import { toBase64Url } from "../crypto/bytes";
import type { MasterKeys } from "../crypto/derive";
import { signToken, verifyToken } from "../crypto/signed-token";

/**
 * What the cookie of a session holds: its id and its end, signed. Nobody who has not signed in can name a session, and so
 * nobody makes an object by asking for one.
 */
export type Session = { id: string; expiresAtMs: number };

/** From signing in to signing out by itself. */
const SESSION_MS = 8 * 3600_000;
const ID_BYTES = 32;

/** Derived from the token too, so that a new ADMIN_TOKEN ends all sessions; as a new MASTER_KEY does, at once. */
const purposeOf = (adminToken: string) => ["console-session", adminToken];

export const newSession = (nowMs: number): Session => ({
  id: toBase64Url(crypto.getRandomValues(new Uint8Array(ID_BYTES))),
  expiresAtMs: nowMs + SESSION_MS,
});

export const writeSession = (
  masterKeys: MasterKeys,
  adminToken: string,
  { id, expiresAtMs }: Session,
): Promise<string> => signToken(masterKeys, purposeOf(adminToken), `${id}.${expiresAtMs}`);

/** The session that a cookie names, if it was signed under these keys and is not over by its own account. */
export async function readSession(
  [masterKey]: MasterKeys,
  adminToken: string,
  cookie: string,
  nowMs: number,
): Promise<Session | undefined> {
  const [, id = "", expires = ""] = /^([\w-]{43})\.(\d{1,15})\.[\w-]{43}$/.exec(cookie) ?? [];
  const session = { id, expiresAtMs: Number(expires) };
  if (session.expiresAtMs <= nowMs) return undefined;
  const text = await verifyToken([masterKey], purposeOf(adminToken), cookie);
  return text === undefined ? undefined : session;
}
