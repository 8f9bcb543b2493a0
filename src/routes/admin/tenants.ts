import * as z from "zod/mini";
import { required } from "../../config";
import { audit } from "../../http/audit-trail";
import { ask, configOf, directoryOf, indexOf, jsonOf, registrarOf, type AppContext } from "../../http/context";
import { allow } from "../../http/operators";
import { newestTenantIn, numberIn, ownerIn, queryIn, unknownOwner } from "../../http/parameters";
import { Routes } from "../../http/routes";
import { errorText, log } from "../../lib/log";
import type { TenantAnswer, TenantsAnswer } from "../../model/answers";
import { changesBetween, type Change } from "../../model/audit";
import { AppError, type Issue } from "../../model/errors";
import type { Result } from "../../model/result";
import { LANES } from "../../model/timeline";
import type { PutRecord, PutRefusal } from "../../registrar/tenant-records";
import { PAGE, type Stored } from "../../tenants/directory";
import { markSecrets, maskSecrets } from "../../tenants/secrets";
import { parseTenant, type Tenant } from "../../tenants/tenant-record";
import { versionOf } from "../../tenants/version";
import { startPurge } from "./purge";

/** Anything else beside it is a mistake, and not half of it is done. */
const purging = z.object({ purge: z.optional(z.literal("true", "must be true, or be left out")) });

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
    if (queryIn(c, purging).purge !== undefined) return startPurge(c, owner);
    const left = await ask<Stored | undefined>(() => registrarOf(c, `tenant:${owner}`).deleteTenant(owner));
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
  const { allowInsecureTargets, bindings } = config;
  const parsed = parseTenant(owner, json, allowInsecureTargets, c.req.url, [...bindings.keys()]);
  if (!parsed.ok) throw invalidTenant(parsed.error);
  required(config.masterKeys);
  const put = await ask<Result<PutRecord, PutRefusal>>(() =>
    registrarOf(c, `tenant:${owner}`).putTenant(parsed.value, ifMatch),
  );
  if (!put.ok) throw await refusalOf(put.error, parsed.value);
  const { tenant, before } = put.value;
  directoryOf(c).rememberTenant(tenant);
  audit(c, {}, await changesOf(before, parsed.value));
  // The record may be what stood in the way of all that waits. If this fails, that goes on by its own backoff.
  const retried = indexOf(c, owner).retry([...LANES], Date.now() + KNOWN_EVERYWHERE_MS);
  c.executionCtx.waitUntil(retried.catch((error: unknown) => log("retry_failed", { owner, error: errorText(error) })));
  return tenant;
}

/** What a record from outside changes. A pause is no part of it. */
async function changesOf(before: Tenant | undefined, given: Tenant): Promise<Change[]> {
  const { paused: _paused, ...known } = before ? await maskSecrets(before) : {};
  return changesBetween(before && known, await markSecrets(given));
}

async function refusalOf(refused: PutRefusal, given: Tenant): Promise<AppError> {
  switch (refused.code) {
    case "purging":
      return new AppError(
        "purging",
        "This tenant is being purged. Put it again when GET …/purge says that it is done.",
      );
    case "owner_in_use":
      return new AppError(
        "owner_in_use",
        "A tenant of this owner was deleted, and its tickets are another desk's. Give it the same deskId, or purge it first: DELETE …?purge=true.",
      );
    case "invalid_tenant":
      return invalidTenant(refused.issues);
    case "precondition_failed":
      return changedMeanwhile(await changesOf(refused.before, given));
  }
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
