import { ask, registrarOf, type AppContext } from "../../http/context";
import { audit } from "../../http/audit-trail";
import { allow } from "../../http/operators";
import { ownerIn, unknownOwner } from "../../http/parameters";
import { Routes } from "../../http/routes";
import type { PurgeAnswer } from "../../model/answers";
import { AppError } from "../../model/errors";
import { isoTime } from "../../model/timeline";
import type { PurgeProgress } from "../../registrar/tenant-records";

/** How far the purge of a tenant is. */
export const purge = new Routes();

purge.get("/:owner/purge", allow("viewer"), async (c) => {
  const owner = ownerIn(c);
  const progress = await ask(() => registrarOf(c, `tenant:${owner}`).purgeProgress(owner));
  if (!progress) throw new AppError("not_found", "Nobody has had that tenant purged, or it has been put since.");
  return c.json<PurgeAnswer>({ status: "success", purge: shown(progress) });
});

/** Begins it, or says how far it is. */
export async function startPurge(c: AppContext, owner: string): Promise<Response> {
  const progress = await ask(() => registrarOf(c, `tenant:${owner}`).purge(owner));
  if (!progress) throw unknownOwner();
  audit(c, { purge: true });
  return c.json<PurgeAnswer>({ status: "success", purge: shown(progress) });
}

const shown = ({ startedAtMs, endedAtMs, deleted, left }: PurgeProgress): PurgeAnswer["purge"] => ({
  state: endedAtMs === undefined ? "running" : "done",
  startedAt: isoTime(startedAtMs),
  ...(endedAtMs === undefined ? {} : { endedAt: isoTime(endedAtMs) }),
  tickets: { deleted, left },
});
