import { equalSecrets, toBase64Url, utf8 } from "./bytes";
import { derive, type MasterKeys } from "./derive";
import { hmacSha256 } from "./hmac";

/**
 * A text that others keep for the relay and cannot change. Behind its last dot stands its HMAC-SHA-256, in base64url, under
 * a key that is derived for `purpose`: the first of it says what the token is, and the rest whose it is.
 */
type Purpose = readonly string[];

async function macOf(masterKey: Uint8Array<ArrayBuffer>, purpose: Purpose, text: string): Promise<string> {
  const key = toBase64Url(await derive(masterKey, ...purpose));
  return toBase64Url(await hmacSha256(key, utf8(text)));
}

/** The token of a text, under the key in force. */
export const signToken = async ([masterKey]: MasterKeys, purpose: Purpose, text: string): Promise<string> =>
  `${text}.${await macOf(masterKey, purpose, text)}`;

/** The text of a token that was signed for this purpose under one of these keys; undefined for any other. */
export async function verifyToken(
  masterKeys: MasterKeys,
  purpose: Purpose,
  token: string,
): Promise<string | undefined> {
  const dot = token.lastIndexOf(".");
  const [text, mac] = [token.slice(0, Math.max(0, dot)), token.slice(dot + 1)];
  const macs = await Promise.all(masterKeys.map((masterKey) => macOf(masterKey, purpose, text)));
  return macs.some((one) => equalSecrets(mac, one)) ? text : undefined;
}
