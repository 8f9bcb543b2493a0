import { Hono } from "hono";
import { required } from "../../config";
import { readBody } from "../../http/body";
import { AppError } from "../../model/errors";
import { credentialsOf } from "../../tenants/credentials";
import { PAGE } from "../../tenants/directory";
import { maskSecrets, sealSecrets } from "../../tenants/secrets";
import { parseTenant } from "../../tenants/tenant-record";
import { ask } from "../../http/accept-event";
import { authenticateOperator } from "../../http/auth";
import {
  configOf,
  directoryOf,
  jsonOf,
  methodNotAllowed,
  ticketOf,
  type AppContext,
  type AppEnv,
} from "../../http/context";
import { deadLetters, replayOf } from "./dead-letters";
import { health } from "./health";
import { audit, numberIn, ownerIn, tenantIn, unknownOwner } from "../../http/parameters";
import { overview } from "./overview";
import { probes } from "./connection-tests";
import { unknownTicket } from "../../http/resolve-tenant";
import { pageIn, showTicket } from "../tickets";

/** What the operator does: tenants, credentials, tickets, replay. */
export const admin = new Hono<AppEnv>();

admin.route("/health", health).route("/tenants", overview).route("/tenants", deadLetters).route("/tenants", probes);

admin
  .get("/tenants", async (c) => {
    await authenticateOperator(c);
    const limit = numberIn(c, "limit", PAGE, PAGE);
    const { tenants, next } = await directoryOf(c).tenants(c.req.query("next"), limit);
    const shown = await Promise.all(tenants.map(maskSecrets));
    return c.json({ status: "success", tenants: shown, ...(next === undefined ? {} : { next }) });
  })
  .all("/tenants", methodNotAllowed("GET"));

admin
  .get("/tenants/:owner", async (c) => {
    await authenticateOperator(c);
    return c.json({ status: "success", tenant: await maskSecrets(await tenantIn(c)) });
  })
  .put("/tenants/:owner", async (c) => {
    const body = await readBody(c.req.raw);
    await authenticateOperator(c);
    const config = configOf(c);
    const directory = directoryOf(c);
    const parsed = parseTenant(ownerIn(c), jsonOf(body), config.allowInsecureTargets, c.req.url);
    if (!parsed.ok) throw invalidTenant(parsed.issues);
    const { tenant } = parsed;
    const before = await directory.freshTenant(tenant.owner);
    const { sealed, missing } = await sealSecrets(required(config.masterKeys), tenant, before);
    if (missing.length > 0) {
      throw invalidTenant(
        missing.map((path) => ({
          path,
          message: "is ***, but there is no secret to keep, or it does not open any more: give it",
        })),
      );
    }
    await directory.putTenant(sealed);
    audit(c, "tenant_put", tenant.owner);
    return c.json({ status: "success", tenant: await maskSecrets(sealed) });
  })
  .delete("/tenants/:owner", async (c) => {
    await authenticateOperator(c);
    const owner = ownerIn(c);
    if (!(await directoryOf(c).deleteTenant(owner))) throw unknownOwner();
    audit(c, "tenant_deleted", owner);
    return c.json({ status: "success" });
  })
  .all("/tenants/:owner", methodNotAllowed("GET, PUT, DELETE"));

admin
  .get("/tenants/:owner/credentials", async (c) => {
    await authenticateOperator(c);
    const { owner, deskId } = await tenantIn(c);
    const { generation } = await directoryOf(c).generation(deskId);
    audit(c, "credentials_shown", owner);
    return showCredentials(c, deskId, generation);
  })
  .all("/tenants/:owner/credentials", methodNotAllowed("GET"))
  .post("/tenants/:owner/credentials/rotate", async (c) => {
    await authenticateOperator(c);
    const { owner, deskId } = await tenantIn(c);
    const { generation } = await directoryOf(c).rotate(deskId, Date.now());
    audit(c, "credentials_rotated", owner);
    return showCredentials(c, deskId, generation);
  })
  .all("/tenants/:owner/credentials/rotate", methodNotAllowed("POST"));

admin
  .get("/tickets/:owner/:ticketNumber", async (c) => {
    await authenticateOperator(c);
    // Whoever looks at a ticket shall find it in the lists as it is.
    return showTicket(c, ownerIn(c), c.req.param("ticketNumber"), { ...pageIn(c), byOperator: true });
  })
  .all("/tickets/:owner/:ticketNumber", methodNotAllowed("GET"))
  .post("/tickets/:owner/:ticketNumber/replay", async (c) => {
    const body = await readBody(c.req.raw);
    await authenticateOperator(c);
    const { which, dryRun } = replayOf(jsonOf(body));
    const owner = ownerIn(c);
    const ticketNumber = c.req.param("ticketNumber");
    const answer = await ask(async () => ticketOf(c, owner, ticketNumber).replay(which, dryRun));
    if (answer === undefined) throw unknownTicket();
    const { replayed, late } = answer;
    if (!dryRun) audit(c, "replayed", owner, { ticketNumber, messages: replayed.length });
    return c.json({ status: "success", dryRun, replayed, late });
  })
  .all("/tickets/:owner/:ticketNumber/replay", methodNotAllowed("POST"));

async function showCredentials(c: AppContext, deskId: string, generation: number): Promise<Response> {
  const credentials = await credentialsOf(required(configOf(c).masterKeys), deskId, generation);
  c.header("cache-control", "no-store");
  return c.json({ status: "success", credentials });
}

const invalidTenant = (issues: { path: string; message: string }[]) =>
  new AppError(
    "invalid_tenant",
    `The tenant record does not fit: mend ${issues.map((issue) => issue.path || "the body").join(", ")}.`,
    {
      issues,
    },
  );
