import { DurableObject } from "cloudflare:workers";
import { readConfig, required } from "../config";
import { Directory } from "../tenants/directory";
import type { Generation } from "../tenants/credentials";
import type { KeptKey } from "../tenants/data-key";
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

  /** Does the work when all before it is done, for what reads KV, waits, and writes it. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work, work);
    this.#last = done;
    return done;
  }
}
