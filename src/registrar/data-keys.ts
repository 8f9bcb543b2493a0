import type { MasterKeys } from "../crypto/derive";
import { newestKey, sealedAnew, withNewKey, type KeptKey } from "../tenants/data-key";
import type { Directory } from "../tenants/directory";

/** That a data key was made. The key itself is in KV alone: what is stored here can be brought back for 30 days. */
const HAS_KEY = "hasDataKey";
/** Ids. Where KV still shows one of these, it is behind. */
const DESTROYED = "destroyedDataKeys";

type Deps = { kv: SyncKvStorage; directory: Directory; masterKeys: () => MasterKeys };

/** The data keys of one tenant, the newest first. Its Registrar lets one question in at a time. */
export class DataKeys {
  readonly #deps: Deps;
  /** What was last written to KV, which may go on for a minute to show what was there before. */
  #written: readonly KeptKey[] | undefined;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** None where none was made. Throws where KV does not show what was made. */
  async read(owner: string): Promise<readonly KeptKey[]> {
    const { kv } = this.#deps;
    const shown = await this.#shown(owner);
    const wasMade = kv.get(HAS_KEY) === true;
    // Another key in its place would leave the tenant's texts unreadable.
    if (wasMade && shown.length === 0) throw new Error("KV does not show the data key");
    if (!wasMade && shown.length > 0) kv.put(HAS_KEY, true);
    return shown;
  }

  /** The same, with a new one where none opens. So two places that need one at once get the same. */
  async make(owner: string): Promise<readonly KeptKey[]> {
    const kept = await this.read(owner);
    const masterKeys = this.#deps.masterKeys();
    if (await newestKey(masterKeys, owner, kept)) return kept;
    return this.#write(owner, await withNewKey(masterKeys, owner, kept));
  }

  /** The same. As long as MASTER_KEY is being rotated, they are put under the new one. */
  async sealAnew(owner: string): Promise<readonly KeptKey[]> {
    const keys = await this.make(owner);
    const masterKeys = this.#deps.masterKeys();
    return masterKeys.length === 1 ? keys : this.#write(owner, await sealedAnew(masterKeys, owner, keys));
  }

  /** With them go all of the tenant's texts, wherever they are. What it says from then on is sealed with another. */
  async destroy(owner: string): Promise<void> {
    const { kv, directory } = this.#deps;
    const ids = (await this.#shown(owner)).map(({ id }) => id);
    if (ids.length > 0) kv.put(DESTROYED, [...this.#destroyed(), ...ids]);
    await directory.deleteDataKeys(owner);
    kv.delete(HAS_KEY);
    this.#written = undefined;
  }

  async #shown(owner: string): Promise<readonly KeptKey[]> {
    if (this.#written) return this.#written;
    const destroyed = this.#destroyed();
    const shown = (await this.#deps.directory.freshDataKeys(owner)) ?? [];
    return shown.filter(({ id }) => !destroyed.includes(id));
  }

  async #write(owner: string, keys: readonly KeptKey[]): Promise<readonly KeptKey[]> {
    await this.#deps.directory.putDataKeys(owner, keys);
    this.#deps.kv.put(HAS_KEY, true);
    this.#written = keys;
    return keys;
  }

  #destroyed = (): string[] => this.#deps.kv.get<string[]>(DESTROYED) ?? [];
}
