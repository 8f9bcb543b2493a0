/**
 * A process of its own for miniflare and its workerd, started by relay.ts. It ends, and takes workerd with it, when the
 * channel to its parent closes, however the parent died.
 */
import type { ChildProcess } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { readFileSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";

export type RuntimeOptions = {
  bundle: string;
  config: string;
  settings: Record<string, string>;
  port: number;
  scratch: string;
  /** Whether the Worker's console lines are wanted. */
  logs: boolean;
  persist?: string;
  assets: boolean;
};

export type RuntimeMessage =
  | { type: "workerd"; pid: number }
  | { type: "log"; line: string }
  | { type: "ready"; url: string }
  | { type: "failed"; error: string };

function tell(message: RuntimeMessage): void {
  // The other side may be gone between the two: then nobody wants to know.
  if (process.connected) process.send?.(message, () => undefined);
}

/** miniflare does not say which process is workerd, and a listing of processes needs tools a slim image lacks. */
function watchForWorkerd(): void {
  subscribe("child_process", (message) => {
    const child = (message as { process: ChildProcess }).process;
    child.once("spawn", () => {
      if (child.pid !== undefined && basename(child.spawnfile).startsWith("workerd"))
        tell({ type: "workerd", pid: child.pid });
    });
  });
}

function miniflareOptions(options: RuntimeOptions): ConstructorParameters<typeof Miniflare>[0] {
  const config = unstable_readConfig({ config: options.config }, { hideWarnings: true });
  const { rootPath: _, modulesRules: __, ...worker } = unstable_getMiniflareWorkerOptions(config).workerOptions;
  // With assets every request takes two more hops through this one process, which would be all that a measurement shows.
  if (!options.assets) delete worker.assets;
  // The first is the entry: as a rule there is one, else what stands in front of it comes before it in the alphabet.
  const scripts = readdirSync(options.bundle)
    .filter((file) => file.endsWith(".js"))
    .toSorted();
  if (scripts.length === 0) throw new Error(`There is no bundle in ${options.bundle}.`);
  const converted = convertV4MiniflareOptions({
    ...worker,
    // The storage of a Durable Object is found by this name.
    name: "relay",
    modules: scripts.map((path) => ({
      type: "ESModule",
      path,
      contents: readFileSync(join(options.bundle, path), "utf8"),
    })),
    // In place of what wrangler gathered: that includes the secrets in the caller's environment and .dev.vars.
    bindings: { ...config.vars, ...options.settings },
    host: "127.0.0.1",
    port: options.port,
    cf: false,
    log: new Log(LogLevel.NONE),
    handleStructuredLogs: ({ message }) => {
      if (options.logs) tell({ type: "log", line: message });
    },
  });
  return options.persist === undefined ? converted : { ...converted, resourcePersistencePath: options.persist };
}

async function run(options: RuntimeOptions): Promise<void> {
  const miniflare = new Miniflare(miniflareOptions(options));
  process.once("disconnect", () => {
    void miniflare.dispose().finally(() => {
      rmSync(options.scratch, { recursive: true, force: true });
      process.exit();
    });
  });
  tell({ type: "ready", url: (await miniflare.ready).origin });
}

watchForWorkerd();
process.once("message", (options: RuntimeOptions) => {
  run(options).catch((error: unknown) => {
    tell({ type: "failed", error: error instanceof Error ? error.message : String(error) });
  });
});
