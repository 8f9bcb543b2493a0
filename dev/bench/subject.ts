import { mkdtemp, readFile, rm, writeFile, cp } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { registerTenant } from "../harness/client.ts";
import { buildRelay, ingressKeyOf, relayConfig, startRelay, throwawaySettings } from "../harness/relay.ts";

/** What is measured: the relay, and the yardstick it is held against. */
export type Kind = "relay" | "yardstick";
export type Medium = "memory" | "disk";

export type Subject = {
  /** Where a message is posted. */
  url: string;
  pid: number;
  /** Rows written so far by all its Durable Objects, alarms counted; of a counted one alone. */
  rowsWritten: () => Promise<number>;
  stop: () => Promise<void>;
};

export type Bundles = Record<Kind, { plain: string; counted: string; config: string }>;

export const yardstickConfig = fileURLToPath(new URL("yardstick/wrangler.toml", import.meta.url));
/** The tenants there are. The desk of one of them may be made sick. */
export const OWNERS = { healthy: "healthy", sick: "sick" };

/** Builds both Workers into `folder`, each as it is deployed and once more with its writes counted. */
export async function buildSubjects(folder: string): Promise<Bundles> {
  const built = async (kind: Kind, config: string, main: string) => {
    const [plain, counted] = [join(folder, kind), join(folder, `${kind}-counted`)];
    await buildRelay(plain, config);
    await cp(plain, counted, { recursive: true });
    const source = await readFile(new URL("counting.js", import.meta.url), "utf8");
    await writeFile(join(counted, "counting.js"), source.replaceAll("./counted-worker.js", `./${main}`));
    return { plain, counted, config };
  };
  return {
    relay: await built("relay", relayConfig, "index.js"),
    yardstick: await built("yardstick", yardstickConfig, "worker.js"),
  };
}

/** Starts one with fresh state. `deskUrl` is where everything is delivered. */
export async function startSubject(
  kind: Kind,
  bundles: Bundles,
  deskUrl: string,
  { medium = "memory", counted = false }: { medium?: Medium; counted?: boolean } = {},
): Promise<Subject> {
  const persist = await mkdtemp(join(stateFolder(medium), "dolphin-relay-bench-"));
  const { plain, counted: countedBundle, config } = bundles[kind];
  const secrets = throwawaySettings();
  const settings = kind === "relay" ? secrets : { DESK: deskUrl };
  const bundle = counted ? countedBundle : plain;
  const runtime = await startRelay({ bundle, config, settings, persist, logs: false, direct: true });
  const stop = async () => {
    await runtime.stop();
    await rm(persist, { recursive: true, force: true, maxRetries: 5 });
  };
  const rowsWritten = async () => Number(await (await fetch(`${runtime.url}/rows-written`)).text());
  const common = { pid: runtime.pid(), rowsWritten, stop };
  if (kind === "yardstick") return { ...common, url: `${runtime.url}/` };
  for (const owner of Object.values(OWNERS)) {
    const record = {
      dolphins: { baseUrl: deskUrl },
      desk: { type: "native", url: `${deskUrl}/hook` },
      delivery: { timeoutMs: 2_000 },
    };
    await registerTenant(runtime.url, secrets.ADMIN_TOKEN, owner, record);
  }
  return { ...common, url: `${runtime.url}/v1/dolphins/${ingressKeyOf(secrets)}/incoming` };
}

/** Files in memory are to be had on Linux alone; elsewhere the usual folder has to do. */
function stateFolder(medium: Medium): string {
  return medium === "memory" && existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
}
