import { startPretend } from "../fakes/far-end.ts";
import { startDesk } from "../fakes/native-desk.ts";
import type { Relay, Settings } from "../harness/relay.ts";
import { incomingEvent, text } from "./events.ts";
import { deed, fields, prose, title } from "./print.ts";
import { registerTenant } from "./scenario.ts";

type Ends = { desk: string | undefined; engine: string | undefined };

/** A relay with one tenant whose desk, or engine, or both, are the caller's own. */
export type OwnEnds = {
  relay: Relay;
  adminToken: string;
  engineBaseUrl: string;
  deskToken: string;
  signingSecret: string;
  owner: string;
};

/** Registers the tenant, with a pretend end in place of the one that is not given, and prints what arrives there. */
export async function serveOwnEnds(
  relay: Relay,
  settings: Settings,
  { desk, engine }: Ends,
  cleanup: AsyncDisposableStack,
): Promise<OwnEnds> {
  const engineUrl = engine ?? (await watchedEngine(cleanup));
  const pretendDesk = desk === undefined ? await startDesk() : undefined;
  if (pretendDesk !== undefined) cleanup.defer(pretendDesk.close);
  const tenant = await registerTenant(relay.url, settings.ADMIN_TOKEN, engineUrl, desk ?? `${pretendDesk?.url}/`);
  pretendDesk?.trust(tenant.signingSecret);
  pretendDesk?.watch(({ body }) => deed("desk", `received ${body}`));
  const ingressKey = settings.INGRESS_KEYS.slice(settings.INGRESS_KEYS.indexOf("=") + 1);
  return {
    relay,
    adminToken: settings.ADMIN_TOKEN,
    engineBaseUrl: `${relay.url}/v1/dolphins/${ingressKey}`,
    deskToken: tenant.deskToken,
    signingSecret: tenant.signingSecret,
    owner: tenant.owner,
  };
}

async function watchedEngine(cleanup: AsyncDisposableStack): Promise<string> {
  const engine = await startPretend();
  cleanup.defer(engine.close);
  engine.answerWith(({ path, body }) => {
    deed("3Dolphins", `received at ${path}: ${body}`);
    return { status: 200, body: JSON.stringify({ status: "success" }) };
  });
  return engine.url;
}

/** Says what each end has to be told, and how to go on. */
export function explainOwnEnds({ desk, engine }: Ends, own: OwnEnds): void {
  const { relay, adminToken, engineBaseUrl, deskToken, signingSecret, owner } = own;
  title("The relay is up. Ctrl-C stops everything, and nothing is kept.");
  fields([
    ["Console", `${relay.url}/console`],
    ["  sign in with", adminToken],
    ["API reference", `${relay.url}/docs`],
  ]);
  if (engine !== undefined) {
    prose("", `  Your 3Dolphins gets replies at ${engine}/outgoing, and Close at ${engine}/command. Set it to:`, "");
    fields([
      ["app.ext.integration.api.base.url", engineBaseUrl],
      ["app.ext.integration.api.incomingMessage", "/incoming"],
    ]);
  }
  if (desk !== undefined) {
    const variables = `RELAY=${relay.url} DESK_TOKEN=${deskToken} SIGNING_SECRET=${signingSecret}`;
    const port = URL.parse(desk)?.port ?? "";
    prose("", `  Your desk gets events at ${desk}. Its token and secret:`, "");
    fields([
      ["RELAY", relay.url],
      ["DESK_TOKEN", deskToken],
      ["SIGNING_SECRET", signingSecret],
    ]);
    prose("", "  For a desk to begin with, paste this into another terminal:", "");
    prose(`${variables} PORT=${port === "" ? "80" : port} npx node examples/node/desk.mjs`);
  }
  prose("", "  Write as the customer:", "");
  const event = JSON.stringify(incomingEvent(owner, text("Halo")));
  prose(`curl -H 'content-type: application/json' ${engineBaseUrl}/incoming -d '${event}'`, "");
}
