import * as z from "zod/mini";
import { jsonIn } from "../../lib/json";
import { decodeBody } from "../../http/body";
import { audit } from "../../http/audit-trail";
import { ask, configOf, directoryOf, type AppContext } from "../../http/context";
import { allow } from "../../http/operators";
import { invalidParameter, newestTenantIn, webhookUrlOf } from "../../http/parameters";
import { Routes } from "../../http/routes";
import type { ConnectionTestAnswer } from "../../model/answers";
import { inspectDesk, testDesk, testEngine } from "../../ticket/connection-test";

/** The buttons beside a tenant's record: whether the far ends it names do answer, and what. */
export const connectionTests = new Routes();

/** A desk that can be asked is sent a message only where the body says so: its agents would see it. */
const message = z.object({ send: z.literal(true) });

connectionTests
  .post("/:owner/test/desk", allow("operator", "desk_tested"), async (c) => {
    const tenant = await newestTenantIn(c);
    const { ENGINE_SESSION: engineSessions, TENANT_INDEX: indexes } = c.env;
    const deps = { config: configOf(c), directory: directoryOf(c), engineSessions, indexes };
    const webhookUrl = webhookUrlOf(c, tenant.desk.type, tenant.owner);
    const asked = jsonIn(decodeBody(c.var.body));
    const inspected = message.safeParse(asked).success
      ? undefined
      : await ask(() => inspectDesk(deps, tenant, webhookUrl));
    return show(c, inspected ?? (await ask(() => testDesk(deps, tenant))));
  })
  .post("/:owner/test/engine", allow("operator", "engine_tested"), async (c) => {
    const tenant = await newestTenantIn(c);
    const result = await ask(() => testEngine({ config: configOf(c) }, tenant));
    if (!result) {
      const { type } = tenant.dolphins.auth;
      throw invalidParameter("dolphins.auth.type", `is ${type}, so there is no login to try`);
    }
    return show(c, result);
  });

function show(c: AppContext, result: Omit<ConnectionTestAnswer, "status">): Response {
  const { outcome, attempt } = result;
  const status = attempt.status === undefined ? {} : { status: attempt.status };
  audit(c, { outcome, ms: attempt.ms, ...status });
  return c.json<ConnectionTestAnswer>({ status: "success", ...result });
}
