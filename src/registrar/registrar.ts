import { DurableObject } from "cloudflare:workers";
import { readConfig, required } from "../config";
import { newestKey, sealedAnew, withNewKey, type KeptKey } from "../tenants/data-key";
import { Directory } from "../tenants/directory";
import type { Generation } from "../tenants/credentials";

const GENERATION = "generation";
/** That a data key was made. The key itself is in KV alone: what is stored here can be brought back for 30 days. */
const HAS_DATA_KEY = "hasDataKey";
/** Ids of data keys. Where KV still shows one of these, it is behind. */
const DESTROYED = "destroyedDataKeys";

/**
 * What KV cannot decide, because it has no compare-and-set: two who change the same thing at once come here one after the
 * other. There is one object a desk (`desk:{deskId}`) and one a tenant (`tenant:{owner}`).
 */
export class Registrar extends DurableObject<Env> {
  readonly #directory = new Directory(this.env.DIRECTORY);
  #last: Promise<unknown> = Promise.resolve();
  /** What was last written to KV, which may go on for a minute to show what was there before. */
  #dataKeys: readonly KeptKey[] | undefined;

  /** Answers whether calls reach it. */
  isThere(): boolean {
    return true;
  }

  /** Starts the next generation of a desk's credentials. Two at once are two generations. */
  rotate(deskId: string): Promise<Generation> {
    return this.#inTurn(async () => {
      const { kv } = this.ctx.storage;
      const started = await this.#directory.rotate(deskId, kv.get<Generation>(GENERATION), Date.now());
      kv.put(GENERATION, started);
      return started;
    });
  }

  /** The data keys of a tenant, the newest first; none where none was made. Throws where KV does not show what was made. */
  dataKeys(owner: string): Promise<readonly KeptKey[]> {
    return this.#inTurn(() => this.#readDataKeys(owner));
  }

  /** The same, with a new one where none opens. So two places that need one at once get the same. */
  makeDataKey(owner: string): Promise<readonly KeptKey[]> {
    return this.#inTurn(async () => {
      const masterKeys = required(readConfig(this.env).masterKeys);
      const kept = await this.#readDataKeys(owner);
      if (await newestKey(masterKeys, owner, kept)) return kept;
      return this.#keepDataKeys(owner, await withNewKey(masterKeys, owner, kept));
    });
  }

  /** As long as MASTER_KEY is being rotated, puts the data keys under the new one. Makes one where none opens. */
  sealDataKeysAnew(owner: string): Promise<readonly KeptKey[]> {
    return this.#inTurn(async () => {
      const masterKeys = required(readConfig(this.env).masterKeys);
      const kept = await this.#readDataKeys(owner);
      const opens = await newestKey(masterKeys, owner, kept);
      if (opens && masterKeys.length === 1) return kept;
      const keys = opens ? kept : await withNewKey(masterKeys, owner, kept);
      return this.#keepDataKeys(owner, await sealedAnew(masterKeys, owner, keys));
    });
  }

  /** With them go all of the tenant's texts, wherever they are. What it says from then on is sealed with another. */
  destroyDataKeys(owner: string): Promise<void> {
    return this.#inTurn(async () => {
      const { kv } = this.ctx.storage;
      const ids = (await this.#shownDataKeys(owner)).map(({ id }) => id);
      kv.put(DESTROYED, [...(kv.get<string[]>(DESTROYED) ?? []), ...ids]);
      await this.#directory.deleteDataKeys(owner);
      kv.delete(HAS_DATA_KEY);
      this.#dataKeys = undefined;
    });
  }

  async #shownDataKeys(owner: string): Promise<readonly KeptKey[]> {
    if (this.#dataKeys) return this.#dataKeys;
    const destroyed = this.ctx.storage.kv.get<string[]>(DESTROYED) ?? [];
    const shown = (await this.#directory.freshDataKeys(owner)) ?? [];
    return shown.filter(({ id }) => !destroyed.includes(id));
  }

  async #readDataKeys(owner: string): Promise<readonly KeptKey[]> {
    const { kv } = this.ctx.storage;
    const shown = await this.#shownDataKeys(owner);
    const wasMade = kv.get(HAS_DATA_KEY) === true;
    // Another key in its place would leave the tenant's texts unreadable.
    if (wasMade && shown.length === 0) throw new Error("KV does not show the data key");
    if (!wasMade && shown.length > 0) kv.put(HAS_DATA_KEY, true);
    return shown;
  }

  async #keepDataKeys(owner: string, keys: readonly KeptKey[]): Promise<readonly KeptKey[]> {
    await this.#directory.putDataKeys(owner, keys);
    this.ctx.storage.kv.put(HAS_DATA_KEY, true);
    this.#dataKeys = keys;
    return keys;
  }

  /** Does the work when all before it is done, for what reads KV, waits, and writes it. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work, work);
    this.#last = done;
    return done;
  }
}
