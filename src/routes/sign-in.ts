import * as z from "zod/mini";
import { required } from "../config";
import { newSession, type Session } from "../console-session/cookie";
import { readBody } from "../http/body";
import { equalSecrets } from "../crypto/bytes";
import type { SessionAnswer } from "../model/answers";
import { AppError } from "../model/errors";
import { log } from "../lib/log";
import { isoTime } from "../model/timeline";
import { ask, configOf, jsonOf, type AppContext } from "../http/context";
import { withinRate } from "../http/rate";
import { Routes } from "../http/routes";
import { isOtherPage } from "../http/same-origin";
import { giveCookie, sessionObject, sessionOf, signed, takeCookie } from "../http/session-cookie";

/** The operator's sign-in to the console. The token is typed once; from then on the browser has a cookie it cannot read. */
export const session = new Routes();

export const signIn = z.strictObject({ token: z.string().check(z.maxLength(1024)) });

session
  .post("/", async (c) => {
    const body = await readBody(c.req.raw);
    if (isOtherPage(c)) throw new AppError("unauthorized", "Sign in on the relay's own page, at /console.");
    await withinRate(c.env.CALLER_RATE, `sign-in ${c.req.header("cf-connecting-ip") ?? ""}`);
    const given = signIn.safeParse(jsonOf(body));
    if (!given.success) {
      const message = 'must be {"token":"<ADMIN_TOKEN>"}';
      throw new AppError("invalid_request", `The body ${message}.`, { issues: [{ path: "token", message }] });
    }
    if (!equalSecrets(given.data.token, required(configOf(c).adminToken)))
      throw new AppError("unauthorized", "That is not the operator's token. It is what ADMIN_TOKEN is set to.");
    const begun = newSession(Date.now());
    const value = await signed(c, begun);
    await ask(() => sessionObject(c, begun).begin(begun.expiresAtMs));
    giveCookie(c, value, begun);
    log("signed_in", { requestId: c.var.requestId });
    return showSession(c, begun);
  })
  .get("/", async (c) => showSession(c, await requiredSession(c)))
  .delete("/", async (c) => {
    const ended = await requiredSession(c);
    await ask(() => sessionObject(c, ended).end());
    takeCookie(c);
    log("signed_out", { requestId: c.var.requestId });
    return c.json({ status: "success" });
  });

async function requiredSession(c: AppContext): Promise<Session> {
  const found = await sessionOf(c);
  if (found) return found;
  throw new AppError("unauthorized", "Nobody is signed in here, or no longer. Sign in with the operator's token.");
}

function showSession(c: AppContext, { expiresAtMs }: Session): Response {
  c.header("cache-control", "no-store");
  return c.json<SessionAnswer>({ status: "success", expiresAt: isoTime(expiresAtMs) });
}
