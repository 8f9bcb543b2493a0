import { DurableObject } from "cloudflare:workers";

const STORED = "expiresAtMs";

/**
 * One sign-in of an operator to the console, named by the id in its cookie. It is what makes signing out final: a cookie
 * that somebody has copied is dead from then on, everywhere, because every request with it asks here.
 */
export class ConsoleSession extends DurableObject<Env> {
  async begin(expiresAtMs: number): Promise<void> {
    this.ctx.storage.kv.put(STORED, expiresAtMs);
    await this.ctx.storage.setAlarm(expiresAtMs);
  }

  async isOpen(): Promise<boolean> {
    return (this.ctx.storage.kv.get<number>(STORED) ?? 0) > Date.now();
  }

  async end(): Promise<void> {
    await this.ctx.storage.deleteAll();
  }

  override async alarm(): Promise<void> {
    await this.end();
  }
}
