import { startFarEnd } from "../fakes/far-end.ts";
import { startFakeDesk } from "../fakes/native-desk.ts";
import type { Relay, Settings } from "../harness/relay.ts";
import { incomingEvent, text } from "./events.ts";
import { action, fields, prose, title } from "../harness/print.ts";
import { registerDemoTenant } from "./scenario.ts";

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

/** Registers the tenant, with a fake end in place of the one that is not given, and prints what arrives there. */
export async function serveOwnEnds(
  relay: Relay,
  settings: Settings,
  { desk, engine }: Ends,
  cleanup: AsyncDisposableStack,
): Promise<OwnEnds> {
  const engineUrl = engine ?? (await watchedEngine(cleanup));
  const fakeDesk = desk === undefined ? await startFakeDesk() : undefined;
  if (fakeDesk !== undefined) cleanup.defer(fakeDesk.close);
  const tenant = await registerDemoTenant(relay, settings, engineUrl, desk ?? `${fakeDesk?.url}/`);
  fakeDesk?.trust(tenant.signingSecret);
  fakeDesk?.watch(({ body }) => action("desk", `received ${body}`));
  const { adminToken, engineBaseUrl, token: deskToken, signingSecret, owner } = tenant;
  return { relay, adminToken, engineBaseUrl, deskToken, signingSecret, owner };
}

async function watchedEngine(cleanup: AsyncDisposableStack): Promise<string> {
  const engine = await startFarEnd();
  cleanup.defer(engine.close);
  engine.answerWith(({ path, body }) => {
    action("3Dolphins", `received at ${path}: ${body}`);
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
    prose("", "  For a desk to begin with, paste this into another terminal, in this folder. The one in Python is");
    prose("  examples/python/desk.py.", "");
    prose(`${variables} PORT=${port === "" ? "80" : port} npx node examples/node/desk.mjs`);
  }
  prose("", "  Write as the customer:", "");
  const event = JSON.stringify(incomingEvent(owner, text("Halo")));
  prose(`curl -H 'content-type: application/json' ${engineBaseUrl}/incoming -d '${event}'`, "");
}
