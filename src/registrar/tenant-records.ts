import { objectOf, readConfig, required } from "../config";
import { isRecent } from "../lib/clock";
import { errorText, log } from "../lib/log";
import type { Issue } from "../model/errors";
import type { Result } from "../model/result";
import { isTenant, newerOf, type Directory, type Stored, type Tombstone } from "../tenants/directory";
import { sealSecrets } from "../tenants/secrets";
import { sessionNames } from "../tenants/session-names";
import type { Tenant } from "../tenants/tenant-record";
import { isMatch, versionOf } from "../tenants/version";
import type { DataKeys } from "./data-keys";

/** The record, or what is left of it. */
const RECORD = "record";
/** When KV was last given it, epoch ms; 0 as long as that is owed. */
const SHOWN_AT = "shownAtMs";
/** The desks that the tenant has left, as long as they have not been told. */
const LEFT = "left";
const PURGE = "purge";

/** When what is owed is tried again; and how often a purge is looked after. */
const AGAIN_MS = 5_000;
const PURGE_STEP_MS = 2_000;
/** KV may show for so long what was there before, and nothing is wrong. */
const KV_LAG_MS = 120_000;

/** A record as it is kept now, and the one that it has taken the place of. */
export type PutRecord = { tenant: Tenant; before?: Tenant };
export type PutRefusal =
  | { code: "purging" | "owner_in_use" }
  | { code: "invalid_tenant"; issues: Issue[] }
  /** It is not the version that was asked for. */
  | { code: "precondition_failed"; before?: Tenant };

/** `left` counts the tickets that the tenant's index still knows. */
export type PurgeProgress = { startedAtMs: number; endedAtMs?: number; deleted: number; left: number };
type Purge = Pick<PurgeProgress, "startedAtMs" | "endedAtMs" | "deleted"> & { isKeyGone?: boolean };

type Deps = {
  storage: DurableObjectStorage;
  env: Env;
  directory: Directory;
  dataKeys: Pick<DataKeys, "sealAnew" | "destroy">;
  waitUntil: (promise: Promise<unknown>) => void;
};

/**
 * The record of one tenant: every change is numbered and kept here before KV has it. So KV may be behind, or have an older one
 * put back, and still nobody goes by that. What a change owes others is written down with it, and done from the alarm where
 * something comes between.
 */
