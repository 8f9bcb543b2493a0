import * as z from "zod/mini";
import { audit } from "../../http/audit-trail";
import { ask, directoryOf, indexOf, registrarOf, type AppContext } from "../../http/context";
import { allow } from "../../http/operators";
import { bodyIn, newestTenantIn } from "../../http/parameters";
import { Routes } from "../../http/routes";
import type { PausedAnswer } from "../../model/answers";
import { LANES } from "../../model/timeline";
import type { Tenant } from "../../tenants/tenant-record";
import { lanesIn } from "./retry";

/** Events are accepted and kept, and nothing is attempted, until somebody resumes. */
export const pause = new Routes();

const lane = z.optional(z.enum(LANES, "must be toDesk or toDolphins"));
export const pauseBody = z.strictObject({ lane, reason: z._default(z.string().check(z.maxLength(1024)), "") });
export const resumeBody = z.strictObject({ lane });

pause
  .post("/:owner/pause", allow("operator", "paused"), async (c) => {
    const { lane: named, reason } = bodyIn(c, pauseBody, {});
    const { owner } = await newestTenantIn(c);
    await ask(() => indexOf(c, owner).pause(lanesIn(named), c.var.operator.name, reason));
    audit(c, { ...(named === undefined ? {} : { lane: named }), reason });
    return showPaused(c, owner);
  })
  .post("/:owner/resume", allow("operator", "resumed"), async (c) => {
    const { lane: named } = bodyIn(c, resumeBody, {});
    const { owner } = await newestTenantIn(c);
    await ask(() => indexOf(c, owner).resume(lanesIn(named)));
    audit(c, named === undefined ? {} : { lane: named });
    return showPaused(c, owner);
  });

/** The index has the last word on it. The record shows it to everybody else. */
async function showPaused(c: AppContext, owner: string): Promise<Response> {
  const tenant = await ask<Tenant | undefined>(() => registrarOf(c, `tenant:${owner}`).showPaused(owner));
  if (tenant) directoryOf(c).rememberTenant(tenant);
  return c.json<PausedAnswer>({ status: "success", paused: tenant?.paused ?? {} });
}
