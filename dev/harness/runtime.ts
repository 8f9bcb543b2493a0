/**
 * A process of its own for miniflare and its workerd, started by relay.ts. It ends, and takes workerd with it, when the
 * channel to its parent closes, however the parent died.
 */
import type { ChildProcess } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";

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
  /** Whether the URL leads to the Worker itself, past the one that miniflare puts in front of it. */
  direct: boolean;
  rateLimits?: Record<string, number>;
  reaches?: Record<string, string>;
};

export type RuntimeMessage =
  | { type: "workerd"; pid: number }
  | { type: "log"; line: string }
  | { type: "ready"; url: string }
  | { type: "failed"; error: string };

function send(message: RuntimeMessage): void {
  // The other side may be gone between the two: then nobody wants to know.
  if (process.connected) process.send?.(message, () => undefined);
}

/** miniflare does not say which process is workerd, and a listing of processes needs tools a slim image lacks. */
function watchForWorkerd(): void {
  subscribe("child_process", (message) => {
    const child = (message as { process: ChildProcess }).process;
    child.once("spawn", () => {
      if (child.pid !== undefined && basename(child.spawnfile).startsWith("workerd"))
        send({ type: "workerd", pid: child.pid });
    });
  });
}

type WorkerOptions = {
  assets?: unknown;
  bindings: Record<string, unknown>;
  ratelimits?: Record<string, { simple: { limit: number } }>;
};

/**
 * What wrangler makes of the configuration. To load wrangler takes longer than all the rest of a start, so its answer is kept
 * beside the bundle for the next one.
 */
async function workerOptions({ bundle, config: path, scratch }: RuntimeOptions): Promise<WorkerOptions> {
  const kept = join(bundle, "worker-options.json");
  if (!existsSync(kept)) {
    const { unstable_getMiniflareWorkerOptions, unstable_readConfig } = await import("wrangler");
    const config = unstable_readConfig({ config: path }, { hideWarnings: true });
    const { rootPath: _, modulesRules: __, ...worker } = unstable_getMiniflareWorkerOptions(config).workerOptions;
    // In place of what wrangler gathered: that includes the secrets in the caller's environment and .dev.vars.
    const options = { ...worker, bindings: config.vars };
    // In one step, for another runtime may read it at this moment.
    const unfinished = `${kept}.${basename(scratch)}`;
    writeFileSync(unfinished, JSON.stringify(options));
    renameSync(unfinished, kept);
  }
  return JSON.parse(readFileSync(kept, "utf8")) as WorkerOptions;
}

async function miniflareOptions(options: RuntimeOptions): Promise<ConstructorParameters<typeof Miniflare>[0]> {
  const { assets, ...worker } = await workerOptions(options);
  for (const [name, { simple }] of Object.entries(worker.ratelimits ?? {}))
    simple.limit = options.rateLimits?.[name] ?? simple.limit;
  // The first is the entry: as a rule there is one, else what stands in front of it comes before it in the alphabet.
  const scripts = readdirSync(options.bundle)
    .filter((file) => file.endsWith(".js"))
    .toSorted();
  if (scripts.length === 0) throw new Error(`There is no bundle in ${options.bundle}.`);
  const converted = convertV4MiniflareOptions({
    ...worker,
    // With assets every request takes two more hops through this one process, which would be all that a measurement shows.
    ...(options.assets ? { assets } : {}),
    // The storage of a Durable Object is found by this name.
    name: "relay",
    modules: scripts.map((path) => ({
      type: "ESModule",
      path,
      contents: readFileSync(join(options.bundle, path), "utf8"),
    })),
    bindings: { ...worker.bindings, ...options.settings },
    serviceBindings: Object.fromEntries(
      Object.entries(options.reaches ?? {}).map(([name, address]) => [name, { external: { address, http: {} } }]),
    ),
    host: "127.0.0.1",
    port: options.port,
    unsafeDirectSockets: options.direct ? [{ host: "127.0.0.1", port: 0 }] : [],
    cf: false,
    log: new Log(LogLevel.NONE),
    handleStructuredLogs: ({ message }) => {
      if (options.logs) send({ type: "log", line: message });
    },
  } as Parameters<typeof convertV4MiniflareOptions>[0]);
  return options.persist === undefined ? converted : { ...converted, resourcePersistencePath: options.persist };
}

async function run(options: RuntimeOptions): Promise<void> {
  const miniflare = new Miniflare(await miniflareOptions(options));
  process.once("disconnect", () => {
    void miniflare.dispose().finally(() => {
      rmSync(options.scratch, { recursive: true, force: true });
      process.exit();
    });
  });
  const url = await (options.direct ? miniflare.unsafeGetDirectURL() : miniflare.ready);
  send({ type: "ready", url: url.origin });
}

watchForWorkerd();
process.once("message", (options: RuntimeOptions) => {
  run(options).catch((error: unknown) => {
    send({ type: "failed", error: error instanceof Error ? error.message : String(error) });
  });
});
