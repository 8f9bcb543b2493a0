import { execFile, fork, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify, stripVTControlCharacters } from "node:util";
import type { RuntimeMessage, RuntimeOptions } from "./runtime.ts";

export type Settings = {
  ADMIN_TOKEN: string;
  MASTER_KEY: string;
  INGRESS_KEYS: string;
  ALLOW_INSECURE_TARGETS: string;
} & Partial<Record<"OPERATORS" | "ACCESS_TEAM_DOMAIN" | "ACCESS_AUD" | "ACCESS_ROLES", string>>;

/** The built Worker on the real runtime. `logs` holds the Worker's console lines, in the order they came. */
export type Relay = {
  url: string;
  logs: string[];
  /** Of workerd, the process in which the Worker runs. */
  pid: () => number;
  /** `kill -9` of the runtime. Resolves when it is gone. */
  kill: () => Promise<void>;
  stop: () => Promise<void>;
};

const root = fileURLToPath(new URL("../..", import.meta.url));
const startTimeoutMs = 30_000;
const stopTimeoutMs = 10_000;

/** Secrets for one run, random each time. */
export function throwawaySettings(): Settings {
  return {
    ADMIN_TOKEN: randomBytes(32).toString("hex"),
    MASTER_KEY: randomBytes(32).toString("base64"),
    INGRESS_KEYS: `main=${randomBytes(24).toString("hex")}`,
    ALLOW_INSECURE_TARGETS: "true",
  };
}

/** The key of the engine that comes first in INGRESS_KEYS. */
export const ingressKeyOf = ({ INGRESS_KEYS }: Settings): string => INGRESS_KEYS.split(",")[0]?.split("=")[1] ?? "";

export const relayConfig = join(root, "wrangler.toml");

/**
 * Writes the production bundle of a Worker, the relay's unless another's configuration is given, into `outDir`. Needs no
 * network and no login. Throws with what wrangler said.
 */
export async function buildRelay(outDir: string, config = relayConfig, more: string[] = []): Promise<void> {
  const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");
  const env = {
    ...process.env,
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_HIDE_BANNER: "true",
    WRANGLER_WRITE_LOGS: "false",
  };
  const args = [wrangler, "deploy", "--dry-run", "--config", config, "--outdir", resolve(outDir), ...more];
  try {
    await promisify(execFile)(process.execPath, args, { cwd: root, env });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    const said = stripVTControlCharacters(`${stdout}${stderr}`).trim();
    throw new Error(`The relay does not build.\n${said || String(error)}`, { cause: error });
  }
}

/**
 * Serves the bundle in the directory `bundle` on 127.0.0.1, on a free port when none is given. With the same `persist`
 * directory and the same settings it goes on with the same KV, Durable Objects and alarms, after `stop` or `kill`.
 * Without `persist` the state is gone with the process. A setting that is left out is missing in the Worker too.
 */
export async function startRelay(options: {
  bundle: string;
  settings: Partial<Settings> | Record<string, string>;
  config?: string;
  port?: number;
  persist?: string;
  /** Whether `logs` is wanted: passing each line on costs the machine as much as a request. */
  logs?: boolean;
  /** Serves the console and the API reference too, as every deployed relay does. */
  assets?: boolean;
  /** Past the Worker that miniflare puts in front: it takes more CPU than all that the relay does. */
  direct?: boolean;
  /** By a limiter's name, in place of its `limit` in wrangler.toml. */
  rateLimits?: Record<string, number>;
  /** Bindings by name, and the `host:port` that each of them leads to, whatever is asked for. */
  reaches?: Record<string, string>;
}): Promise<Relay> {
  const scratch = await mkdtemp(join(tmpdir(), "dolphin-relay-"));
  const runtime = startRuntime(scratch);
  try {
    const started = runtime.ready();
    const order: RuntimeOptions = {
      bundle: resolve(options.bundle),
      config: options.config ?? relayConfig,
      settings: options.settings,
      port: options.port ?? 0,
      scratch,
      logs: options.logs ?? true,
      assets: options.assets ?? false,
      direct: options.direct ?? false,
      ...(options.persist === undefined ? {} : { persist: resolve(options.persist) }),
      ...(options.rateLimits === undefined ? {} : { rateLimits: options.rateLimits }),
      ...(options.reaches === undefined ? {} : { reaches: options.reaches }),
    };
    runtime.host.send(order);
    const url = await started;
    const { logs, pid, kill, stop } = runtime;
    return { url, logs, pid, kill, stop };
  } catch (error) {
    await runtime.kill();
    throw error;
  }
}

/** The process that runs miniflare, in a session of its own: so Ctrl-C reaches us alone, and it outlives us to clean up. */
function startRuntime(scratch: string) {
  const logs: string[] = [];
  let workerdPid: number | undefined;
  const host: ChildProcess = fork(fileURLToPath(new URL("runtime.ts", import.meta.url)), {
    detached: true,
    execArgv: [],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: { ...process.env, WRANGLER_LOG: "error", TMPDIR: scratch, TEMP: scratch, TMP: scratch },
  });
  const ended = new Promise((fulfil) => host.once("exit", fulfil).once("error", fulfil));
  const clearUp = async () => {
    await ended;
    if (workerdPid !== undefined) await killProcess(workerdPid);
    await rm(scratch, { recursive: true, force: true, maxRetries: 5 });
  };
  const gone = clearUp();
  // A runtime that dies by itself is cleared up too, with nobody waiting: who calls kill or stop hears of a failure.
  gone.catch(() => undefined);
  host.on("message", (message: RuntimeMessage) => {
    if (message.type === "log") logs.push(message.line);
    if (message.type === "workerd") workerdPid = message.pid;
  });

  const ready = () =>
    new Promise<string>((fulfil, reject) => {
      const deadline = setTimeout(() => reject(new Error("The runtime did not start in time.")), startTimeoutMs);
      host.on("message", (message: RuntimeMessage) => {
        if (message.type === "ready") fulfil(message.url);
        if (message.type === "failed") reject(new Error(message.error));
        if (message.type === "ready" || message.type === "failed") clearTimeout(deadline);
      });
      host.on("error", reject);
      host.on("exit", (code, signal) => {
        clearTimeout(deadline);
        reject(new Error(`The runtime ended while it started (${signal ?? code}).`));
      });
    });

  const kill = async () => {
    // The host first: it would start a fresh workerd in place of a dead one.
    host.kill("SIGKILL");
    if (workerdPid !== undefined) sendSignal(workerdPid, "SIGKILL");
    await gone;
  };

  const stop = async () => {
    if (host.connected) host.disconnect();
    const deadline = setTimeout(() => host.kill("SIGKILL"), stopTimeoutMs);
    await gone;
    clearTimeout(deadline);
  };

  const pid = () => {
    if (workerdPid === undefined) throw new Error("The runtime has not said which process is workerd.");
    return workerdPid;
  };

  return { host, logs, ready, pid, kill, stop };
}

async function killProcess(pid: number): Promise<void> {
  sendSignal(pid, "SIGKILL");
  const deadlineMs = Date.now() + stopTimeoutMs;
  while (isRunning(pid)) {
    if (Date.now() > deadlineMs) throw new Error(`workerd (pid ${pid}) does not end.`);
    await pause(5);
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/** A zombie holds no file and no port any more. It stays for good where process 1 reaps nobody, as in many containers. */
function isRunning(pid: number): boolean {
  if (!sendSignal(pid, 0)) return false;
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return sendSignal(pid, 0);
  }
}
