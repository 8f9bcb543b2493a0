import { METHOD_NAME_ALL } from "hono/router";
import { AppError } from "./model/errors";
import { errorText, log } from "./lib/log";
import { admin } from "./routes/admin/admin";
import type { AppContext } from "./http/context";
import { ENGINE_PATH, enginePath, logUnknownEnginePath, MISTYPED_PATH } from "./http/engine-path";
import { countGuess } from "./http/guesses";
import { isSecure, refusePlainHttp } from "./http/plain-http";
import { Routes } from "./http/routes";
import { desk } from "./routes/desk-events";
import { frontDoor } from "./routes/front-door";
import { dolphins } from "./routes/engine-events";
import { contacts } from "./routes/customer-lookup";
import { media } from "./routes/media";
import { session } from "./routes/sign-in";
import { tickets } from "./routes/desk-tickets";
import { DirectoryFailure } from "./tenants/directory";
import { webhooks } from "./routes/desk-webhooks";

/** The HTTP side of the relay: which path leads where, and the one way an error leaves. */

/**
 * Nearly all requests are the engine's, so they have a router of their own: it is faster because it knows few paths. It is
 * only a short cut. A path that is spelt in another way (`%64olphins`) goes to the router that knows all paths.
 */
const engine = edge({ getPath: enginePath }).route("/v1/dolphins", dolphins);

const all = edge().route("/v1/dolphins", dolphins);
all.route("/", frontDoor);
all.get("/healthz", (c) => c.json({ status: "success" }));
all.route("/v1/contacts", contacts);
all.route("/v1/tickets", tickets);
all.route("/v1/desks", webhooks);
all.route("/v1/media", media);
all.route("/v1", desk);
all.route("/admin", admin);
all.route("/console/session", session);

export const app = {
  fetch: (request: Request, env: Env, ctx: ExecutionContext) =>
    (ENGINE_PATH.test(request.url) ? engine : all).fetch(request, env, ctx),
};

/** Every route there is: the API's description is compared with them. */
export const { routes } = all;

/** What a browser that has once been here by https goes by: as for the console's files. */
const ONE_YEAR = "max-age=31536000";

/** What all paths have in common: an id for each request, answers that nobody keeps, and errors. */
function edge(options: { getPath?: (request: Request) => string } = {}): Routes {
  const hono = new Routes(options);
  hono.use((c, next) => {
    const requestId = crypto.randomUUID();
    c.set("requestId", requestId);
    c.set("receivedAtMs", Date.now());
    // A header that is set on a finished answer makes Hono build the answer a second time, so these are set before.
    c.header("x-request-id", requestId);
    c.header("cache-control", "no-store");
    c.header("x-content-type-options", "nosniff");
    if (isSecure(c)) c.header("strict-transport-security", ONE_YEAR);
    else refusePlainHttp(c);
    return next();
  });
  hono.notFound((c) => {
    const allow = methodsAt(hono, c.req.path).join(", ");
    if (allow !== "") {
      const message = `This path takes ${allow} only.`;
      return answer(c, new AppError("method_not_allowed", message, { headers: { allow } }));
    }
    if (MISTYPED_PATH.test(c.req.path)) logUnknownEnginePath(c);
    return answer(
      c,
      new AppError("not_found", "There is no such path. The API reference at /docs lists those there are."),
    );
  });
  hono.onError((error, c) => answer(c, error));
  return hono;
}

/** The methods by which a path can be asked for. A middleware is no route, and HEAD is answered wherever GET is. */
function methodsAt({ routes: known, router }: Routes, path: string): string[] {
  const methods = new Set(known.map(({ method }) => method).filter((method) => method !== METHOD_NAME_ALL));
  return [...methods]
    .filter((method) => router.match(method, path)[0].some(([[, route]]) => route.method === method))
    .flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : method));
}

async function answer(c: AppContext, error: unknown): Promise<Response> {
  const refusal = await countGuess(c, refusalOf(error));
  log("refused", {
    requestId: c.var.requestId,
    method: c.req.method,
    actor: c.get("operator")?.name,
    ...c.get("about"),
    status: refusal.status,
    code: refusal.code,
    detail: refusal.detail,
    ms: Date.now() - c.var.receivedAtMs,
  });
  return c.json(refusal.toBody(), refusal.status, refusal.headers);
}

function refusalOf(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof DirectoryFailure) return AppError.unavailable(error.message);
  return new AppError("internal", "Something went wrong in the relay, and nothing was stored. Send it again.", {
    detail: errorText(error),
  });
}