export class TenantRecords {
  readonly #deps: Deps;
  readonly #kv: SyncKvStorage;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#kv = deps.storage.kv;
  }

  async tenant(owner: string): Promise<Tenant | undefined> {
    const newest = await this.#newest(owner);
    return isTenant(newest) ? newest : undefined;
  }

  /** With `ifMatch` only in the place of a version that this names. */
  async put(record: Tenant, ifMatch?: string): Promise<Result<PutRecord, PutRefusal>> {
    const { dataKeys } = this.#deps;
    const { owner, deskId } = record;
    const before = await this.#newest(owner);
    const purge = this.#purge();
    if (purge && purge.endedAtMs === undefined) return { ok: false, error: { code: "purging" } };
    // Its tickets are still there, and are not for another desk to read.
    const isInUse = before && !isTenant(before) && !purge && before.deskId !== deskId;
    if (isInUse) return { ok: false, error: { code: "owner_in_use" } };
    const known = isTenant(before) ? before : undefined;
    const kept = known ? { before: known } : {};
    if (ifMatch !== undefined && !isMatch(ifMatch, known && (await versionOf(known)))) {
      return { ok: false, error: { code: "precondition_failed", ...kept } };
    }
    const { sealed, issues } = await sealSecrets(required(this.#config.masterKeys), record, known);
    if (issues.length > 0) return { ok: false, error: { code: "invalid_tenant", issues } };
    const tenant = await this.#withPaused({ ...sealed, version: versionAfter(before) });
    // Before anybody can see the record: from then on the desk's credentials open it.
    await this.#desk(deskId).serve(deskId, owner);
    if (purge) await this.#index(owner).reopen();
    // As long as MASTER_KEY is being rotated, they are put under the new one as well.
    await dataKeys.sealAnew(owner);
    this.#keep(tenant, known && known.deskId !== deskId ? known.deskId : undefined);
    this.#kv.delete(PURGE);
    await this.finish();
    return { ok: true, value: { tenant, ...kept } };
  }

  async delete(owner: string): Promise<Stored | undefined> {
    const before = await this.#newest(owner);
    if (isTenant(before)) this.#keep(tombstoneOf(before), before.deskId);
    // One that failed half way is done whole.
    else if (!before || this.#kv.get(SHOWN_AT) !== 0) return undefined;
    await this.finish();
    return this.#record();
  }

  async showPaused(owner: string): Promise<Tenant | undefined> {
    const before = await this.#newest(owner);
    if (!isTenant(before)) return undefined;
    const tenant = await this.#withPaused({ ...before, version: versionAfter(before) });
    this.#keep(tenant, undefined);
    await this.finish();
    return tenant;
  }

  async purge(owner: string): Promise<PurgeProgress | undefined> {
    const before = await this.#newest(owner);
    if (!before) return undefined;
    if (isTenant(before) || !this.#purge()) {
      this.#keep(tombstoneOf(before), before.deskId);
      this.#kv.put<Purge>(PURGE, { startedAtMs: Date.now(), deleted: 0 });
    }
    await this.finish();
    return this.progress(owner);
  }

  /** Whether the tenant is being purged, or was, and has not been put since. */
  isPurged = (): boolean => this.#purge() !== undefined;

  async progress(owner: string): Promise<PurgeProgress | undefined> {
    const purge = this.#purge();
    if (!purge) return undefined;
    const { isKeyGone: _, ...known } = purge;
    if (known.endedAtMs !== undefined) return { ...known, left: 0 };
    const { deleted, left } = await this.#index(owner).purge(owner);
    return { ...known, deleted, left };
  }

  /** Undefined where what KV shows is not older. If it is, though it should long show the newest, KV is given that again. */
  newer(shownVersion: number, restore: () => Promise<void>): Stored | undefined {
    const record = this.#record();
    if (!record || (record.version ?? 0) <= shownVersion) return undefined;
    if (!isRecent(this.#kv.get<number>(SHOWN_AT) ?? 0, Date.now(), KV_LAG_MS)) this.#deps.waitUntil(restore());
    return record;
  }

  async restore(): Promise<void> {
    const record = this.#record();
    // Many may have found it at once.
    if (!record || isRecent(this.#kv.get<number>(SHOWN_AT) ?? 0, Date.now(), KV_LAG_MS)) return;
    await this.#show(record);
    log("record_restored", { owner: record.owner, version: record.version });
  }

  /** Does what is owed. What fails is tried again by the alarm. */
  async finish(): Promise<void> {
    const record = this.#record();
    if (!record) return;
    if (this.#kv.get(SHOWN_AT) === 0) await this.#show(record);
    try {
      await this.#leaveDesks(record);
      await this.#goOnPurging(record.owner);
    } catch (error) {
      log("registrar_behind", { owner: record.owner, error: errorText(error) });
      this.#wakeAfter(AGAIN_MS);
    }
  }

  async #leaveDesks(record: Stored): Promise<void> {
    const { owner, deskId } = record;
    for (const left of this.#left()) {
      const isBack = isTenant(record) && left === deskId;
      if (!isBack) {
        await this.#deps.directory.removeMember(left, owner);
        await this.#desk(left).leave(owner);
        if (isTenant(record)) await this.#index(owner).moveTo(owner, deskId);
      }
      this.#kv.put(
        LEFT,
        this.#left().filter((one) => one !== left),
      );
    }
  }

  async #goOnPurging(owner: string): Promise<void> {
    const { env, dataKeys, directory } = this.#deps;
    const purge = this.#purge();
    if (!purge || purge.endedAtMs !== undefined) return;
    // The key goes first: whatever happens from here on, nobody can read what is left.
    if (!purge.isKeyGone) {
      await dataKeys.destroy(owner);
      this.#kv.put<Purge>(PURGE, { ...purge, isKeyGone: true });
    }
    for (const name of Object.values(sessionNames(owner))) {
      await objectOf(env.ENGINE_SESSION, name, this.#config).forget();
    }
    const { deleted, isDone } = await this.#index(owner).purge(owner);
    if (!isDone) return this.#wakeAfter(PURGE_STEP_MS);
    await directory.deleteRecord(owner);
    this.#kv.put<Purge>(PURGE, { ...purge, isKeyGone: true, deleted, endedAtMs: Date.now() });
    log("tenant_purged", { owner, tickets: deleted });
  }

  /** What is paused is for the tenant's index to say. */
  async #withPaused({ paused: _paused, ...record }: Tenant): Promise<Tenant> {
    const paused = await this.#index(record.owner).paused();
    return Object.keys(paused).length === 0 ? record : { ...record, paused };
  }

  /** The newest record: this one, unless KV has a newer, which an earlier release or a crash has left there. */
  async #newest(owner: string): Promise<Stored | undefined> {
    return newerOf(this.#record(), await this.#deps.directory.freshRecord(owner));
  }

  /** Writes a change down with all that it owes, in one turn. */
  #keep(record: Stored, leftDesk: string | undefined): void {
    this.#kv.put(RECORD, record);
    this.#kv.put(SHOWN_AT, 0);
    if (leftDesk !== undefined) this.#kv.put(LEFT, [...new Set([...this.#left(), leftDesk])]);
    this.#wakeAfter(AGAIN_MS);
  }

  async #show(record: Stored): Promise<void> {
    const { directory } = this.#deps;
    if (isTenant(record)) await directory.putTenant(record);
    else if (this.#purge()?.endedAtMs === undefined) await directory.putTombstone(record);
    else await directory.deleteRecord(record.owner);
    this.#kv.put(SHOWN_AT, Date.now());
  }

  #wakeAfter(ms: number): void {
    void this.#deps.storage.setAlarm(Date.now() + ms);
  }

  #record = (): Stored | undefined => this.#kv.get<Stored>(RECORD);
  #purge = (): Purge | undefined => this.#kv.get<Purge>(PURGE);
  #left = (): string[] => this.#kv.get<string[]>(LEFT) ?? [];
  #desk = (deskId: string) => objectOf(this.#deps.env.REGISTRAR, `desk:${deskId}`, this.#config);
  #index = (owner: string) => objectOf(this.#deps.env.TENANT_INDEX, owner, this.#config);

  get #config() {
    return readConfig(this.#deps.env);
  }
}

const versionAfter = (before: Stored | undefined): number => (before?.version ?? 0) + 1;

const tombstoneOf = (before: Stored): Tombstone => {
  const { owner, deskId, delivery, retentionDays } = before;
  return { owner, deskId, delivery, retentionDays, version: versionAfter(before), deletedAtMs: Date.now() };
};
