import { toBase64Url, utf8 } from "../crypto/bytes";
import { BoundedMap, memo } from "../lib/bounded-map";
import { isRecent } from "../lib/clock";
import { errorText, log } from "../lib/log";
import { FIRST_GENERATION, type Generation } from "./credentials";
import type { KeptKey } from "./data-key";
import type { Tenant } from "./tenant-record";

/**
 * The tenant directory in KV: the only place that touches it. KV is eventually consistent (a change may take a minute to
 * be seen elsewhere), so nothing here locks, counts or decides order.
 *
 * tenant:{owner}                      the record, secrets sealed; or what is left of it after DELETE
 * desk:{deskId}                       the generation of the desk's credentials
 * key:{owner}                         the tenant's data keys, sealed
 * member:{hash of deskId}:{hash of owner}            which tenants a desk serves
 * ticket:{hash of deskId and ticket}:{hash of owner} which tenants of a desk hold a ticket
 *
 * Hashes keep the keys under KV's 512 bytes; the names stand in the metadata. One key per pair, and not one list per
 * desk, so that two writers at once lose nothing.
 */

/** A deleted tenant: what its waiting messages still need. */
export type Tombstone = Pick<Tenant, "owner" | "deskId" | "delivery" | "retentionDays" | "version"> & {
  deletedAtMs: number;
};
export type Stored = Tenant | Tombstone;
type Holder = Pick<Stored, "owner" | "deskId" | "retentionDays" | "version">;
/** `unmapped` says that it may have tickets which KV does not map: those from when it was the desk's only tenant. */
type Member = { owner: string; unmapped?: boolean };

/** A Registrar, as far as it is asked here. It knows what KV does not show yet, or no more. */
type RegistrarStub = {
  newerRecord: (version: number) => Promise<Stored | undefined>;
  generation: () => Promise<Generation | undefined>;
};
type Registrars = (name: string) => RegistrarStub;

/** How long an isolate goes by what it has read: on top of what KV's own cache keeps, and far below a retry's patience. */
const FRESH_MS = 30_000;
/** A credential that was revoked elsewhere opens nothing for longer than this. */
export const REVOKED_MS = 5_000;
/** A Registrar that has not answered by now is away: then what KV says has to do. */
const REGISTRAR_MS = 2_000;
/** The least that KV takes. Together they make a minute. */
const KV_CACHE_SECONDS = 30;
/** For whether a ticket has to be mapped: where that is out of date, the ticket is asked. */
const LONG_FRESH_MS = 10 * 60_000;
const CACHE_ENTRIES = 5000;
/** KV keeps a tombstone as long as the longest `maxAgeSeconds`, which its messages may wait, and a day. */
const TOMBSTONE_SECONDS = 31 * 86_400;

/** In UTF-16 units, of a prefix and an id: at three bytes each that is below KV's 512. */
const LONGEST_KEY = 160;

export const PAGE = 100;

/** KV did not take or give something, and nobody here knows it. Nothing is known to be stored. */
export class DirectoryFailure extends Error {}

/** Whatever KV fails with (it limits writes to a key, and may be away), the caller can tell it from a fault of the relay. */
const reach = <T>(operation: Promise<T>): Promise<T> =>
  operation.catch((error: unknown) => {
    // A record that is no JSON is a fault, and to ask again does not help.
    if (error instanceof SyntaxError) throw error;
    throw new DirectoryFailure(errorText(error), { cause: error });
  });

export const isTenant = (stored: Stored | undefined): stored is Tenant =>
  stored !== undefined && !("deletedAtMs" in stored);

/** The record with the higher number. One without a number is of a release that gave none. */
export const newerOf = (one: Stored | undefined, other: Stored | undefined): Stored | undefined =>
  one && other ? ((one.version ?? 0) >= (other.version ?? 0) ? one : other) : (one ?? other);

type Known = { value: unknown; readAtMs: number };

/** What this isolate has read, shared by the Worker and all objects in it. "Not there" is not kept: it may be there next. */
const cache = new BoundedMap<string, Known>(CACHE_ENTRIES);

