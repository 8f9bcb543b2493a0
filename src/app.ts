import { Hono } from "hono";
import { RegExpRouter } from "hono/router/reg-exp-router";
import { AppError } from "./lib/errors";
import { errorText, log } from "./lib/log";
import { admin } from "./routes/admin";
import { methodNotAllowed, type AppContext, type AppEnv } from "./routes/context";
import { desk } from "./routes/desk";
import { dolphins } from "./routes/dolphins";
import { contacts } from "./routes/services";
import { session } from "./routes/session";
import { tickets } from "./routes/tickets";
import { webhooks } from "./routes/webhooks";

/** The HTTP side of the relay: which path leads where, and the one way an error leaves. */
export const app = new Hono<AppEnv>({ router: new RegExpRouter() });

app.use(async (c, next) => {
  c.set("requestId", crypto.randomUUID());
  c.set("receivedAtMs", Date.now());
  await next();
  c.header("x-request-id", c.var.requestId);
});

app.get("/healthz", (c) => c.json({ status: "success" })).all("/healthz", methodNotAllowed("GET"));
app.route("/v1/dolphins", dolphins);
app.route("/v1/contacts", contacts);
app.route("/v1/tickets", tickets);
app.route("/v1/desks", webhooks);
app.route("/v1", desk);
app.route("/admin", admin);
app.route("/console/session", session);

app.notFound((c) => answer(c, new AppError("not_found", "There is no such path. The README lists those there are.")));
app.onError((error, c) => answer(c, error));

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
