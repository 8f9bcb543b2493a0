import { required } from "../../config";
import { configOf, directoryOf, jsonOf, type AppContext } from "../../http/context";
import { audit, numberIn, ownerIn, tenantIn, unknownOwner } from "../../http/parameters";
import { Routes } from "../../http/routes";
import type { TenantAnswer, TenantsAnswer } from "../../model/answers";
import { AppError, type Issue } from "../../model/errors";
import { PAGE } from "../../tenants/directory";
import { maskSecrets, sealSecrets } from "../../tenants/secrets";
import { parseTenant, type Tenant } from "../../tenants/tenant-record";

/** The records of the tenants. */
export const tenants = new Routes();

tenants
  .get("/", async (c) => {
    const limit = numberIn(c, "limit", PAGE, PAGE);
    const { tenants: sealed, next } = await directoryOf(c).tenants(c.req.query("next"), limit);
    const shown = await Promise.all(sealed.map(maskSecrets));
    return c.json<TenantsAnswer>({ status: "success", tenants: shown, ...(next === undefined ? {} : { next }) });
  })
  .get("/:owner", async (c) =>
    c.json<TenantAnswer>({ status: "success", tenant: await maskSecrets(await tenantIn(c)) }),
  )
  .put("/:owner", async (c) => {
    const sealed = await putRecord(c, ownerIn(c), jsonOf(c.var.body));
    audit(c, "tenant_put", sealed.owner);
    return c.json<TenantAnswer>({ status: "success", tenant: await maskSecrets(sealed) });
  })
  .delete("/:owner", async (c) => {
    const owner = ownerIn(c);
    if (!(await directoryOf(c).deleteTenant(owner))) throw unknownOwner();
    audit(c, "tenant_deleted", owner);
    return c.json({ status: "success" });
  });

/** Checks a record and puts it, its secrets sealed. A secret that is `***` stays as it is. */
export async function putRecord(c: AppContext, owner: string, json: unknown): Promise<Tenant> {
  const config = configOf(c);
  const directory = directoryOf(c);
  const { allowInsecureTargets, bindings } = config;
  const parsed = parseTenant(owner, json, allowInsecureTargets, c.req.url, [...bindings.keys()]);
  if (!parsed.ok) throw invalidTenant(parsed.error);
  const { sealed, issues } = await sealSecrets(
    required(config.masterKeys),
    parsed.value,
    await directory.freshTenant(owner),
  );
  if (issues.length > 0) throw invalidTenant(issues);
  await directory.putTenant(sealed);
  return sealed;
}

function invalidTenant(issues: Issue[]): AppError {
  const fields = issues.map(({ path }) => path || "the body").join(", ");
  return new AppError("invalid_tenant", `The tenant record does not fit: fix ${fields}.`, { issues });
}
