import { required } from "../../config";
import { audit } from "../../http/audit-trail";
import { ask, askOnce, configOf, directoryOf, indexOf, jsonOf, registrarOf, type AppContext } from "../../http/context";
import { allow } from "../../http/operators";
import { newestTenantIn, numberIn, ownerIn, unknownOwner } from "../../http/parameters";
import { Routes } from "../../http/routes";
import { errorText, log } from "../../lib/log";
import type { TenantAnswer, TenantsAnswer } from "../../model/answers";
import { changesBetween, type Change } from "../../model/audit";
import { AppError, type Issue } from "../../model/errors";
import { LANES } from "../../model/timeline";
import { PAGE, type Stored } from "../../tenants/directory";
import { markSecrets, maskSecrets, sealSecrets } from "../../tenants/secrets";
import { parseTenant, type Tenant } from "../../tenants/tenant-record";
import { isMatch, versionOf } from "../../tenants/version";

/** After so long every place has the record as it was put. */
const KNOWN_EVERYWHERE_MS = 90_000;

/** The records of the tenants. */
export const tenants = new Routes();

tenants
  .get("/", allow("viewer"), async (c) => {
    const limit = numberIn(c, "limit", PAGE, PAGE);
    const { tenants: sealed, next } = await directoryOf(c).tenants(c.req.query("next"), limit);
    const shown = await Promise.all(sealed.map(maskSecrets));
    return c.json<TenantsAnswer>({ status: "success", tenants: shown, ...(next === undefined ? {} : { next }) });
  })
  .get("/:owner", allow("viewer"), async (c) => showTenant(c, await newestTenantIn(c)))
  .put("/:owner", allow("admin", "tenant_put"), async (c) =>
    showTenant(c, await putRecord(c, ownerIn(c), jsonOf(c.var.body), c.req.header("if-match"))),
  )
  .delete("/:owner", allow("admin", "tenant_deleted"), async (c) => {
    const owner = ownerIn(c);
    const left = await askOnce<Stored | undefined>(() => registrarOf(c, `tenant:${owner}`).deleteTenant(owner));
    if (!left) throw unknownOwner();
    directoryOf(c).rememberTenant(left);
    return c.json({ status: "success" });
  });

async function showTenant(c: AppContext, tenant: Tenant): Promise<Response> {
  c.header("etag", await versionOf(tenant));
  return c.json<TenantAnswer>({ status: "success", tenant: await maskSecrets(tenant) });
}

/**
 * Checks a record and puts it, its secrets sealed. A secret that is `***` stays as it is. With `ifMatch` it is put only in the
 * place of a version which that names.
 */
export async function putRecord(c: AppContext, owner: string, json: unknown, ifMatch?: string): Promise<Tenant> {
  const config = configOf(c);
  const registrar = () => registrarOf(c, `tenant:${owner}`);
  const { allowInsecureTargets, bindings } = config;
  const parsed = parseTenant(owner, json, allowInsecureTargets, c.req.url, [...bindings.keys()]);
  if (!parsed.ok) throw invalidTenant(parsed.error);
  const before = await ask<Tenant | undefined>(() => registrar().tenant(owner));
  const { sealed, issues } = await sealSecrets(required(config.masterKeys), parsed.value, before);
  if (issues.length > 0) throw invalidTenant(issues);
  await ask(() => registrar().sealDataKeysAnew(owner));
  const { paused: _paused, ...known } = before ? await maskSecrets(before) : {};
  const changes = changesBetween(before && known, await markSecrets(parsed.value));
  const version = ifMatch === undefined || !before ? undefined : await versionOf(before);
  if (ifMatch !== undefined && !isMatch(ifMatch, version)) throw changedMeanwhile(changes);
  const put = await askOnce<Tenant | undefined>(() => registrar().putTenant(sealed, version));
  if (!put) throw changedMeanwhile(changes);
  directoryOf(c).rememberTenant(put);
  audit(c, {}, changes);
  // The record may be what stood in the way of all that waits. If this fails, that goes on by its own backoff.
  const retried = indexOf(c, owner).retry([...LANES], Date.now() + KNOWN_EVERYWHERE_MS);
  c.executionCtx.waitUntil(retried.catch((error: unknown) => log("retry_failed", { owner, error: errorText(error) })));
  return put;
}

/** What differs from the record as it is now, so that whoever was late sees what they would undo. */
function changedMeanwhile(changes: Change[]): AppError {
  const issues = changes.map(({ path, before }) => ({
    path,
    message: before === undefined ? "is not there now" : `is now ${JSON.stringify(before)}`,
  }));
  const message =
    "Somebody has changed the record since you read it. Read it again, and put what you want on top of that.";
  return new AppError("precondition_failed", message, { issues });
}

function invalidTenant(issues: Issue[]): AppError {
  const fields = issues.map(({ path }) => path || "the body").join(", ");
  return new AppError("invalid_tenant", `The tenant record does not fit: fix ${fields}.`, { issues });
}