const remember = (key: string, value: unknown): void => void cache.set(key, { value, readAtMs: Date.now() });

/** What is known, if it is fresh, and else what KV says. While KV is out of reach, yesterday's word serves better than none. */
async function recall<T>(key: string, read: () => Promise<T>, freshMs = FRESH_MS): Promise<T> {
  const known = cache.get(key);
  if (known && isRecent(known.readAtMs, Date.now(), freshMs)) return known.value as T;
  try {
    return await read();
  } catch (error) {
    if (known) return known.value as T;
    throw error;
  }
}

const newerGeneration = (one: Generation | undefined, other: Generation | undefined): Generation => {
  const [a, b] = [one ?? FIRST_GENERATION, other ?? FIRST_GENERATION];
  return a.generation >= b.generation ? a : b;
};

const hash = memo(2000, async (text: string) =>
  toBase64Url(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(text)))),
);

const tenantKey = (owner: string) => `tenant:${owner}`;
const deskKey = (deskId: string) => `desk:${deskId}`;
/** In memory alone: the generation of which the Registrar has said that it is the newest. */
const confirmedKey = (deskId: string) => `confirmed:${deskId}`;
const dataKeyKey = (owner: string) => `key:${owner}`;
const memberPrefix = async (deskId: string) => `member:${await hash(deskId)}:`;
const ticketPrefix = async (deskId: string, ticketNumber: string) =>
  `ticket:${await hash(JSON.stringify([deskId, ticketNumber]))}:`;

export class Directory {
  readonly #kv: KVNamespace;
  readonly #registrars: Registrars | undefined;

  /** Without `registrars` it goes by what KV shows. */
  constructor(kv: KVNamespace, registrars?: Registrars) {
    this.#kv = kv;
    this.#registrars = registrars;
  }

  /** The tenant, its secrets sealed, or undefined when there is none (any more). */
  async tenant(owner: string): Promise<Tenant | undefined> {
    const stored = await this.#stored(owner);
    return isTenant(stored) ? stored : undefined;
  }

  /** The same, not from this isolate's memory: for whoever is about to change it. */
  async freshTenant(owner: string): Promise<Tenant | undefined> {
    const stored = await this.freshRecord(owner);
    return isTenant(stored) ? stored : undefined;
  }

  /** How messages of this owner are delivered and kept: known for a while after DELETE too, for those that still wait. */
  async policy(owner: string): Promise<Pick<Tenant, "delivery" | "retentionDays"> | undefined> {
    return this.#stored(owner);
  }

  /** The record, or what is left of it. An older one that was put back into KV gives way to the Registrar's. */
  async freshRecord(owner: string): Promise<Stored | undefined> {
    const key = tenantKey(owner);
    const shown = await this.#get<Stored>(key);
    if (shown === undefined) {
      cache.delete(key);
      return undefined;
    }
    const newer = await this.#registrar(`tenant:${owner}`, (it) => it.newerRecord(shown.version ?? 0));
    const stored = newer ?? shown;
    remember(key, stored);
    return stored;
  }

  /** For an isolate that has had a tenant put elsewhere: KV may take a minute to have it here. */
  rememberTenant(stored: Stored): void {
    remember(tenantKey(stored.owner), stored);
  }

  /** The next who asks for the tenant gets it as KV has it. */
  forgetTenant(owner: string): void {
    cache.delete(tenantKey(owner));
  }

