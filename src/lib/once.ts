import { isRecent } from "./clock";

/** Which keys there were since the window began: for what is to be done once in a while for each. */
export class OncePerWindow {
  readonly #windowMs: number;
  readonly #most: number;
  readonly #whenFull: "pass" | "drop";
  readonly #keys = new Set<string>();
  #sinceMs = 0;

  constructor(windowMs: number, most: number, whenFull: "pass" | "drop") {
    this.#windowMs = windowMs;
    this.#most = most;
    this.#whenFull = whenFull;
  }

  /** Whether it is time for this key. Without `add` it goes on being so. */
  isDue(key: string, nowMs: number): boolean {
    if (!isRecent(this.#sinceMs, nowMs, this.#windowMs)) {
      this.#keys.clear();
      this.#sinceMs = nowMs;
    }
    if (this.#keys.has(key)) return false;
    return this.#keys.size < this.#most || this.#whenFull === "pass";
  }

  add(key: string): void {
    if (this.#keys.size < this.#most) this.#keys.add(key);
  }
}
