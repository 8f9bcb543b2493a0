import { join } from "node:path";
import { type FarEnd, startFarEnd } from "../fakes/far-end.ts";
import { type FakeDesk, startFakeDesk } from "../fakes/native-desk.ts";
import { registerTenant } from "../harness/client.ts";
import { temporaryFolder } from "../harness/folder.ts";
import {
  type Relay,
  type Settings,
  buildRelay,
  ingressKeyOf,
  startRelay,
  throwawaySettings,
} from "../harness/relay.ts";

/** The relay between two fake ends, with one tenant registered. */
export type Scenario = {
  relay: Relay;
  engine: FarEnd;
  desk: FakeDesk;
  owner: string;
  tenantName: string;
  stickerText: string;
  /** What 3Dolphins has to be told: it holds the engine's key. */
  engineBaseUrl: string;
  adminToken: string;
  deskToken: string;
};

export const preferredPort = 8787;

/** Starts everything on free ports. Each thing started is put on `cleanup`, so that a failure half way leaves nothing. */
export async function startScenario(cleanup: AsyncDisposableStack): Promise<Scenario> {
  const { relay, settings } = await startBuilt(cleanup);
  const engine = await startFarEnd();
  cleanup.defer(engine.close);
  const desk = await startFakeDesk();
  cleanup.defer(desk.close);

  const tenant = await registerDemoTenant(relay, settings, engine.url, `${desk.url}/hooks/dolphins`);
  desk.trust(tenant.signingSecret);
  const { owner, name: tenantName, stickerText, engineBaseUrl, adminToken, token: deskToken } = tenant;
  return { relay, engine, desk, owner, tenantName, stickerText, engineBaseUrl, adminToken, deskToken };
}

/** Builds the relay and starts it, with secrets made for this run. */
export async function startBuilt(cleanup: AsyncDisposableStack): Promise<{ relay: Relay; settings: Settings }> {
  const folder = await temporaryFolder(cleanup, "demo");
  const bundle = join(folder, "bundle");
  const settings = throwawaySettings();
  await buildRelay(bundle);
  const relay = await startOnPreferredPort(bundle, settings, join(folder, "state"));
  cleanup.defer(relay.stop);
  return { relay, settings };
}

async function startOnPreferredPort(bundle: string, settings: Settings, persist: string): Promise<Relay> {
  try {
    return await startRelay({ bundle, settings, persist, assets: true, port: preferredPort });
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes("already in use")) throw error;
    return startRelay({ bundle, settings, persist, assets: true });
  }
}

/** The one tenant of the demo: what an operator of a relay does once for each. */
export const registerDemoTenant = async (relay: Relay, settings: Settings, engineUrl: string, deskUrl: string) => ({
  engineBaseUrl: `${relay.url}/v1/dolphins/${ingressKeyOf(settings)}`,
  adminToken: settings.ADMIN_TOKEN,
  ...(await registerTenant(relay.url, settings.ADMIN_TOKEN, "82ab0fd5cfd1e80d1ff97c0cfc9aaaa", {
    name: "Bank Contoh",
    dolphins: { baseUrl: engineUrl },
    desk: { type: "native", url: deskUrl },
  })),
});