  /** For the tenant's Registrar alone, as all that writes records. */
  async putTenant(tenant: Tenant): Promise<void> {
    const { owner, deskId } = tenant;
    const before = await this.#get<Stored>(tenantKey(owner));
    const members = await this.freshMembers(deskId);
    const isOnly = members.every((other) => other.owner === owner);
    // One that was deleted and comes back may have been the only one then.
    const isBack = !isTenant(before) && before?.deskId === deskId;
    const unmapped = isOnly || isBack || members.some((known) => known.owner === owner && known.unmapped);
    const metadata: Member = { owner, ...(unmapped ? { unmapped } : {}) };
    await reach(this.#kv.put((await memberPrefix(deskId)) + (await hash(owner)), "", { metadata }));
    await this.#write(tenantKey(owner), tenant);
    await this.#forgetMembers(deskId);
  }

  async removeMember(deskId: string, owner: string): Promise<void> {
    await reach(this.#kv.delete((await memberPrefix(deskId)) + (await hash(owner))));
    await this.#forgetMembers(deskId);
  }

  async putTombstone(tombstone: Tombstone): Promise<void> {
    await this.#write(tenantKey(tombstone.owner), tombstone, TOMBSTONE_SECONDS);
  }

  /** Nothing is left of the tenant. */
  async deleteRecord(owner: string): Promise<void> {
    await reach(this.#kv.delete(tenantKey(owner)));
    cache.delete(tenantKey(owner));
  }

  /** One page of tenants in the order of their owners, and the cursor of the next. */
  async tenants(cursor: string | undefined, limit: number): Promise<{ tenants: Tenant[]; next: string | undefined }> {
    const { stored, next } = await this.#page(cursor, limit);
    return { tenants: stored.filter(isTenant), next };
  }

  /** One page of all who may hold tickets: tenants, and deleted ones whose messages may still wait. */
  async holders(cursor: string | undefined): Promise<{ holders: Holder[]; next: string | undefined }> {
    const { stored, next } = await this.#page(cursor, PAGE);
    return { holders: stored, next };
  }

  /** The newest generation of a desk that is known to be one: KV may be behind, and so its Registrar is asked as well. */
  async generation(deskId: string, freshMs = FRESH_MS): Promise<Generation> {
    const key = confirmedKey(deskId);
    const read = async () => {
      const asked = this.#registrar(`desk:${deskId}`, (it) => it.generation());
      const shown = await this.#read<Generation>(deskKey(deskId)).catch(async (error: unknown) => {
        if ((await asked) === undefined) throw error;
        return undefined;
      });
      const newest = newerGeneration(await asked, shown);
      remember(key, newest);
      return newest;
    };
    return recall(key, read, freshMs);
  }

  /** The same for a desk that is only named, by a caller who has proved nothing: nothing is remembered and no object woken. */
  async claimedGeneration(deskId: string): Promise<Generation> {
    return recall(confirmedKey(deskId), async () =>
      newerGeneration(await this.#read<Generation>(deskKey(deskId)), undefined),
    );
  }

  /**
   * For the desk's Registrar alone: starts the next generation of its credentials and returns it. `last` is the newest that it
   * knows of, since what KV shows may be older.
   */
  async rotate(
    deskId: string,
    last: Generation | undefined,
    { isAlone, nowMs }: { isAlone: boolean; nowMs: number },
  ): Promise<Generation> {
    const { generation } = newerGeneration(last, await this.#get<Generation>(deskKey(deskId)));
    const next = { generation: generation + 1, rotatedAtMs: nowMs, ...(isAlone ? { isAlone } : {}) };
    await this.#write(deskKey(deskId), next);
    remember(confirmedKey(deskId), next);
    return next;
  }

  /** The data keys of a tenant, the newest first; undefined where KV shows none. */
  async dataKeys(owner: string): Promise<readonly KeptKey[] | undefined> {
    return this.#read(dataKeyKey(owner));
  }

  /** The same, not from this isolate's memory. */
  async freshDataKeys(owner: string): Promise<readonly KeptKey[] | undefined> {
    return this.#get(dataKeyKey(owner));
  }

  /** What the Registrar has said: KV may go on for a minute to show that there are none. */
  rememberDataKeys(owner: string, keys: readonly KeptKey[]): void {
    remember(dataKeyKey(owner), keys);
  }

  /** For the tenant's Registrar alone, where it happens once. */
  async putDataKeys(owner: string, keys: readonly KeptKey[]): Promise<void> {
    await this.#write(dataKeyKey(owner), keys);
  }

  /** The same. */
  async deleteDataKeys(owner: string): Promise<void> {
    await reach(this.#kv.delete(dataKeyKey(owner)));
    cache.delete(dataKeyKey(owner));
  }

  /** The tenants that KV shows for a desk, not from this isolate's memory. */
  async freshMembers(deskId: string): Promise<Member[]> {
    return this.#members(await memberPrefix(deskId));
  }

  /** The tenants a desk serves. */
  async membersOf(deskId: string, freshMs?: number): Promise<Member[]> {
    const prefix = await memberPrefix(deskId);
    const read = async () => {
      const members = await this.#members(prefix);
      if (members.length > 0) remember(prefix, members);
      return members;
    };
    return recall(prefix, read, freshMs);
  }

  /** Whether KV has to say whose a ticket of this owner is. The tickets of a desk's only tenant are all that tenant's. */
  async needsMapping(deskId: string, owner: string): Promise<boolean> {
    const [member, ...others] = await this.membersOf(deskId, LONG_FRESH_MS);
    return others.length > 0 || member?.owner !== owner || !member.unmapped;
  }

  /** Owners of the tenants under this desk that hold this ticket. */
  async ownersOf(deskId: string, ticketNumber: string): Promise<string[]> {
    const members = await this.#members(await ticketPrefix(deskId, ticketNumber));
    return members.map(({ owner }) => owner);
  }

  async mapTicket(deskId: string, ticketNumber: string, owner: string): Promise<void> {
    const key = (await ticketPrefix(deskId, ticketNumber)) + (await hash(owner));
    await reach(this.#kv.put(key, "", { metadata: { owner } }));
  }

  async unmapTicket(deskId: string, ticketNumber: string, owner: string): Promise<void> {
    await reach(this.#kv.delete((await ticketPrefix(deskId, ticketNumber)) + (await hash(owner))));
  }

  async #page(cursor: string | undefined, limit: number): Promise<{ stored: Stored[]; next: string | undefined }> {
    const list = await reach(this.#kv.list({ prefix: "tenant:", limit, ...(cursor === undefined ? {} : { cursor }) }));
    const names = list.keys.map((key) => key.name);
    const records =
      names.length > 0
        ? await reach(this.#kv.get<Stored>(names, { type: "json", cacheTtl: KV_CACHE_SECONDS }))
        : new Map<string, Stored>();
    const stored = names.flatMap((name) => records.get(name) ?? []);
    return { stored, next: list.list_complete ? undefined : list.cursor };
  }

  async #members(prefix: string): Promise<Member[]> {
    const list = await reach(this.#kv.list<Member>({ prefix }));
    return list.keys.flatMap((key) => key.metadata ?? []);
  }

  #stored(owner: string): Promise<Stored | undefined> {
    return recall(tenantKey(owner), () => this.freshRecord(owner));
  }

  async #read<T>(key: string): Promise<T | undefined> {
    return recall(key, async () => {
      const value = await this.#get<T>(key);
      if (value === undefined) cache.delete(key);
      else remember(key, value);
      return value;
    });
  }

  async #get<T>(key: string): Promise<T | undefined> {
    // What is asked for may be anything that somebody put into a URL; nothing of that length was ever stored.
    if (key.length > LONGEST_KEY) return undefined;
    const how = { type: "json", cacheTtl: KV_CACHE_SECONDS } as const;
    return (await reach(this.#kv.get<T>(key, how))) ?? undefined;
  }

  /** What a Registrar says; undefined where it knows nothing, or is away. */
  async #registrar<T>(name: string, question: (it: RegistrarStub) => Promise<T | undefined>): Promise<T | undefined> {
    if (!this.#registrars) return undefined;
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error("no answer in time")), REGISTRAR_MS);
    try {
      return await Promise.race([question(this.#registrars(name)), late]);
    } catch (error) {
      log("registrar_away", { name, error: errorText(error) });
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  async #write(key: string, value: unknown, expirationTtl?: number): Promise<void> {
    await reach(this.#kv.put(key, JSON.stringify(value), expirationTtl === undefined ? {} : { expirationTtl }));
    remember(key, value);
  }

  async #forgetMembers(deskId: string): Promise<void> {
    cache.delete(await memberPrefix(deskId));
  }
}
