import { DurableObject } from "cloudflare:workers";
import { Directory, type Stored } from "../tenants/directory";
import type { Generation } from "../tenants/credentials";
import type { Tenant } from "../tenants/tenant-record";

const GENERATION = "generation";

/**
 * What KV cannot decide, because it has no compare-and-set: two who change the same thing at once come here one after the
 * other. There is one object a desk (`desk:{deskId}`) and one a tenant (`tenant:{owner}`).
 */
export class Registrar extends DurableObject<Env> {
  readonly #directory = new Directory(this.env.DIRECTORY);
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

  /** Puts a tenant's record. What is paused is for its index to say. */
  putTenant(tenant: Tenant): Promise<Tenant> {
    return this.#inTurn(() => this.#put(tenant));
  }

  /** Has the record show what is paused now. Undefined when there is no such tenant. */
  showPaused(owner: string): Promise<Tenant | undefined> {
    return this.#inTurn(async () => {
      const tenant = await this.#directory.freshTenant(owner);
      return tenant && this.#put(tenant);
    });
  }

  async #put(record: Tenant): Promise<Tenant> {
    const paused = await this.env.TENANT_INDEX.getByName(record.owner).paused();
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
