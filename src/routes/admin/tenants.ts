import { required } from "../../config";
import { audit } from "../../http/audit-trail";
import { configOf, directoryOf, jsonOf, type AppContext } from "../../http/context";
import { allow } from "../../http/operators";
import { numberIn, ownerIn, tenantIn, unknownOwner } from "../../http/parameters";
import { Routes } from "../../http/routes";
import type { TenantAnswer, TenantsAnswer } from "../../model/answers";
import { changesBetween } from "../../model/audit";
import { AppError, type Issue } from "../../model/errors";
import { PAGE } from "../../tenants/directory";
import { markSecrets, maskSecrets, sealSecrets } from "../../tenants/secrets";
import { parseTenant, type Tenant } from "../../tenants/tenant-record";

/** The records of the tenants. */
export const tenants = new Routes();

tenants
  .get("/", allow("viewer"), async (c) => {
    const limit = numberIn(c, "limit", PAGE, PAGE);
    const { tenants: sealed, next } = await directoryOf(c).tenants(c.req.query("next"), limit);
    const shown = await Promise.all(sealed.map(maskSecrets));
    return c.json<TenantsAnswer>({ status: "success", tenants: shown, ...(next === undefined ? {} : { next }) });
  })
  .get("/:owner", allow("viewer"), async (c) =>
    c.json<TenantAnswer>({ status: "success", tenant: await maskSecrets(await tenantIn(c)) }),
  )
  .put("/:owner", allow("admin", "tenant_put"), async (c) => {
    const sealed = await putRecord(c, ownerIn(c), jsonOf(c.var.body));
    return c.json<TenantAnswer>({ status: "success", tenant: await maskSecrets(sealed) });
  })
  .delete("/:owner", allow("admin", "tenant_deleted"), async (c) => {
    const owner = ownerIn(c);
    if (!(await directoryOf(c).deleteTenant(owner))) throw unknownOwner();
    return c.json({ status: "success" });
  });

/** Checks a record and puts it, its secrets sealed. A secret that is `***` stays as it is. */
export async function putRecord(c: AppContext, owner: string, json: unknown): Promise<Tenant> {
  const config = configOf(c);
  const directory = directoryOf(c);
  const parsed = parseTenant(owner, json, config.allowInsecureTargets, c.req.url);
  if (!parsed.ok) throw invalidTenant(parsed.error);
  const before = await directory.freshTenant(owner);
  const { sealed, missing } = await sealSecrets(required(config.masterKeys), parsed.value, before);
  if (missing.length > 0) {
    const message = "is ***, but there is no secret to keep, or it does not open any more: give it";
    throw invalidTenant(missing.map((path) => ({ path, message })));
  }
  const known = before && (await maskSecrets(before));
  await directory.putTenant(sealed);
  audit(c, {}, changesBetween(known, await markSecrets(parsed.value)));
  return sealed;
}

function invalidTenant(issues: Issue[]): AppError {
  const fields = issues.map(({ path }) => path || "the body").join(", ");
  return new AppError("invalid_tenant", `The tenant record does not fit: fix ${fields}.`, { issues });
}
