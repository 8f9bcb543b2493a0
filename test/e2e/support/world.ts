import { randomUUID } from "node:crypto";
import { inject } from "vitest";
import * as z from "zod";
import { type FarEnd, startFarEnd } from "../../../dev/fakes/far-end.ts";
import { type Relay, type Settings, ingressKeyOf, startRelay, throwawaySettings } from "../../../dev/harness/relay.ts";
import { type Reply, call } from "./http.ts";
import { type Tenant, makeTenant } from "./tenant.ts";

type TenantOptions = {
  owner?: string;
  /** Two tenants with one deskId are served by one desk. */
  deskId?: string;
  /** Fields of the record beside `dolphins.baseUrl` and `desk`, which point at the farEnds. */
  record?: Record<string, unknown>;
  dolphins?: Record<string, unknown>;
};

export type World = {
  settings: Settings;
  ingressKey: string;
  relay: () => Relay;
  /** To the relay as anyone, with no credential but those given. */
  call: (path: string, request?: Parameters<typeof call>[1]) => Promise<Reply>;
  /** To the relay as its operator. */
  admin: (method: string, path: string, body?: unknown) => Promise<Reply>;
  /** A new tenant with a fake desk and a fake engine of its own, so that no test sees another's traffic. */
  tenant: (options?: TenantOptions) => Promise<Tenant>;
  /** Puts the record of a tenant once more, changed. */
  putTenant: (tenant: Pick<Tenant, "owner" | "desk" | "engine">, options?: TenantOptions) => Promise<Reply>;
  /** kill -9 and a new start on the same state, with whatever must happen in between, and the bundle of another release. */
  killAndRestart: (meanwhile?: () => void, bundle?: string) => Promise<void>;
  stop: () => Promise<void>;
};

const Credentials = z.strictObject({
  status: z.literal("success"),
  credentials: z.strictObject({
    token: z.string(),
    signingSecret: z.string().startsWith("whsec_"),
  }),
});
export type Credentials = z.infer<typeof Credentials>["credentials"];

export function credentialsOf(reply: Reply): Credentials {
  return Credentials.parse(reply.body).credentials;
}

export async function startWorld(
  options: {
    settings?: Partial<Settings>;
    persist?: string;
    assets?: boolean;
    bundle?: string;
    rateLimits?: Record<string, number>;
    reaches?: Record<string, string>;
  } = {},
): Promise<World> {
  const settings = { ...throwawaySettings(), ...options.settings };
  // All tests come from one address, and many of them with a credential that does not hold.
  const rateLimits = { FAILURE_RATE: Number.MAX_SAFE_INTEGER, ...options.rateLimits };
  const start = (bundle = inject("bundle")): Promise<Relay> => startRelay({ ...options, bundle, settings, rateLimits });
  let relay = await start(options.bundle);
  // The runtime listens on http alone. By this header it has the Worker see https, without which a deployed relay takes nothing.
  const scheme: Record<string, string> =
    settings.ALLOW_INSECURE_TARGETS === "true" ? {} : { "x-forwarded-proto": "https" };
  const farEnds: FarEnd[] = [];
  const farEnd = async (): Promise<FarEnd> => {
    const started = await startFarEnd();
    farEnds.push(started);
    return started;
  };

  const world: World = {
    settings,
    ingressKey: ingressKeyOf(settings),
    relay: () => relay,
    call: (path, request = {}) => call(relay.url + path, { ...request, headers: { ...scheme, ...request.headers } }),
    admin: (method, path, body) =>
      world.call(path, { method, body, headers: { authorization: `Bearer ${settings.ADMIN_TOKEN}` } }),
    putTenant: ({ owner, desk, engine }, { deskId, record = {}, dolphins = {} } = {}) =>
      world.admin("PUT", `/admin/tenants/${owner}`, {
        ...(deskId === undefined ? {} : { deskId }),
        dolphins: { baseUrl: engine.url, ...dolphins },
        desk: { type: "native", url: `${desk.url}/hooks/dolphins` },
        ...record,
      }),
    tenant: async (tenantOptions = {}) => {
      const owner = tenantOptions.owner ?? randomUUID().replaceAll("-", "");
      const [desk, engine] = await Promise.all([farEnd(), farEnd()]);
      const put = await world.putTenant({ owner, desk, engine }, tenantOptions);
      if (put.status !== 200) throw new Error(`PUT tenant answered ${put.status} ${put.text}`);
      const credentials = credentialsOf(await world.admin("GET", `/admin/tenants/${owner}/credentials`));
      return makeTenant(world, { owner, desk, engine, ...credentials });
    },
    killAndRestart: async (meanwhile, bundle) => {
      await relay.kill();
      meanwhile?.();
      relay = await start(bundle);
    },
    stop: async () => {
      await relay.stop();
      await Promise.all(farEnds.map((each) => each.close()));
    },
  };
  return world;
}
