import { errorText, log } from "../lib/log";
import type { Directory } from "../tenants/directory";
import type { TicketCache } from "./cache";
import type { TicketRow } from "./schema";

/** How long the mapping waits for its next try when KV did not take it. */
const RETRY_MS = 60_000;

type MappingDeps = {
  cache: TicketCache;
  directory: Pick<Directory, "needsMapping" | "mapTicket" | "unmapTicket">;
  waitUntil: (promise: Promise<void>) => void;
  /** Called when an alarm has to be set for the next try. */
  failed: () => void;
};

/**
 * Writes into KV whose ticket this is, where the desk has several tenants. The ticket's row remembers whether KV has it. So
 * if KV is away, or the object crashes, the mapping is late and not lost.
 */
export class TicketMapping {
  readonly #deps: MappingDeps;
  #isUnderWay = false;
  #hasFailed = false;
  /** The desk of which this instance has found that it has one tenant. */
  #soleDeskId: string | undefined;

  constructor(deps: MappingDeps) {
    this.#deps = deps;
  }

  /** Writes the mapping, if it is of use, KV does not have it, and nothing is writing it. */
  writeIfDue(): void {
    const { ticket } = this.#deps.cache;
    if (!ticket || ticket.mapped === 1 || ticket.deskId === this.#soleDeskId || this.#isUnderWay) return;
    this.#deps.waitUntil(this.#write(ticket));
  }

  /** When an alarm has to ring for the mapping, epoch ms. */
  dueMs(nowMs: number): number {
    return this.#hasFailed ? nowMs + RETRY_MS : Number.POSITIVE_INFINITY;
  }

  async #write({ deskId, ticketNumber, owner }: TicketRow): Promise<void> {
    const { cache, directory } = this.#deps;
    this.#isUnderWay = true;
    this.#hasFailed = false;
    try {
      if (!(await directory.needsMapping(deskId, owner))) {
        this.#soleDeskId = deskId;
        return;
      }
      await directory.mapTicket(deskId, ticketNumber, owner);
      // The ticket may have gone to another desk meanwhile, or be gone altogether.
      if (cache.ticket?.deskId === deskId) cache.change({ mapped: 1 });
      else await directory.unmapTicket(deskId, ticketNumber, owner);
    } catch (error) {
      this.#hasFailed = true;
      log("mapping_failed", { owner, ticketNumber, error: errorText(error) });
      this.#deps.failed();
    } finally {
      this.#isUnderWay = false;
    }
  }
}
