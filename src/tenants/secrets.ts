import type { MasterKeys } from "../crypto/derive";
import { open, seal } from "../crypto/seal";
import { MASK } from "../lib/record-fields";
import type { Issue } from "../model/errors";
import { destinationOf, mapSecrets, valueAt, type Tenant } from "./tenant-record";

/** The secrets of a tenant record: sealed in KV, masked on the way out, open only while a message is delivered. */

/** What GET shows. */
export async function maskSecrets(tenant: Tenant): Promise<Tenant> {
  const { version: _, ...shown } = await mapSecrets(tenant, () => MASK);
  return shown;
}

/** What the audit log may know of a record from outside: of a secret, whether it is given anew. */
export const markSecrets = (tenant: Tenant): Promise<Tenant> =>
  mapSecrets(tenant, (given) => (given === MASK ? MASK : `${MASK} (new)`));

const opened = new WeakMap<Tenant, Promise<Tenant>>();

/** The record with its secrets in the clear; remembered for as long as the sealed one is. Throws when one does not open. */
export function openSecrets(masterKeys: MasterKeys, sealed: Tenant): Promise<Tenant> {
  const known = opened.get(sealed);
  if (known) return known;
  const tenant = mapSecrets(sealed, (secret, path) => open(masterKeys, sealed.owner, path, secret));
  opened.set(sealed, tenant);
  return tenant;
}

const NOTHING_KEPT = "is ***, but there is no secret to keep, or it does not open any more: give it";
const ELSEWHERE = "is ***, and would be sent to another place than before: give it again";

/**
 * A record from outside, its secrets sealed under the key in force. `***` keeps what `before` has in that field, if that is to
 * be sent to the same place. There is an issue for each that is not kept.
 */
export async function sealSecrets(
  masterKeys: MasterKeys,
  tenant: Tenant,
  before: Tenant | undefined,
): Promise<{ sealed: Tenant; issues: Issue[] }> {
  const issues: Issue[] = [];
  const { owner } = tenant;
  const kept = async (path: string) => {
    const stored = before && valueAt(before, path);
    if (typeof stored !== "string") return undefined;
    return open(masterKeys, owner, path, stored).catch(() => undefined);
  };
  const sealed = await mapSecrets(tenant, async (given, path) => {
    const secret = given === MASK ? await kept(path) : given;
    const isElsewhere = given === MASK && before && destinationOf(before, path) !== destinationOf(tenant, path);
    if (secret !== undefined && !isElsewhere) return seal(masterKeys, owner, path, secret);
    issues.push({ path, message: secret === undefined ? NOTHING_KEPT : ELSEWHERE });
    return given;
  });
  return { sealed, issues };
}
