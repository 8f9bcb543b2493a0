import { AppError } from "../model/errors";
import type { AppContext } from "./context";
import { isTooOften } from "./rate";

/** The `period` of FAILURE_RATE in wrangler.toml. */
const PERIOD_SECONDS = 60;

/**
 * Counts a wrong credential for the address it came from, and gives the refusal that it gets. Nothing but failures is
 * counted, and only after they were judged. So the other callers of a bank, whose credentials hold, go on from the same
 * address, and no event of theirs is lost. Past the limit every wrong credential gets the same answer, whatever is wrong with
 * it.
 */
export async function countGuess(c: AppContext, refusal: AppError): Promise<AppError> {
  const address = c.req.header("cf-connecting-ip");
  // What came over no network, from a Worker or a test, has no address.
  if (refusal.code !== "unauthorized" || address === undefined || !isGuess(c)) return refusal;
  if (!(await isTooOften(c.env.FAILURE_RATE, networkOf(address)))) return refusal;
  return new AppError(
    "rate_limited",
    "Too many wrong credentials came from this address. Check yours, and wait as Retry-After says.",
    { headers: { "retry-after": String(PERIOD_SECONDS) } },
  );
}

/** The console asks whether somebody is signed in before anybody is: that names no credential. */
const isGuess = ({ req }: AppContext): boolean =>
  req.method !== "GET" ||
  ["authorization", "cookie", "cf-access-jwt-assertion"].some((name) => req.header(name) !== undefined);

const GROUPS = 8;
const GROUPS_OF_NETWORK = 4;

/** Whoever has one IPv6 address has all of its /64. */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const [before = [], behind] = address.split("::").map((part) => (part === "" ? [] : part.split(":")));
  const left = behind ? Math.max(0, GROUPS - before.length - behind.length) : 0;
  return [...before, ...Array<string>(left).fill("0"), ...(behind ?? [])].slice(0, GROUPS_OF_NETWORK).join(":");
}
