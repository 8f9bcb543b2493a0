import { Hono } from "hono";
import { testDesk, testEngine, type ConnectionTest } from "../../ticket/connection-test";
import { ask } from "../../http/accept-event";
import { authenticateOperator } from "../../http/auth";
import { configOf, directoryOf, methodNotAllowed, type AppContext, type AppEnv } from "../../http/context";
import { audit, invalidParameter, ownerIn, unknownOwner } from "../../http/parameters";

/** The buttons beside a tenant's record: whether the far ends it names do answer, and what. */
export const probes = new Hono<AppEnv>();

probes
  .post("/:owner/test/desk", async (c) => {
    await authenticateOperator(c);
    const tenant = await newestTenant(c);
    const directory = directoryOf(c);
    const deps = { config: configOf(c), directory, engineSessions: c.env.ENGINE_SESSION };
    return show(c, "desk_tested", tenant.owner, await ask(() => testDesk(deps, tenant)));
  })
  .all("/:owner/test/desk", methodNotAllowed("POST"))
  .post("/:owner/test/engine", async (c) => {
    await authenticateOperator(c);
    const tenant = await newestTenant(c);
    const probe = await ask(() => testEngine({ config: configOf(c) }, tenant));
    if (!probe) {
      const { type } = tenant.dolphins.auth;
      throw invalidParameter("dolphins.auth.type", `is ${type}, so there is no login to try`);
    }
    return show(c, "engine_tested", tenant.owner, probe);
  })
  .all("/:owner/test/engine", methodNotAllowed("POST"));

/** As it was put a moment ago, and not as this isolate remembers it. */
async function newestTenant(c: AppContext) {
  const tenant = await directoryOf(c).freshTenant(ownerIn(c));
  if (tenant) return tenant;
  throw unknownOwner();
}

function show(c: AppContext, act: string, owner: string, probe: ConnectionTest): Response {
  const { outcome, attempt } = probe;
  audit(c, act, owner, {
    outcome,
    ms: attempt.ms,
    ...(attempt.status === undefined ? {} : { status: attempt.status }),
  });
  return c.json({ status: "success", ...probe });
}
