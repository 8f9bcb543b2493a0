import { errorText, log } from "../lib/log";
import type { Directory } from "../tenants/directory";
import type { TicketCache } from "./cache";
import type { TicketRow } from "./schema";

/** How long the mapping waits for its next try when KV did not take it. */
const RETRY_MS = 60_000;

type MappingDeps = {
  cache: TicketCache;
  directory: Directory;
  waitUntil: (promise: Promise<void>) => void;
};

/**
 * Writes into KV whose ticket this is. The ticket's row remembers whether KV has it. So if KV is away, or the object crashes,
 * the mapping is late and not lost.
 */
export class TicketMapping {
  readonly #deps: MappingDeps;
  #isUnderWay = false;

  constructor(deps: MappingDeps) {
    this.#deps = deps;
  }

  /** Writes the mapping, if KV does not have it and nothing is writing it. */
  writeIfDue(): void {
    const { cache, waitUntil } = this.#deps;
    if (cache.ticket?.mapped === 0 && !this.#isUnderWay) waitUntil(this.#write(cache.ticket));
  }

  /** When an alarm has to ring for the mapping, epoch ms. */
  dueMs(nowMs: number): number {
    return this.#deps.cache.ticket?.mapped === 0 ? nowMs + RETRY_MS : Number.POSITIVE_INFINITY;
  }

  async #write({ deskId, ticketNumber, owner }: TicketRow): Promise<void> {
    const { cache, directory } = this.#deps;
    const { life } = cache;
    this.#isUnderWay = true;
    try {
      await directory.mapTicket(deskId, ticketNumber, owner);
      // The tenant may have moved to another desk meanwhile.
      if (cache.ticket?.deskId === deskId) cache.change({ mapped: 1 });
      // It was deleted meanwhile, and the mapping before it.
      else if (!cache.ticket && cache.life !== life) await directory.unmapTicket(deskId, ticketNumber, owner);
    } catch (error) {
      log("mapping_failed", { owner, ticketNumber, error: errorText(error) });
    } finally {
      this.#isUnderWay = false;
    }
  }
}
