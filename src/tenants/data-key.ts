import { fromBase64, toBase64Url } from "../crypto/bytes";
import type { MasterKeys } from "../crypto/derive";
import { open, seal } from "../crypto/seal";
import { newDataKey, type DataKey } from "../crypto/sealed-text";
import { BoundedMap } from "../lib/bounded-map";

/**
 * The key under which a tenant's texts are kept. It lies in KV, sealed under MASTER_KEY, and nowhere else: what a Durable
 * Object has stored can be brought back for 30 days, and a key that is destroyed has to stay so.
 *
 * A tenant has several once a MASTER_KEY was lost. The older ones stay, for that MASTER_KEY may be found again.
 */
export type KeptKey = { id: string; sealed: string };

const pathOf = (id: string) => `dataKey.${id}`;

const sealKey = async (masterKeys: MasterKeys, owner: string, { id, bytes }: DataKey): Promise<KeptKey> => ({
  id,
  sealed: await seal(masterKeys, owner, pathOf(id), toBase64Url(bytes)),
});

/** What has been opened with each pair of keys. */
const openedBy = new WeakMap<MasterKeys, BoundedMap<string, DataKey>>();

/** Undefined where its MASTER_KEY is not there. */
export async function openKey(masterKeys: MasterKeys, owner: string, kept: KeptKey): Promise<DataKey | undefined> {
  const { id, sealed } = kept;
  const opened = openedBy.get(masterKeys) ?? new BoundedMap(2000);
  openedBy.set(masterKeys, opened);
  const known = opened.get(sealed);
  if (known) return known;
  const bytes = fromBase64(await open(masterKeys, owner, pathOf(id), sealed).catch(() => ""));
  if (!bytes || bytes.byteLength === 0) return undefined;
  const key = { id, bytes };
  opened.set(sealed, key);
  return key;
}

/** The one to seal with: the newest that opens. */
export async function newestKey(
  masterKeys: MasterKeys,
  owner: string,
  kept: readonly KeptKey[],
): Promise<DataKey | undefined> {
  for (const one of kept) {
    const key = await openKey(masterKeys, owner, one);
    if (key) return key;
  }
  return undefined;
}

/** The keys with a new one before them, which is to be made where none of them opens. */
export const withNewKey = async (
  masterKeys: MasterKeys,
  owner: string,
  kept: readonly KeptKey[],
): Promise<KeptKey[]> => [await sealKey(masterKeys, owner, newDataKey()), ...kept];

/** The keys under the MASTER_KEY in force. One that does not open stays as it is. */
export const sealedAnew = (masterKeys: MasterKeys, owner: string, kept: readonly KeptKey[]): Promise<KeptKey[]> =>
  Promise.all(
    kept.map(async (one) => {
      const key = await openKey(masterKeys, owner, one);
      return key ? sealKey(masterKeys, owner, key) : one;
    }),
  );
