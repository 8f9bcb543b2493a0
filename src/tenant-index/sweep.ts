import { objectOf, readConfig } from "../config";
import { errorText, log } from "../lib/log";
import { pooled } from "../lib/pool";
import { Directory } from "../tenants/directory";

const TENANTS_AT_ONCE = 6;
const DAY_MS = 24 * 3600_000;

/**
 * Has the index of every tenant wake the tickets that need it. A deleted tenant is among them as long as its messages may
 * wait. Never throws: what fails is logged, and the next sweep comes in minutes.
 */
export async function sweep(env: Env): Promise<void> {
  const startedAtMs = Date.now();
  const directory = new Directory(env.DIRECTORY);
  const sum = { tenants: 0, woken: 0, failed: 0 };
  try {
    let cursor: string | undefined;
    do {
      const { holders, next } = await directory.holders(cursor);
      await pooled(holders, TENANTS_AT_ONCE, async (shown) => {
        const { owner } = shown;
        sum.tenants++;
        try {
          // It knows whether KV has an older one, and then gives it the newest again.
          const registrar = objectOf(env.REGISTRAR, `tenant:${owner}`, readConfig(env));
          const { retentionDays, deskId } = (await registrar.newerRecord(shown.version ?? 0)) ?? shown;
          const index = objectOf(env.TENANT_INDEX, owner, readConfig(env));
          // The ticket's own alarm ends it a day earlier.
          const { woken, failed } = await index.sweep(owner, (retentionDays + 1) * DAY_MS, deskId);
          sum.woken += woken;
          sum.failed += failed;
        } catch (error) {
          sum.failed++;
          log("tenant_sweep_failed", { owner, error: errorText(error) });
        }
      });
      cursor = next;
    } while (cursor !== undefined);
    log("swept", { ...sum, ms: Date.now() - startedAtMs });
  } catch (error) {
    log("sweep_failed", { ...sum, error: errorText(error), ms: Date.now() - startedAtMs });
  }
}
