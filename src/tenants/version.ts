import { toBase64Url, utf8 } from "../crypto/bytes";
import type { Tenant } from "./tenant-record";

const LENGTH = 22;

/** What tells one version of a record from another, as an ETag. A pause is none of the record's own, and has a number too. */
export async function versionOf({ paused: _paused, version: _version, ...record }: Tenant): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", utf8(JSON.stringify(record)));
  return `"${toBase64Url(new Uint8Array(hash)).slice(0, LENGTH)}"`;
}

/** Whether an `If-Match` names this version; `*` names any. */
export const isMatch = (ifMatch: string, version: string | undefined): boolean =>
  version !== undefined && ifMatch.split(",").some((one) => ["*", version].includes(one.trim()));
