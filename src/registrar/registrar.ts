import { DurableObject } from "cloudflare:workers";
import { objectOf, readConfig, required } from "../config";
import { Directory, type Stored } from "../tenants/directory";
import type { Generation } from "../tenants/credentials";
import type { KeptKey } from "../tenants/data-key";
import type { Tenant } from "../tenants/tenant-record";
import { versionOf } from "../tenants/version";
import { DataKeys } from "./data-keys";

const GENERATION = "generation";

/**
 * What KV cannot decide, because it has no compare-and-set: two who change the same thing at once come here one after the
 * other. There is one object a desk (`desk:{deskId}`) and one a tenant (`tenant:{owner}`).
 */
export class Registrar extends DurableObject<Env> {
  readonly #directory = new Directory(this.env.DIRECTORY);
  readonly #dataKeys = new DataKeys({
    kv: this.ctx.storage.kv,
    directory: this.#directory,
    masterKeys: () => required(readConfig(this.env).masterKeys),
  });
  #last: Promise<unknown> = Promise.resolve();

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

  /** A tenant's record as it was put last, its secrets sealed. Another place may still read the one before. */
  tenant(owner: string): Promise<Tenant | undefined> {
    return this.#inTurn(() => this.#directory.freshTenant(owner));
  }

  /** What is left of the record; undefined when there is none. */
  deleteTenant(owner: string): Promise<Stored | undefined> {
    return this.#inTurn(() => this.#directory.deleteTenant(owner));
  }

  /**
   * Puts a tenant's record. What is paused is for its index to say. Undefined, and nothing put, when the record is no longer
   * the `version` that was asked for.
   */
  putTenant(tenant: Tenant, version?: string): Promise<Tenant | undefined> {
    return this.#inTurn(async () => {
      const before = version === undefined ? undefined : await this.#directory.freshTenant(tenant.owner);
      if (version !== undefined && (!before || (await versionOf(before)) !== version)) return undefined;
      return this.#put(tenant);
    });
  }

  /** Has the record show what is paused now. Undefined when there is no such tenant. */
  showPaused(owner: string): Promise<Tenant | undefined> {
    return this.#inTurn(async () => {
      const tenant = await this.#directory.freshTenant(owner);
      return tenant && this.#put(tenant);
    });
  }

  /** The data keys of a tenant, the newest first; none where none was made. Throws where KV does not show what was made. */
  dataKeys(owner: string): Promise<readonly KeptKey[]> {
    return this.#inTurn(() => this.#dataKeys.read(owner));
  }

  /** The same, with a new one where none opens. */
  makeDataKey(owner: string): Promise<readonly KeptKey[]> {
    return this.#inTurn(() => this.#dataKeys.make(owner));
  }

  /** The same, under the MASTER_KEY in force. */
  sealDataKeysAnew(owner: string): Promise<readonly KeptKey[]> {
    return this.#inTurn(() => this.#dataKeys.sealAnew(owner));
  }

  destroyDataKeys(owner: string): Promise<void> {
    return this.#inTurn(() => this.#dataKeys.destroy(owner));
  }

  async #put(record: Tenant): Promise<Tenant> {
    const paused = await objectOf(this.env.TENANT_INDEX, record.owner, readConfig(this.env)).paused();
    const tenant: Tenant = { ...record, paused };
    if (Object.keys(paused).length === 0) delete tenant.paused;
    await this.#directory.putTenant(tenant);
    return tenant;
  }

  /** Does the work when all before it is done, for what reads KV, waits, and writes it. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work, work);
    this.#last = done;
    return done;
  }
}
