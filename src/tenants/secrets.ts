import { open, seal } from "./sealing";
import { mapSecrets, valueAt, type Tenant } from "./tenant";

/** The secrets of a tenant record: sealed in KV, masked on the way out, open only while a message is delivered. */

const MASK = "***";

/** What GET shows. */
export const maskSecrets = (tenant: Tenant): Promise<Tenant> => mapSecrets(tenant, () => MASK);

const opened = new WeakMap<Tenant, Promise<Tenant>>();

/** The record with its secrets in the clear; remembered for as long as the sealed one is. Throws when one does not open. */
export function openSecrets(masterKey: Uint8Array<ArrayBuffer>, sealed: Tenant): Promise<Tenant> {
  const known = opened.get(sealed);
  if (known) return known;
  const tenant = mapSecrets(sealed, (secret, path) => open(masterKey, sealed.owner, path, secret));
  opened.set(sealed, tenant);
  return tenant;
}

/**
 * A record from outside, its secrets sealed. `***` keeps what `before` has in that field; the paths of those that have
 * nothing to keep come back as `missing`.
 */
export async function sealSecrets(
  masterKey: Uint8Array<ArrayBuffer>,
  tenant: Tenant,
  before: Tenant | undefined,
): Promise<{ sealed: Tenant; missing: string[] }> {
  const missing: string[] = [];
  const sealed = await mapSecrets(tenant, (secret, path) => {
    if (secret !== MASK) return seal(masterKey, tenant.owner, path, secret);
    const kept = before && valueAt(before, path);
    if (typeof kept === "string") return kept;
    missing.push(path);
    return secret;
  });
  return { sealed, missing };
}
