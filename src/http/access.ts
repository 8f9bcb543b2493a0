import { jwtVerify } from "jose/jwt/verify";
import { required, type Access } from "../config";
import { errorText } from "../lib/log";
import { AppError } from "../model/errors";
import { roleOf, type Operator } from "../model/operator";
import { keyGetter } from "./access-keys";
import { recordFailure } from "./audit-trail";
import { configOf, type AppContext } from "./context";
import { isSameOrigin } from "./same-origin";

/**
 * Operators whom Cloudflare Access has let through. It puts a token into every request; that is believed by its signature
 * alone, since a request that came past Access may carry the header as well.
 */

const HEADER = "cf-access-jwt-assertion";
/** Of the clocks of Access and of this machine. */
const CLOCKS_APART_SECONDS = 30;

/** Whom Access has let through, with the role that ACCESS_ROLES gives; undefined where Access has nothing to do with it. */
export async function accessOperator(c: AppContext): Promise<Operator | undefined> {
  const token = c.req.header(HEADER);
  if (token === undefined) return undefined;
  const access = required(configOf(c).access);
  // A browser shows Access its cookie also in a request that another site has made it send.
  if (!access || !isSameOrigin(c)) return undefined;
  const { email, common_name: serviceToken } = await claimsOf(c, access, token);
  const role = email === undefined ? undefined : roleOf(access.rules, email);
  if (email !== undefined && role) return { name: email.toLowerCase(), role, by: "access" };
  recordFailure(c, "forbidden", email ?? serviceToken);
  throw new AppError(
    "forbidden",
    email === undefined
      ? "A service token of Cloudflare Access is no operator. Send an operator's token beside it, Authorization: Bearer <token>."
      : `Cloudflare Access knows you as ${email}, but ACCESS_ROLES gives that address no role. Ask the relay's admin for one.`,
  );
}

/** `email` of a person; `common_name` of a service token, which has no e-mail. */
type Claims = { email?: string; common_name?: string };

/** What a token of Access says. Throws `unauthorized`, with the reason for the log alone. */
async function claimsOf(c: AppContext, { origin, audiences }: Access, token: string): Promise<Claims> {
  try {
    const { payload } = await jwtVerify<Claims>(token, keyGetter(origin, configOf(c).allowInsecureTargets), {
      algorithms: ["RS256"],
      issuer: origin,
      audience: audiences,
      requiredClaims: ["exp"],
      clockTolerance: CLOCKS_APART_SECONDS,
      currentDate: new Date(),
    });
    return { ...textOf(payload, "email"), ...textOf(payload, "common_name") };
  } catch (error) {
    if (error instanceof AppError) throw error;
    recordFailure(c, "unauthorized");
    const message = "The token of Cloudflare Access does not hold. Open the page again, to be let in anew.";
    throw new AppError("unauthorized", message, { detail: `Access: ${errorText(error)}` });
  }
}

function textOf(payload: Claims, name: keyof Claims): Claims {
  const value = payload[name];
  return typeof value === "string" && value !== "" ? { [name]: value } : {};
}
