import { Hono } from "hono";
import * as z from "zod/mini";
import { required } from "../config";
import { id } from "../events/event";
import { readBody } from "../lib/body";
import { AppError } from "../lib/errors";
import { log } from "../lib/log";
import { credentialsOf } from "../tenants/credentials";
import { PAGE } from "../tenants/directory";
import { maskSecrets, sealSecrets } from "../tenants/secrets";
import { parseTenant, type Tenant } from "../tenants/tenant";
import { ask } from "./accept";
import { authenticateOperator } from "./authenticate";
import { configOf, directoryOf, jsonOf, methodNotAllowed, ticketOf, type AppContext, type AppEnv } from "./context";
import { unknownTicket } from "./resolve";
import { pageIn, showTicket } from "./tickets";

/** What the operator does: tenants, credentials, tickets, replay. */
export const admin = new Hono<AppEnv>();

admin
  .get("/tenants", async (c) => {
    await authenticateOperator(c);
    const limit = limitIn(c);
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
    const parsed = parseTenant(ownerIn(c), jsonOf(body), config.allowInsecureTargets);
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

const replayBody = z.union([
  z.strictObject({ all: z.literal(true) }),
  z.strictObject({ ids: z.array(z.string().check(z.maxLength(128))).check(z.minLength(1), z.maxLength(1000)) }),
]);

admin
  .get("/tickets/:owner/:ticketNumber", async (c) => {
    await authenticateOperator(c);
    return showTicket(c, ownerIn(c), c.req.param("ticketNumber"), pageIn(c));
  })
  .all("/tickets/:owner/:ticketNumber", methodNotAllowed("GET"))
  .post("/tickets/:owner/:ticketNumber/replay", async (c) => {
    const body = await readBody(c.req.raw);
    await authenticateOperator(c);
    const which = replayBody.safeParse(jsonOf(body));
    if (!which.success) {
      const message = 'must be {"ids":["msg_…"]} with 1 to 1000 ids of dead letters, or {"all":true}';
      throw new AppError("invalid_request", `The body ${message}.`, { issues: [{ path: "", message }] });
    }
    const owner = ownerIn(c);
    const ticketNumber = c.req.param("ticketNumber");
    const replayed = await ask(() => ticketOf(c, owner, ticketNumber).replay(which.data));
    if (replayed === undefined) throw unknownTicket();
    audit(c, "replayed", owner, { ticketNumber, messages: replayed.length });
    return c.json({ status: "success", replayed });
  })
  .all("/tickets/:owner/:ticketNumber/replay", methodNotAllowed("POST"));

async function showCredentials(c: AppContext, deskId: string, generation: number): Promise<Response> {
  const credentials = await credentialsOf(required(configOf(c).masterKeys), deskId, generation);
  c.header("cache-control", "no-store");
  return c.json({ status: "success", credentials });
}

function ownerIn(c: AppContext): string {
  const result = id.safeParse(c.req.param("owner"));
  if (result.success) return result.data;
  const message = result.error.issues[0]?.message ?? "is not valid";
  throw new AppError("invalid_request", `The owner in the path ${message}.`, { issues: [{ path: "owner", message }] });
}

async function tenantIn(c: AppContext): Promise<Tenant> {
  const tenant = await directoryOf(c).tenant(ownerIn(c));
  if (tenant) return tenant;
  throw unknownOwner();
}

function limitIn(c: AppContext): number {
  const limit = z.pipe(z.coerce.number(), z.int().check(z.minimum(1), z.maximum(PAGE)));
  const result = z._default(limit, PAGE).safeParse(c.req.query("limit"));
  if (result.success) return result.data;
  const message = `must be a number from 1 to ${PAGE}`;
  throw new AppError("invalid_request", `limit ${message}.`, { issues: [{ path: "limit", message }] });
}

const unknownOwner = () =>
  new AppError("unknown_owner", "There is no such tenant. GET /admin/tenants lists those there are.");

const invalidTenant = (issues: { path: string; message: string }[]) =>
  new AppError(
    "invalid_tenant",
    `The tenant record does not fit: mend ${issues.map((issue) => issue.path || "the body").join(", ")}.`,
    {
      issues,
    },
  );

/** One line for each administrative act. */
function audit(c: AppContext, act: string, owner: string, more: Record<string, string | number> = {}): void {
  log(act, { requestId: c.var.requestId, owner, ...more });
}
