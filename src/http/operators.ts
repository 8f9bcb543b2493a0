import type { MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { METHOD_NAME_ALL } from "hono/router";
import { operatorWith } from "../config";
import { AppError } from "../model/errors";
import { reaches, type Operator, type Role } from "../model/operator";
import { accessOperator } from "./access";
import { entryOf, outcomeOf, recordAct, recordFailure, recordLook, requireAudit } from "./audit-trail";
import { readBody } from "./body";
import { bearerOf, configOf, type AppContext, type AppEnv } from "./context";
import { withinRate } from "./rate";
import { sessionOf } from "./session-cookie";

/** Who operates the relay, how far each one's role goes, and what is written of it. */

/** The middleware that `allow` has made: what tells whether a route has said whom it is for. */
const declared = new WeakSet<object>();
export const isDeclared = (handler: object): boolean => declared.has(handler);

/**
 * What a route under /admin says right behind its path: from which role on it is open, and what an entry of the audit log
 * calls it, where there is one. With a method other than GET that is an act, else a look at what customers say or at a
 * credential. What more there is to say of it, the handler adds by `audit`.
 */
export function allow(role: Role, action?: string): MiddlewareHandler<AppEnv> {
  const guard: MiddlewareHandler<AppEnv> = async (c, next) => {
    const { operator } = c.var;
    if (!reaches(operator.role, role)) {
      await recordAct(c, entryOf(c, operator, action ?? "refused", "forbidden"));
      throw new AppError("forbidden", `This needs the role ${role}, and ${operator.name} has ${operator.role}.`);
    }
    if (action === undefined) return next();
    const isAct = c.req.method !== "GET" && c.req.method !== "HEAD";
    if (isAct) await requireAudit(c);
    c.set("told", {});
    await next();
    const { told } = c.var;
    if (told === undefined) return;
    const entry = entryOf(c, operator, action, outcomeOf(c.error), told);
    if (isAct) await recordAct(c, entry);
    else if (c.error === undefined) await recordLook(c, entry);
  };
  declared.add(guard);
  return guard;
}

/**
 * Lets nobody but an operator into what is behind it. The size of a body is judged first, as it is everywhere. A request
 * that no route takes goes on to its 404 or 405: those tell no more than the API's description does.
 */
export const operatorsOnly: MiddlewareHandler<AppEnv> = async (c, next) => {
  const routes = matchedRoutes(c).filter(({ method }) => method !== METHOD_NAME_ALL);
  if (routes.length > 0) {
    c.set("body", await readBody(c.req.raw));
    const operator = await authenticateOperator(c);
    c.set("operator", operator);
    if (!routes.some(({ handler }) => isDeclared(handler)))
      throw new AppError("internal", "The relay does not know whom this is for.", { detail: "a route without allow" });
  }
  await next();
};

/** By a token; by the cookie of a console session; or by what Cloudflare Access has put into the request. */
async function authenticateOperator(c: AppContext): Promise<Operator> {
  const operator = await operatorOf(c);
  if (operator) {
    await withinRate(c.env.CALLER_RATE, `operator ${operator.by} ${operator.name}`);
    return operator;
  }
  throw unauthorized();
}

async function operatorOf(c: AppContext): Promise<Operator | undefined> {
  // A header is the caller's own word, and goes before a cookie that a browser has added.
  if (c.req.header("authorization") !== undefined) {
    const found = operatorWith(configOf(c), bearerOf(c) ?? "");
    if (!found) recordFailure(c, "unauthorized");
    return found && { name: found.name, role: found.role, by: "token" };
  }
  // Who has signed in has chosen to, also where Access knows them.
  const session = await sessionOf(c);
  if (session) return { name: session.holder.name, role: session.holder.role, by: "session" };
  return accessOperator(c);
}

const unauthorized = () =>
  new AppError("unauthorized", "Send an operator's token, Authorization: Bearer <token>, or sign in at /console.", {
    headers: { "www-authenticate": "Bearer" },
  });
