import { DurableObject } from "cloudflare:workers";
import { objectOf, readConfig } from "../config";
import { errorText, log } from "../lib/log";

const STORED = "expiresAtMs";
/** Before the owner of each tenant whose live view the session has opened. */
const WATCHED = "watched:";
/** When a session that could not be ended whole tries again. */
const AGAIN_MS = 10_000;

/**
 * One sign-in of an operator to the console, named by the id in its cookie. It is what makes signing out final: a cookie
 * that somebody has copied is dead from then on, everywhere, because every request with it asks here, and the live views that
 * it has opened are closed.
 */
export class ConsoleSession extends DurableObject<Env> {
  async begin(expiresAtMs: number): Promise<void> {
    this.ctx.storage.kv.put(STORED, expiresAtMs);
    await this.ctx.storage.setAlarm(expiresAtMs);
  }

  async isOpen(): Promise<boolean> {
    return (this.ctx.storage.kv.get<number>(STORED) ?? 0) > Date.now();
  }

  /** Keeps that a live view of this tenant is open under the session's id. False when the session is over, and so the view. */
  async watch(owner: string, id: string): Promise<boolean> {
    if (!(await this.isOpen())) return false;
    if (this.ctx.storage.kv.get(WATCHED + owner) === undefined) this.ctx.storage.kv.put(WATCHED + owner, id);
    return true;
  }

  /** It is over with the first line. What a crash leaves open after that, the alarm closes. */
  async end(): Promise<void> {
    const { storage } = this.ctx;
    storage.kv.put(STORED, 0);
    await storage.setAlarm(Date.now() + AGAIN_MS);
    const indexOf = (owner: string) => objectOf(this.env.TENANT_INDEX, owner, readConfig(this.env));
    const watched = [...storage.kv.list<string>({ prefix: WATCHED })];
    const ended = await Promise.allSettled(
      watched.map(([key, id]) => indexOf(key.slice(WATCHED.length)).unsubscribe(id)),
    );
    const failed = ended.find(({ status }) => status === "rejected");
    if (failed) log("unsubscribing_failed", { error: errorText((failed as PromiseRejectedResult).reason) });
    else await storage.deleteAll();
  }

  override async alarm(): Promise<void> {
    await this.end();
  }
}
