import { setTimeout as pause } from "node:timers/promises";
import { type FarEnd, startFarEnd } from "../fakes/far-end.ts";
import { registerTenant } from "../harness/client.ts";
import { temporaryFolder } from "../harness/folder.ts";
import { ingressKeyOf, startRelay, throwawaySettings } from "../harness/relay.ts";
import type { KillPoints } from "./kill-points.ts";
import type { LaneName } from "./lanes.ts";
import { type Proxy, startProxy } from "./proxy.ts";
import { randomStream } from "./random.ts";

/** One end of the runtime and its new start. `stopped` is the orderly way, as a deploy has it. */
export type Interruption = { how: "killed" | "stopped"; atMs: number; goneAtMs: number; upAtMs: number };

export type Tenant = { owner: string; deskToken: string };

/** The relay between two far ends, with a proxy that does harm in front of each. */
export type Scenario = {
  tenants: Tenant[];
  ingressKey: string;
  adminToken: string;
  /** Where the relay is, once it is up: another place after each start. */
  relayUrl: () => Promise<string>;
  interrupt: (how: Interruption["how"], downMs: number) => Promise<void>;
  interruptions: Interruption[];
  desk: FarEnd;
  engine: FarEnd;
  toDesk: Proxy;
  toDolphins: Proxy;
};

/** An attempt's time limit: short, so that a request that hangs does not hold its lane for long. Delays are far below it. */
export const TIMEOUT_MS = 2_000;

export async function startScenario(
  options: { bundle: string; seed: number; tenants: number; failuresInARow: number; killPoints: KillPoints },
  cleanup: AsyncDisposableStack,
): Promise<Scenario> {
  const { bundle, seed, killPoints, failuresInARow } = options;
  const persist = await temporaryFolder(cleanup, "chaos");
  /** Puts what was started on `cleanup`. */
  const kept = async <T extends { close: () => Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const started = await starting;
    cleanup.defer(started.close);
    return started;
  };
  const [desk, engine] = [await kept(startFarEnd()), await kept(startFarEnd())];
  const proxyTo = (target: string, lane: LaneName) => {
    const random = randomStream(seed, `faults ${lane}`);
    return kept(startProxy({ target, lane, killPoints, failuresInARow, random }));
  };
  const [toDesk, toDolphins] = [await proxyTo(desk.url, "toDesk"), await proxyTo(engine.url, "toDolphins")];

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
  const record = {
    dolphins: { baseUrl: toDolphins.url },
    desk: { type: "native", url: `${toDesk.url}/hooks/dolphins` },
    delivery: { timeoutMs: TIMEOUT_MS },
  };
  const tenants: Tenant[] = [];
  for (let number = 1; number <= options.tenants; number += 1) {
    const owner = `chaos-tenant-${number}`;
    const { token: deskToken } = await registerTenant(await relayUrl(), settings.ADMIN_TOKEN, owner, record);
    tenants.push({ owner, deskToken });
  }
  return {
    tenants,
    ingressKey: ingressKeyOf(settings),
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
