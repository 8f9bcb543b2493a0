import { DurableObject } from "cloudflare:workers";
import { Directory } from "../tenants/directory";
import type { Generation } from "../tenants/credentials";

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

  /** Does the work when all before it is done, for what reads KV, waits, and writes it. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work, work);
    this.#last = done;
    return done;
  }
}
