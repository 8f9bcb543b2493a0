import { DurableObject } from "cloudflare:workers";
import { readConfig, required } from "../config";
import { errorText, log } from "../lib/log";
import type { Result } from "../model/result";
import type { Generation } from "../tenants/credentials";
import type { KeptKey } from "../tenants/data-key";
import { Directory, type Stored } from "../tenants/directory";
import type { Tenant } from "../tenants/tenant-record";
import { DataKeys } from "./data-keys";
import { DeskCredentials } from "./desk-credentials";
import { TenantRecords, type PurgeProgress, type PutRecord, type PutRefusal } from "./tenant-records";

const ALARM_FAILED_MS = 30_000;

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
  readonly #desk = new DeskCredentials(this.ctx.storage.kv, this.#directory);
  readonly #records = new TenantRecords({
    storage: this.ctx.storage,
    env: this.env,
    directory: this.#directory,
    dataKeys: this.#dataKeys,
    waitUntil: (promise) => this.ctx.waitUntil(promise),
  });
  #last: Promise<unknown> = Promise.resolve();

  /** Answers whether calls reach it. */
  isThere(): boolean {
    return true;
  }

  /** Starts the next generation of a desk's credentials. Two at once are two generations. `isAlone` revokes the one before. */
  rotate(deskId: string, isAlone = false): Promise<Generation> {
    return this.#inTurn(() => this.#desk.rotate(deskId, isAlone));
  }

  /** The newest generation of a desk; undefined where none was ever started here. */
  async generation(): Promise<Generation | undefined> {
    return this.#desk.generation();
  }

  /** From now on this desk serves the tenant. */
  serve(deskId: string, owner: string): Promise<void> {
    return this.#inTurn(() => this.#desk.serve(deskId, owner));
  }

  /** And from now on no more. */
  async leave(owner: string): Promise<void> {
    this.#desk.leave(owner);
  }

  /**
   * Takes a tenant's record, its secrets in clear or `***`, and gives it as it is kept. With `ifMatch` only in the place of a
   * version that this names.
   */
  putTenant(record: Tenant, ifMatch?: string): Promise<Result<PutRecord, PutRefusal>> {
    return this.#inTurn(() => this.#records.put(record, ifMatch));
  }

  /** What is left of the record; undefined when there is no such tenant. */
  deleteTenant(owner: string): Promise<Stored | undefined> {
    return this.#inTurn(() => this.#records.delete(owner));
  }

  /** A tenant's record as it was put last, its secrets sealed. Another place may still read the one before. */
  tenant(owner: string): Promise<Tenant | undefined> {
    return this.#inTurn(() => this.#records.tenant(owner));
  }

  /** Has the record show what is paused now. Undefined when there is no such tenant. */
  showPaused(owner: string): Promise<Tenant | undefined> {
    return this.#inTurn(() => this.#records.showPaused(owner));
  }

  /** Deletes the tenant and all that is its own, from the alarm. Undefined when there is no such tenant, and never was. */
  purge(owner: string): Promise<PurgeProgress | undefined> {
    return this.#inTurn(() => this.#records.purge(owner));
  }

  /** How far the newest purge is. */
  async purgeProgress(owner: string): Promise<PurgeProgress | undefined> {
    return this.#records.progress(owner);
  }

  /** The record or what is left of it, if it is newer than the one that KV has shown. */
  async newerRecord(version: number): Promise<Stored | undefined> {
    return this.#records.newer(version, () => this.#inTurn(() => this.#records.restore()));
  }

  /** The data keys of a tenant, the newest first; none where none was made. Throws where KV does not show what was made. */
  dataKeys(owner: string): Promise<readonly KeptKey[]> {
    return this.#inTurn(() => this.#dataKeys.read(owner));
  }

  /** The same, with a new one where none opens. A tenant that is purged gets none: an event may come late. */
  makeDataKey(owner: string): Promise<readonly KeptKey[]> {
    return this.#inTurn(async () => {
      if (this.#records.isPurged()) throw new Error("the tenant was purged");
      return this.#dataKeys.make(owner);
    });
  }

  /** The same, under the MASTER_KEY in force. */
  sealDataKeysAnew(owner: string): Promise<readonly KeptKey[]> {
    return this.#inTurn(() => this.#dataKeys.sealAnew(owner));
  }

  destroyDataKeys(owner: string): Promise<void> {
    return this.#inTurn(() => this.#dataKeys.destroy(owner));
  }

  /** Does what is still owed. Never throws, because the runtime drops an alarm that has failed six times. */
  override async alarm(): Promise<void> {
    try {
      await this.#inTurn(() => this.#records.finish());
    } catch (error) {
      log("registrar_failed", { error: errorText(error) });
      await this.ctx.storage.setAlarm(Date.now() + ALARM_FAILED_MS);
    }
  }

  /** Does the work when all before it is done, for what reads KV, waits, and writes it. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work, work);
    this.#last = done;
    return done;
  }
}
