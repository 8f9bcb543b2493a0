import { equalSecrets, fromBase64, toBase64Url, utf8 } from "../crypto/bytes";
import { derive, type MasterKeys } from "../crypto/derive";
import type { Credentials } from "../model/answers";

/**
 * A desk's token and signing secret, derived from MASTER_KEY, the desk and a generation by HKDF-SHA-256 (RFC 5869):
 * nothing to store, and a rotation is a higher generation.
 */

/** How long the generation before stays good after a rotation. */
const OVERLAP_MS = 24 * 3600_000;

/** Which generation of a desk's credentials is in force, and since when (epoch ms). `isAlone`: the one before is revoked. */
export type Generation = { generation: number; rotatedAtMs: number; isAlone?: boolean };

export const FIRST_GENERATION: Generation = { generation: 1, rotatedAtMs: 0 };

async function tokenOf(masterKey: Uint8Array<ArrayBuffer>, deskId: string, generation: number): Promise<string> {
  const secret = await derive(masterKey, "desk-token", deskId, String(generation));
  return `desk_${toBase64Url(utf8(deskId))}.${toBase64Url(secret)}`;
}

async function signingSecretOf(
  masterKey: Uint8Array<ArrayBuffer>,
  deskId: string,
  generation: number,
): Promise<string> {
  return `whsec_${(await derive(masterKey, "signing-secret", deskId, String(generation))).toBase64()}`;
}

/** What the operator is shown: always of the key in force. */
export async function credentialsOf([masterKey]: MasterKeys, deskId: string, generation: number): Promise<Credentials> {
  return {
    token: await tokenOf(masterKey, deskId, generation),
    signingSecret: await signingSecretOf(masterKey, deskId, generation),
  };
}

/** The generations that are good now, the newest first. */
const good = ({ generation, rotatedAtMs, isAlone }: Generation, nowMs: number): number[] =>
  generation > 1 && !isAlone && nowMs < rotatedAtMs + OVERLAP_MS ? [generation, generation - 1] : [generation];

/**
 * The generations whose credentials are taken: the good ones, and the next. Nobody but the operator who rotated can hold
 * one of those, and a place where KV has not yet caught up with the rotation must not turn the desk away.
 */
const taken = (current: Generation, nowMs: number): number[] => [...good(current, nowMs), current.generation + 1];

/** What `make` gives for each of the keys and each of the generations. */
const forEach = (
  masterKeys: MasterKeys,
  generations: number[],
  make: (masterKey: Uint8Array<ArrayBuffer>, generation: number) => Promise<string>,
): Promise<string[]> =>
  Promise.all(masterKeys.flatMap((masterKey) => generations.map((generation) => make(masterKey, generation))));

/** `whsec_…` of each generation that is good now: all of them sign what goes out. */
export const signingSecrets = (masterKeys: MasterKeys, deskId: string, current: Generation, nowMs: number) =>
  forEach(masterKeys, good(current, nowMs), (key, generation) => signingSecretOf(key, deskId, generation));

/** `whsec_…` of each generation a request may be signed with. */
export const acceptedSecrets = (masterKeys: MasterKeys, deskId: string, current: Generation, nowMs: number) =>
  forEach(masterKeys, taken(current, nowMs), (key, generation) => signingSecretOf(key, deskId, generation));

/** The desk that a token claims to be of. Nothing is believed yet: see `isToken`. */
export function deskOfToken(token: string): string | undefined {
  const encoded = /^desk_([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+$/.exec(token)?.[1];
  const bytes = encoded === undefined ? undefined : fromBase64(encoded);
  return bytes && new TextDecoder().decode(bytes);
}

/** So many rotations may come within the minute that KV takes to show them. */
const LOOK_AHEAD = 2;

/**
 * Of which generation a token is, around the one that a place believes in which may be behind; undefined where it is of none.
 * That it is of one does not make it good: see `isTaken`.
 */
export async function generationOfToken(
  masterKeys: MasterKeys,
  token: string,
  deskId: string,
  { generation }: Generation,
): Promise<number | undefined> {
  const isOf = async (candidate: number) => {
    const expected = await forEach(masterKeys, [candidate], (key) => tokenOf(key, deskId, candidate));
    return expected.some((one) => equalSecrets(token, one));
  };
  // As a rule it is of this one.
  if (await isOf(generation)) return generation;
  const ahead = Array.from({ length: LOOK_AHEAD }, (_, n) => generation + 1 + n);
  const others = [...(generation > 1 ? [generation - 1] : []), ...ahead];
  const found = await Promise.all(others.map(isOf));
  return others[found.indexOf(true)];
}

export const isTaken = (generation: number, current: Generation, nowMs: number): boolean =>
  taken(current, nowMs).includes(generation);
