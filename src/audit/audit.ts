import { DurableObject } from "cloudflare:workers";
import { log } from "../lib/log";
import { OncePerWindow } from "../lib/once";
import type { AuditCheck } from "../model/answers";
import { LOOK_MS, lookOf, MOST_FAILURES, type NewEntry } from "../model/audit";
import { isoTime } from "../model/timeline";
import { brokenAtEnd, firstBroken, linkAfter, type Link, type Place } from "./chain";
import { AuditStore, type Filter } from "./store";

const DAY_MS = 24 * 3600_000;
const KEPT_MS = 400 * DAY_MS;
/** Read for one page: a filter that fits little must not read the whole log at once. */
const MOST_READ = 50_000;
/** Hashed at one question: well within the time that a request of an object may compute. */
const CHECKED_AT_ONCE = 10_000;
const LOOKS = 10_000;

/**
 * Who did or read what, for the whole relay. Entries are added, and go when they are 400 days old; nothing else ever happens
 * to them.
 */
export class Audit extends DurableObject<Env> {
  readonly #store = new AuditStore(this.ctx.storage);
  readonly #looks = new OncePerWindow(LOOK_MS, LOOKS, "pass");
  readonly #failures = new OncePerWindow(LOOK_MS, MOST_FAILURES, "drop");
  /** Entries wait for each other: a hash is awaited, and each is of the one before. */
  #newest: Promise<unknown> = Promise.resolve();

  /** Whether entries can be written. Writes nothing. */
  async isReady(): Promise<boolean> {
    return this.#store.readHead().seq >= 0;
  }

  async append(entry: NewEntry): Promise<void> {
    return this.#inTurn(() => this.#append(entry));
  }

  /** The same, unless there is one of this look already, a short while ago. */
  async appendLook(entry: NewEntry): Promise<void> {
    return this.#inTurn(() => this.#appendOnce(this.#looks, lookOf(entry), entry));
  }

  /** The same of a sign-in that failed: one for each address, and not more than so many in all. */
  async appendFailure(entry: NewEntry): Promise<void> {
    return this.#inTurn(() => this.#appendOnce(this.#failures, entry.address ?? "", entry));
  }

  /** Each as JSON, the newest first. `next` is where to go on; a page may have fewer than `limit`, and still have one. */
  async entries(filter: Filter, before: number, limit: number): Promise<{ entries: string[]; next?: number }> {
    if (!this.#store.exists()) return { entries: [] };
    const from = Math.min(before - 1, this.#store.readHead().seq);
    const oldest = this.#store.readAnchor().seq + 1;
    const to = Math.max(oldest, from - MOST_READ + 1);
    const links = this.#store.readNewest(filter, from, to, limit + 1);
    const page = links.slice(0, limit);
    const next = links.length > limit ? page.at(-1)?.seq : to > oldest ? to : undefined;
    return { entries: page.map(shown), ...(next === undefined ? {} : { next }) };
  }

  /** Checks the entries behind number `after`, as many as one question may; with `next` there are more. */
  async check(after: number | undefined): Promise<AuditCheck & { next?: number }> {
    const [anchor, head] = [this.#store.readAnchor(), this.#store.readHead()];
    const from: Place =
      after === undefined || after <= anchor.seq ? anchor : { seq: after, hash: this.#store.readHash(after) ?? "" };
    const links = this.#store.exists() ? this.#store.readAfter(from.seq, CHECKED_AT_ONCE) : [];
    const end = links.at(-1) ?? from;
    const isEnd = links.length < CHECKED_AT_ONCE;
    const broken = (await firstBroken(from, links)) ?? (isEnd ? brokenAtEnd(end, head) : undefined);
    return {
      first: anchor.seq + 1,
      last: head.seq,
      head: head.hash,
      ...(broken === undefined ? {} : { firstBroken: broken }),
      ...(broken === undefined && !isEnd ? { next: end.seq } : {}),
    };
  }

  override async alarm(): Promise<void> {
    const { seq: deleted } = this.#store.prune(isoTime(Date.now() - KEPT_MS));
    const { seq, hash } = this.#store.readHead();
    // Kept outside, it says later whether the log still leads to it.
    log("audit_head", { seq, hash, deleted });
    if (seq > deleted) await this.ctx.storage.setAlarm(Date.now() + DAY_MS);
  }

  #inTurn(act: () => Promise<void>): Promise<void> {
    const done = this.#newest.then(act);
    this.#newest = done.catch(() => undefined);
    return done;
  }

  async #appendOnce(once: OncePerWindow, key: string, entry: NewEntry): Promise<void> {
    if (!once.isDue(key, Date.now())) return;
    await this.#append(entry);
    once.add(key);
  }

  async #append(entry: NewEntry): Promise<void> {
    const link = await linkAfter(this.#store.readHead(), { ...entry, at: isoTime(Date.now()) });
    this.#store.append(link);
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now() + DAY_MS);
  }
}

/** An `AuditEntry`: as it was hashed, and its hash. */
const shown = ({ json, hash }: Link): string => `${json.slice(0, -1)},"hash":"${hash}"}`;
