import { BoundedMap } from "../lib/bounded-map";
import { isWaiting } from "../lib/clock";
import { errorText, log } from "../lib/log";
import { AppError } from "../model/errors";

/** The limiters' `period` in wrangler.toml. */
const PERIOD_SECONDS = 10;
/** Requests that one question to a limiter stands for: its `limit` in wrangler.toml counts these. */
const REQUESTS_PER_QUESTION = 50;
/** How long one refusal stands before the limiter is asked again. */
const REFUSAL_MS = 1_000;
const CREDENTIALS = 5_000;

/** What this isolate has seen of each credential since it last asked. */
const seen = new BoundedMap<string, { requests: number; refusedUntilMs: number }>(CREDENTIALS);

/** Throws `rate_limited` when this credential has called too often: see wrangler.toml for how often that is. */
export async function withinRate(limiter: RateLimit, credential: string): Promise<void> {
  const known = seen.get(credential) ?? { requests: 0, refusedUntilMs: 0 };
  if (known.requests === 0) seen.set(credential, known);
  if (++known.requests >= REQUESTS_PER_QUESTION) {
    known.requests = 0;
    if (await isTooOften(limiter, credential)) known.refusedUntilMs = Date.now() + REFUSAL_MS;
  }
  if (!isWaiting(known.refusedUntilMs, Date.now(), REFUSAL_MS)) return;
  throw new AppError("rate_limited", "Too many requests with this credential. Wait as Retry-After says, then go on.", {
    headers: { "retry-after": String(PERIOD_SECONDS) },
  });
}

/** The limiter is a guard against abuse: when it fails, everybody passes. */
export async function isTooOften(limiter: RateLimit, credential: string): Promise<boolean> {
  try {
    return !(await limiter.limit({ key: credential })).success;
  } catch (error) {
    log("rate_limiter_failed", { error: errorText(error) });
    return false;
  }
}
