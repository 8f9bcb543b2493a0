import { randomUUID } from "node:crypto";
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from "jose";
import { startFarEnd } from "./far-end.ts";

/**
 * A team of Cloudflare Access: it gives its public keys, and signs the token that it would put into a request. Written from
 * Cloudflare's documentation of Access, "Application token" for the claims and "Validate JWTs" for the keys: RS256, the keys
 * of now and before under /cdn-cgi/access/certs, `email` of a person and `common_name` of a service token.
 */
export type FakeAccess = {
  /** What ACCESS_TEAM_DOMAIN is set to. */
  url: string;
  audience: string;
  /** The token of a person whom Access has let through. */
  tokenOf: (email: string, instead?: Instead) => Promise<string>;
  /** That of a program with a service token. */
  serviceToken: (instead?: Instead) => Promise<string>;
  /** Signs with a new key from now on. The one before stays among those it gives. */
  rotate: () => Promise<void>;
  /** How often the keys were asked for. */
  reads: () => number;
  /** Gives no keys from now on, or gives them again. */
  fail: (isAway: boolean) => void;
  close: () => Promise<void>;
};

/** In place of a claim; null leaves it out. */
type Instead = Record<string, unknown>;
type Pair = { kid: string; jwk: JWK; privateKey: CryptoKey };

const LASTS_SECONDS = 3600;

export async function startFakeAccess(): Promise<FakeAccess> {
  const audience = randomUUID().replaceAll("-", "").repeat(2);
  const farEnd = await startFarEnd();
  let pairs = [await newPair()];
  let isAway = false;
  farEnd.answerWith(({ path }) => {
    if (isAway) return { status: 503, body: "error code: 1105" };
    if (path !== "/cdn-cgi/access/certs") return { status: 404, body: "" };
    return { status: 200, body: JSON.stringify({ keys: pairs.map(({ jwk }) => jwk) }) };
  });

  const sign = async (claims: Instead): Promise<string> => {
    const [{ kid, privateKey }] = pairs as [Pair];
    const nowSeconds = Math.floor(Date.now() / 1000);
    const payload = {
      aud: [audience],
      iss: farEnd.url,
      iat: nowSeconds,
      nbf: nowSeconds,
      exp: nowSeconds + LASTS_SECONDS,
      type: "app",
      ...claims,
    };
    const given = Object.fromEntries(Object.entries(payload).filter(([, value]) => value !== null));
    return new SignJWT(given).setProtectedHeader({ alg: "RS256", kid, typ: "JWT" }).sign(privateKey);
  };
  return {
    url: farEnd.url,
    audience,
    tokenOf: (email, instead = {}) =>
      sign({ email, identity_nonce: "6ei69kawdKzMIAPF", sub: randomUUID(), country: "ID", ...instead }),
    serviceToken: (instead = {}) => sign({ common_name: `${randomUUID()}.access`, sub: "", ...instead }),
    rotate: async () => {
      pairs = [await newPair(), ...pairs].slice(0, 2);
    },
    reads: () => farEnd.received.length,
    fail: (away) => {
      isAway = away;
    },
    close: farEnd.close,
  };
}

async function newPair(): Promise<Pair> {
  const { publicKey, privateKey } = await generateKeyPair("RS256");
  const kid = randomUUID();
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: "RS256", use: "sig" } };
}
