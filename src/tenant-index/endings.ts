import { isRecent } from "../lib/clock";
import type { Report } from "../model/ticket-report";

const KEY = "ended";
/** By then every ticket that was opened before has reported. */
const ERASED_MS = 10 * 60_000;
/** A purge lasts no less: by then a ticket that was opened just before it has reported, and gone. */
const PURGE_MS = 15_000;

type Kept = {
  /** Tickets that were opened before this are of a tenant that was purged. Infinity as long as there is no other. */
  sinceMs?: number;
  erased?: { contactId: string; atMs: number }[];
  /** Of the last purge. */
  purgedAtMs?: number;
  deleted?: number;
};

/**
 * Which tickets should be no more. An event may have passed the door just before a purge or an erasure, so that its ticket is
 * not known here yet: that is refused when it reports, and ends itself.
 */
export class Endings {
  readonly #kv: SyncKvStorage;
  #kept: Kept | undefined;

  constructor(kv: SyncKvStorage) {
    this.#kv = kv;
  }

  refuses({ openedAtMs, contactId, formerContacts = [] }: Report): boolean {
    const { sinceMs = 0, erased = [] } = this.#read();
    if (openedAtMs < sinceMs) return true;
    return erased.some((one) => openedAtMs < one.atMs && [contactId, ...formerContacts].includes(one.contactId));
  }

  isPurged = (): boolean => this.#read().sinceMs === Number.POSITIVE_INFINITY;

  purgedTickets = (): number => this.#read().deleted ?? 0;

  /** Whether tickets may still come that the purge has not seen. */
  isSettling = (nowMs: number): boolean => isRecent(this.#read().purgedAtMs ?? 0, nowMs, PURGE_MS);

  purge(nowMs: number): void {
    this.#save({ sinceMs: Number.POSITIVE_INFINITY, purgedAtMs: nowMs });
  }

  /** All tickets that the index knew are gone. Of what it has in storage only this stays. */
  async purged(deleted: number, deleteAll: () => Promise<void>): Promise<void> {
    const before = this.#read();
    await deleteAll();
    this.#save({ ...before, deleted });
  }

  /** A tenant of the same name begins. */
  reopen(nowMs: number): void {
    if (this.isPurged()) this.#save({ sinceMs: nowMs });
  }

  erase(contactId: string, nowMs: number): void {
    const { erased = [], ...others } = this.#read();
    const recent = erased.filter((one) => isRecent(one.atMs, nowMs, ERASED_MS) && one.contactId !== contactId);
    this.#save({ ...others, erased: [...recent, { contactId, atMs: nowMs }] });
  }

  #read = (): Kept => (this.#kept ??= this.#kv.get<Kept>(KEY) ?? {});

  #save(kept: Kept): void {
    this.#kv.put(KEY, kept);
    this.#kept = kept;
  }
}
