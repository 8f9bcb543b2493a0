import { equalSecrets, toBase64Url, utf8 } from "../crypto/bytes";
import { hmacSha256 } from "../crypto/hmac";
import { derive, type MasterKeys } from "../crypto/derive";

/**
 * What the cookie of a session holds: its id and its end, signed with HMAC-SHA-256. Nobody who has not signed in can name
 * a session, and so nobody makes an object by asking for one.
 */
export type Session = { id: string; expiresAtMs: number };

/** From signing in to signing out by itself. */
const SESSION_MS = 8 * 3600_000;
const ID_BYTES = 32;

/** Derived from the token too, so that a new ADMIN_TOKEN ends all sessions; as a new MASTER_KEY does, at once. */
const keyOf = async ([masterKey]: MasterKeys, adminToken: string): Promise<string> =>
  toBase64Url(await derive(masterKey, "console-session", adminToken));

const macOf = async (key: string, id: string, expiresAtMs: number): Promise<string> =>
  toBase64Url(await hmacSha256(key, utf8(`${id}.${expiresAtMs}`)));

export const newSession = (nowMs: number): Session => ({
  id: toBase64Url(crypto.getRandomValues(new Uint8Array(ID_BYTES))),
  expiresAtMs: nowMs + SESSION_MS,
});

export async function writeSession(
  masterKeys: MasterKeys,
  adminToken: string,
  { id, expiresAtMs }: Session,
): Promise<string> {
  return `${id}.${expiresAtMs}.${await macOf(await keyOf(masterKeys, adminToken), id, expiresAtMs)}`;
}

/** The session that a cookie names, if it was signed under these keys and is not over by its own account. */
export async function readSession(
  masterKeys: MasterKeys,
  adminToken: string,
  cookie: string,
  nowMs: number,
): Promise<Session | undefined> {
  const [, id = "", expires = "", mac = ""] = /^([\w-]{43})\.(\d{1,15})\.([\w-]{43})$/.exec(cookie) ?? [];
  const session = { id, expiresAtMs: Number(expires) };
  if (session.expiresAtMs <= nowMs) return undefined;
  const expected = await macOf(await keyOf(masterKeys, adminToken), id, session.expiresAtMs);
  return equalSecrets(mac, expected) ? session : undefined;
}
