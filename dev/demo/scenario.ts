import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { call, credentialsAnswer, read, tenantAnswer } from "../harness/client.ts";
import { type Desk, startDesk } from "../fakes/native-desk.ts";
import { type Pretend, startPretend } from "../fakes/far-end.ts";
import { type Relay, type Settings, buildRelay, startRelay, throwawaySettings } from "../harness/relay.ts";

/** The relay between two pretend ends, with one tenant registered. */
export type Stage = {
  relay: Relay;
  engine: Pretend;
  desk: Desk;
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
export async function setStage(cleanup: AsyncDisposableStack): Promise<Stage> {
  const { relay, settings } = await startBuilt(cleanup);
  const engine = await startPretend();
  cleanup.defer(engine.close);
  const desk = await startDesk();
  cleanup.defer(desk.close);

  const tenant = await registerTenant(relay.url, settings.ADMIN_TOKEN, engine.url, `${desk.url}/hooks/dolphins`);
  desk.trust(tenant.signingSecret);
  const ingressKey = settings.INGRESS_KEYS.slice(settings.INGRESS_KEYS.indexOf("=") + 1);
  return {
    relay,
    engine,
    desk,
    owner: tenant.owner,
    tenantName: tenant.name,
    stickerText: tenant.stickerText,
    engineBaseUrl: `${relay.url}/v1/dolphins/${ingressKey}`,
    adminToken: settings.ADMIN_TOKEN,
    deskToken: tenant.deskToken,
  };
}

/** Builds the relay and starts it, with secrets made for this run. */
export async function startBuilt(cleanup: AsyncDisposableStack): Promise<{ relay: Relay; settings: Settings }> {
  const folder = await mkdtemp(join(tmpdir(), "dolphin-relay-demo-"));
  cleanup.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
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

/** What the operator of a relay does once for every tenant. */
export async function registerTenant(relayUrl: string, adminToken: string, engineUrl: string, deskUrl: string) {
  const owner = "82ab0fd5cfd1e80d1ff97c0cfc9aaaa";
  const path = `${relayUrl}/admin/tenants/${owner}`;
  const put = await call("PUT", path, {
    token: adminToken,
    body: {
      name: "Bank Contoh",
      dolphins: { baseUrl: engineUrl },
      desk: { type: "native", url: deskUrl },
    },
  });
  const { tenant } = read(put, tenantAnswer, "Registering the tenant");
  const answer = await call("GET", `${path}/credentials`, { token: adminToken });
  const { credentials } = read(answer, credentialsAnswer, "Fetching the tenant's credentials");
  return {
    owner,
    ...tenant,
    deskToken: credentials.token,
    signingSecret: credentials.signingSecret,
  };
}
