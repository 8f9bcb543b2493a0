/** A Map of at most so many entries: the oldest makes room for a new one. To set a key again makes it the newest. */
export class BoundedMap<K, V> extends Map<K, V> {
  readonly #most: number;

  constructor(most: number) {
    super();
    this.#most = most;
  }

  override set(key: K, value: V): this {
    this.delete(key);
    const oldest = this.keys().next();
    if (this.size >= this.#most && !oldest.done) this.delete(oldest.value);
    return super.set(key, value);
  }
}

/** Remembers what `make` returned for the last `most` keys: for values that a key determines for good. */
export function memo<T>(most: number, make: (key: string) => T): (key: string) => T {
  const kept = new BoundedMap<string, T>(most);
  return (key) => {
    const known = kept.get(key);
    if (known !== undefined) return known;
    const made = make(key);
    kept.set(key, made);
    return made;
  };
}
