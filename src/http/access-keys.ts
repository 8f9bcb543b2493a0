import { createLocalJWKSet } from "jose/jwks/local";
import type { JWTVerifyGetKey } from "jose/jwt/verify";
import { send } from "../egress/http";
import { isRecent } from "../lib/clock";
import { jsonIn } from "../lib/json";
import { errorText, log } from "../lib/log";
import { AppError } from "../model/errors";

/** The public keys of a team of Cloudflare Access, kept by this isolate. */

const PATH = "/cdn-cgi/access/certs";
/** Access signs with a new key every six weeks, and one that has leaked is withdrawn by hand. */
const FRESH_MS = 3600_000;
/** While Access does not give them, those that are known have to do. */
const LONGEST_MS = 24 * 3600_000;
/** A token that names a key nobody knows has them read again, and at most so often: anyone can make such tokens. */
const REREAD_MS = 60_000;
/** After a failure. */
const PAUSE_MS = 5_000;
const TIMEOUT_MS = 5_000;

type Keys = { get: JWTVerifyGetKey; readAtMs: number };

/** By the team's origin. */
const known = new Map<string, Keys>();
const failedAtMs = new Map<string, number>();

/** Finds the key that a token names. Throws what jose throws where there is none, and `unavailable` where that is not known. */
export const keyGetter =
  (origin: string, allowInsecureTargets: boolean): JWTVerifyGetKey =>
  async (header, token) => {
    const keys = await keysOf(origin, allowInsecureTargets);
    try {
      return await keys.get(header, token);
    } catch (error) {
      const isUnknown = (error as { code?: string }).code === "ERR_JWKS_NO_MATCHING_KEY";
      if (!isUnknown || isRecent(keys.readAtMs, Date.now(), REREAD_MS)) throw error;
    }
    return (await readKeys(origin, allowInsecureTargets)).get(header, token);
  };

async function keysOf(origin: string, allowInsecureTargets: boolean): Promise<Keys> {
  const kept = known.get(origin);
  if (kept && isRecent(kept.readAtMs, Date.now(), FRESH_MS)) return kept;
  try {
    return await readKeys(origin, allowInsecureTargets);
  } catch (error) {
    if (kept && isRecent(kept.readAtMs, Date.now(), LONGEST_MS)) return kept;
    throw error;
  }
}

async function readKeys(origin: string, allowInsecureTargets: boolean): Promise<Keys> {
  if (isRecent(failedAtMs.get(origin) ?? 0, Date.now(), PAUSE_MS)) throw noKeys();
  const url = origin + PATH;
  const network = { allowInsecureTargets, reaches: [], secrets: [] };
  const sent = await send({ url, method: "GET", headers: {}, timeoutMs: TIMEOUT_MS, ...network });
  try {
    if (!("answer" in sent)) throw new Error(sent.outcome.error);
    const { status, text } = sent.answer;
    if (status !== 200) throw new Error(`HTTP ${status}`);
    // What it takes is checked by what takes it.
    const get = createLocalJWKSet(jsonIn(text) as Parameters<typeof createLocalJWKSet>[0]);
    const keys = { get, readAtMs: Date.now() };
    known.set(origin, keys);
    return keys;
  } catch (error) {
    failedAtMs.set(origin, Date.now());
    log("access_keys_failed", { error: errorText(error) });
    throw noKeys();
  }
}

const noKeys = () =>
  new AppError(
    "unavailable",
    "Cloudflare Access does not give its keys just now, so nobody can be let in by it. Try again.",
    {
      detail: "the keys of ACCESS_TEAM_DOMAIN could not be read",
      headers: { "retry-after": "5" },
    },
  );
