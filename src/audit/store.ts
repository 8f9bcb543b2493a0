import { hasTables, migrate } from "../lib/migrate";
import { START, type Link, type Place } from "./chain";
import { ANCHOR_KEY, HEAD_KEY, SCHEMA } from "./schema";

export type Filter = { owner?: string | undefined; actor?: string | undefined };

/** All SQL of the audit log. An entry is two rows written: itself, and the head. */
export class AuditStore {
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** Whether anything was ever written. Writes nothing. */
  exists(): boolean {
    return hasTables(this.#storage);
  }

  readHead(): Place {
    return this.#storage.kv.get<Place>(HEAD_KEY) ?? START;
  }

  /** Behind this place the entries that are still there begin. */
  readAnchor(): Place {
    return this.#storage.kv.get<Place>(ANCHOR_KEY) ?? START;
  }

  append({ seq, json, hash }: Link): void {
    const { kv, sql } = this.#storage;
    this.#storage.transactionSync(() => {
      migrate({ kv, exec: (...query) => sql.exec(...query) }, SCHEMA, []);
      sql.exec("INSERT INTO entry (seq, json, hash) VALUES (?, ?, ?)", seq, json, hash);
      kv.put<Place>(HEAD_KEY, { seq, hash });
    });
  }

  /** Of the entries from `from` down to `to`, the newest `limit` that fit. */
  readNewest({ owner, actor }: Filter, from: number, to: number, limit: number): Link[] {
    return this.#links(
      `SELECT seq, json, hash FROM entry
       WHERE seq <= ?1 AND seq >= ?2 AND (?3 IS NULL OR json_extract(json, '$.owner') = ?3)
         AND (?4 IS NULL OR json_extract(json, '$.actor.name') = ?4)
       ORDER BY seq DESC LIMIT ?5`,
      from,
      to,
      owner ?? null,
      actor ?? null,
      limit,
    );
  }

  readAfter(seq: number, limit: number): Link[] {
    return this.#links("SELECT seq, json, hash FROM entry WHERE seq > ? ORDER BY seq LIMIT ?", seq, limit);
  }

  readHash(seq: number): string | undefined {
    return this.#links("SELECT seq, json, hash FROM entry WHERE seq = ?", seq)[0]?.hash;
  }

  /** Deletes the oldest entries up to the first that is not older than `at`, and keeps where the chain goes on. */
  prune(at: string): Place {
    const { kv, sql } = this.#storage;
    return this.#storage.transactionSync(() => {
      const [young] = this.#links(
        "SELECT seq, json, hash FROM entry WHERE json_extract(json, '$.at') >= ? ORDER BY seq LIMIT 1",
        at,
      );
      const [last] = this.#links(
        "SELECT seq, json, hash FROM entry WHERE seq < ? ORDER BY seq DESC LIMIT 1",
        young?.seq ?? Number.MAX_SAFE_INTEGER,
      );
      if (!last) return this.readAnchor();
      sql.exec("DELETE FROM entry WHERE seq <= ?", last.seq);
      const anchor = { seq: last.seq, hash: last.hash };
      kv.put<Place>(ANCHOR_KEY, anchor);
      return anchor;
    });
  }

  #links(query: string, ...values: (string | number | null)[]): Link[] {
    return this.#storage.sql.exec<Link>(query, ...values).toArray();
  }
}
