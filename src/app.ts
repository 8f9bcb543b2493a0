import { Hono } from "hono";
import { RegExpRouter } from "hono/router/reg-exp-router";
import { AppError } from "./model/errors";
import { errorText, log } from "./lib/log";
import { admin } from "./routes/admin/admin";
import { methodNotAllowed, type AppContext, type AppEnv } from "./http/context";
import { ENGINE_PATH, enginePath, logUnknownEnginePath } from "./http/engine-path";
import { desk } from "./routes/desk-events";
import { frontDoor } from "./routes/front-door";
import { dolphins } from "./routes/engine-events";
import { contacts } from "./routes/customer-lookup";
import { session } from "./routes/sign-in";
import { tickets } from "./routes/tickets";
import { webhooks } from "./routes/desk-webhooks";

/** The HTTP side of the relay: which path leads where, and the one way an error leaves. */

/**
 * What the engine posts has a router of its own: it is nearly all there is, and a router that knows few paths is faster
 * than one that knows all. A short cut and no more: a path that is spelt in another way (`%64olphins`) is in the other.
 */
const engine = edge({ getPath: enginePath }).route("/v1/dolphins", dolphins);
engine.notFound((c) => {
  logUnknownEnginePath(c);
  return notFound(c);
});

const all = edge().route("/v1/dolphins", dolphins);
all.route("/", frontDoor);
all.get("/healthz", (c) => c.json({ status: "success" })).all("/healthz", methodNotAllowed("GET"));
all.route("/v1/contacts", contacts);
all.route("/v1/tickets", tickets);
all.route("/v1/desks", webhooks);
all.route("/v1", desk);
all.route("/admin", admin);
all.route("/console/session", session);

export const app = {
  fetch: (request: Request, env: Env, ctx: ExecutionContext) =>
    (ENGINE_PATH.test(request.url) ? engine : all).fetch(request, env, ctx),
};

/** What all paths have in common: an id for each request, and errors. */
function edge(options: { getPath?: (request: Request) => string } = {}): Hono<AppEnv> {
  const hono = new Hono<AppEnv>({ router: new RegExpRouter(), ...options });
  hono.use((c, next) => {
    const requestId = crypto.randomUUID();
    c.set("requestId", requestId);
    c.set("receivedAtMs", Date.now());
    // Before there is an answer: to put it into one later is to make that a second time.
    c.header("x-request-id", requestId);
    return next();
  });
  hono.notFound(notFound);
  hono.onError((error, c) => answer(c, error));
  return hono;
}

function notFound(c: AppContext): Response {
  return answer(c, new AppError("not_found", "There is no such path. GET /docs lists those there are."));
}

function answer(c: AppContext, error: unknown): Response {
  const refusal =
    error instanceof AppError
      ? error
      : new AppError("internal", "Something went wrong in the relay, and nothing was stored. Send it again.", {
          detail: errorText(error),
        });
  log("refused", {
    requestId: c.var.requestId,
    method: c.req.method,
    ...c.get("about"),
    status: refusal.status,
    code: refusal.code,
    detail: refusal.detail,
    ms: Date.now() - c.var.receivedAtMs,
  });
  return c.json(refusal.toBody(), refusal.status, refusal.headers);
}
