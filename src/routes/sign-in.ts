import * as z from "zod/mini";
import { operatorWith, type NamedToken } from "../config";
import { newSession, type Session } from "../console-session/cookie";
import { entryOf, recordAct, recordFailure, requireAudit } from "../http/audit-trail";
import { readBody } from "../http/body";
import type { SessionAnswer } from "../model/answers";
import { AppError } from "../model/errors";
import type { Operator } from "../model/operator";
import { isoTime } from "../model/timeline";
import { ask, configOf, jsonOf, type AppContext } from "../http/context";
import { withinRate } from "../http/rate";
import { Routes } from "../http/routes";
import { isOtherPage } from "../http/same-origin";
import { giveCookie, sessionObject, sessionOf, signed, takeCookie } from "../http/session-cookie";

/** An operator's sign-in to the console. The token is typed once; from then on the browser has a cookie it cannot read. */
export const session = new Routes();

export const signIn = z.strictObject({ token: z.string().check(z.maxLength(1024)) });

session
  .post("/", async (c) => {
    const body = await readBody(c.req.raw);
    if (isOtherPage(c)) throw new AppError("unauthorized", "Sign in on the relay's own page, at /console.");
    await withinRate(c.env.CALLER_RATE, `sign-in ${c.req.header("cf-connecting-ip") ?? ""}`);
    const given = signIn.safeParse(jsonOf(body));
    if (!given.success) {
      const message = 'must be {"token":"<an operator\'s token>"}';
      throw new AppError("invalid_request", `The body ${message}.`, { issues: [{ path: "token", message }] });
    }
    const holder = operatorWith(configOf(c), given.data.token);
    if (!holder) {
      recordFailure(c, "unauthorized");
      throw new AppError(
        "unauthorized",
        "That is no operator's token. ADMIN_TOKEN is one, and OPERATORS has the others.",
      );
    }
    await requireAudit(c);
    const begun = newSession(holder.name, Date.now());
    const value = await signed(c, holder, begun);
    await ask(() => sessionObject(c, begun).begin(begun.expiresAtMs));
    giveCookie(c, value, begun);
    await recordAct(c, entryOf(c, bySession(holder), "signed_in", "ok"));
    return showSession(c, begun);
  })
  .get("/", async (c) => showSession(c, (await requiredSession(c)).session))
  .delete("/", async (c) => {
    const { session: ended, holder } = await requiredSession(c);
    await ask(() => sessionObject(c, ended).end());
    takeCookie(c);
    await recordAct(c, entryOf(c, bySession(holder), "signed_out", "ok"));
    return c.json({ status: "success" });
  });

const bySession = ({ name, role }: NamedToken): Operator => ({ name, role, by: "session" });

async function requiredSession(c: AppContext): Promise<{ session: Session; holder: NamedToken }> {
  const found = await sessionOf(c);
  if (found) return found;
  throw new AppError("unauthorized", "Nobody is signed in here, or no longer. Sign in with an operator's token.");
}

function showSession(c: AppContext, { expiresAtMs }: Session): Response {
  c.header("cache-control", "no-store");
  return c.json<SessionAnswer>({ status: "success", expiresAt: isoTime(expiresAtMs) });
}
