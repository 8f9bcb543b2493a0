import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { call, credentialsAnswer, read, tenantAnswer } from "../harness/client.ts";
import { type Pretend, startPretend } from "../fakes/far-end.ts";
import { startRelay, throwawaySettings } from "../harness/relay.ts";
import type { Moments } from "./moments.ts";
import { type Proxy, startProxy } from "./proxy.ts";
import { randomStream } from "./random.ts";

/** One end of the runtime and its new start. `stopped` is the orderly way, as a deploy has it. */
export type Interruption = { how: "killed" | "stopped"; atMs: number; goneAtMs: number; upAtMs: number };

export type Tenant = { owner: string; deskToken: string };

/** The relay between two far ends, with a proxy that does harm in front of each. */
export type Stage = {
  tenants: Tenant[];
  ingressKey: string;
  adminToken: string;
  /** Where the relay is, once it is up: another place after each start. */
  relayUrl: () => Promise<string>;
  interrupt: (how: Interruption["how"], downMs: number) => Promise<void>;
  interruptions: Interruption[];
  desk: Pretend;
  engine: Pretend;
  toDesk: Proxy;
  toDolphins: Proxy;
};

/** An attempt's time limit: short, so that a request that hangs does not hold its lane for long. Delays are far below it. */
export const TIMEOUT_MS = 2_000;

export async function setStage(
  options: { bundle: string; seed: number; tenants: number; failuresInARow: number; moments: Moments },
  cleanup: AsyncDisposableStack,
): Promise<Stage> {
  const { bundle, seed, moments, failuresInARow } = options;
  const persist = await mkdtemp(join(tmpdir(), "dolphin-relay-chaos-"));
  cleanup.defer(() => rm(persist, { recursive: true, force: true, maxRetries: 5 }));
  const pretend = async (): Promise<Pretend> => {
    const started = await startPretend();
    cleanup.defer(started.close);
    return started;
  };
  const [desk, engine] = [await pretend(), await pretend()];
  const proxy = async (target: string, lane: "toDesk" | "toDolphins"): Promise<Proxy> => {
    const started = await startProxy({
      target,
      lane,
      moments,
      failuresInARow,
      random: randomStream(seed, `faults ${lane}`),
    });
    cleanup.defer(started.close);
    return started;
  };
  const [toDesk, toDolphins] = [await proxy(desk.url, "toDesk"), await proxy(engine.url, "toDolphins")];

  const settings = throwawaySettings();
  let relay = startRelay({ bundle, settings, persist });
  cleanup.defer(async () => {
    const running = await relay;
    // A sender that is still under way, because something failed, ends here.
    relay = Promise.reject(new Error("The relay is stopped."));
    relay.catch(() => undefined);
    await running.stop();
  });
  const interruptions: Interruption[] = [];
  const interrupt = async (how: Interruption["how"], downMs: number): Promise<void> => {
    const running = await relay;
    const atMs = Date.now();
    const gone = how === "killed" ? running.kill() : running.stop();
    // Whoever asks for the relay from now on waits for the next one.
    const next = Promise.withResolvers<typeof running>();
    next.promise.catch(() => undefined);
    relay = next.promise;
    try {
      await gone;
      const goneAtMs = Date.now();
      await pause(downMs);
      next.resolve(await startRelay({ bundle, settings, persist }));
      interruptions.push({ how, atMs, goneAtMs, upAtMs: Date.now() });
    } catch (error) {
      next.reject(error);
      throw error;
    }
  };

  const relayUrl = async (): Promise<string> => (await relay).url;
  const targets = { engine: toDolphins.url, desk: toDesk.url };
  const tenants: Tenant[] = [];
  for (let number = 1; number <= options.tenants; number += 1) {
    const owner = `chaos-tenant-${number}`;
    const deskToken = await registerTenant(await relayUrl(), settings.ADMIN_TOKEN, owner, targets);
    tenants.push({ owner, deskToken });
  }
  return {
    tenants,
    ingressKey: settings.INGRESS_KEYS.slice(settings.INGRESS_KEYS.indexOf("=") + 1),
    adminToken: settings.ADMIN_TOKEN,
    relayUrl,
    interrupt,
    interruptions,
    desk,
    engine,
    toDesk,
    toDolphins,
  };
}

async function registerTenant(
  relayUrl: string,
  adminToken: string,
  owner: string,
  targets: { engine: string; desk: string },
): Promise<string> {
  const path = `${relayUrl}/admin/tenants/${owner}`;
  const record = {
    dolphins: { baseUrl: targets.engine },
    desk: { type: "native", url: `${targets.desk}/hooks/dolphins` },
    delivery: { timeoutMs: TIMEOUT_MS },
  };
  read(await call("PUT", path, { token: adminToken, body: record }), tenantAnswer, "Registering a tenant");
  const answer = await call("GET", `${path}/credentials`, { token: adminToken });
  return read(answer, credentialsAnswer, "Fetching a tenant's credentials").credentials.token;
}
