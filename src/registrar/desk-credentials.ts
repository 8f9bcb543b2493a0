import { log } from "../lib/log";
import type { Generation } from "../tenants/credentials";
import type { Directory } from "../tenants/directory";

const GENERATION = "generation";
const OWNERS = "owner:";
type Presence = "here" | "gone";

/**
 * The generations of a desk's credentials, and which tenants it serves. Who has left may come back and finds its token good.
 * But when all have left and somebody else comes, those credentials must not open what the newcomer brings.
 */
export class DeskCredentials {
  readonly #kv: SyncKvStorage;
  readonly #directory: Directory;

  constructor(kv: SyncKvStorage, directory: Directory) {
    this.#kv = kv;
    this.#directory = directory;
  }

  generation(): Generation | undefined {
    return this.#kv.get<Generation>(GENERATION);
  }

  async rotate(deskId: string, isAlone: boolean): Promise<Generation> {
    const started = await this.#directory.rotate(deskId, this.generation(), { isAlone, nowMs: Date.now() });
    this.#kv.put(GENERATION, started);
    return started;
  }

  async serve(deskId: string, owner: string): Promise<void> {
    const own = this.#presenceOf(owner);
    if (own === "here") return;
    const known = [...this.#kv.list<Presence>({ prefix: OWNERS })];
    const left = known.filter(([, presence]) => presence === "gone");
    if (left.length > 0 && own === undefined && !(await this.#serves(deskId, owner, known.length > left.length))) {
      await this.rotate(deskId, true);
      for (const [key] of left) this.#kv.delete(key);
      log("desk_taken_over", { owner });
    }
    this.#kv.put(OWNERS + owner, "here");
  }

  leave(owner: string): void {
    this.#kv.put(OWNERS + owner, "gone");
  }

  /** Whether the desk serves anybody else. A tenant that an earlier release has put is known to KV alone. */
  async #serves(deskId: string, owner: string, isAnyHere: boolean): Promise<boolean> {
    if (isAnyHere) return true;
    const shown = await this.#directory.freshMembers(deskId);
    return shown.some((one) => one.owner !== owner && this.#presenceOf(one.owner) !== "gone");
  }

  #presenceOf = (owner: string): Presence | undefined => this.#kv.get<Presence>(OWNERS + owner);
}
