import { createHmac, randomUUID } from "node:crypto";
import { Webhook } from "standardwebhooks";
import type { ApiDocument, ApiOperation } from "../../../openapi/check.ts";
import { startFakeAccess } from "../../../dev/fakes/access.ts";
import { fakeEngine } from "../../../dev/fakes/engine.ts";
import type { Reply } from "../support/http.ts";
import { type Tenant, bearer } from "../support/tenant.ts";
import { poll } from "../support/timeline.ts";
import { type World, startWorld } from "../support/world.ts";
import { type Api, apiOf } from "./api.ts";

/** A relay in which every operation of its document can be called as the document's examples say. */

/** As the examples have them. */
const OWNER = "82ab0fd5cfd1e80d1ff97c0cfc9aaaa";
const TICKET = "294c9ea88f7e649f8c37ae895ebab247";
const CONTACT = "d61d77735f3fe08bcf6d6b96fa06ba9d";
const LOGIN = { type: "login", username: "relay", password: "the engine's password" };
const CHATWOOT_SECRET = "the secret of an inbox";

type Send = { path?: string; body?: string | undefined; headers?: Record<string, string> };

export type Walk = {
  world: World;
  stop: () => Promise<void>;
  api: Api;
  tenant: Tenant;
  /** A tenant of another desk. */
  otherOwner: string;
  named: (id: string) => ApiOperation;
  pathOf: (operation: ApiOperation) => string;
  /** The document's example, with this machine's far ends in place of its hosts. */
  bodyOf: (operation: ApiOperation, example?: string) => string | undefined;
  /** What lets the caller in, by the first scheme that the document gives, or by another. */
  credentialFor: (operation: ApiOperation, body?: string, scheme?: string) => Record<string, string>;
  /** Calls an operation as its example says, but for what is given. */
  send: (operation: ApiOperation, instead?: Send) => Promise<Reply>;
  signIn: () => Promise<void>;
};

export const schemesOf = ({ security = [] }: ApiOperation): string[] => security.flatMap((one) => Object.keys(one));

export async function startWalk(): Promise<Walk> {
  const access = await startFakeAccess();
  const world = await startWorld({
    assets: true,
    settings: { ACCESS_TEAM_DOMAIN: access.url, ACCESS_AUD: access.audience, ACCESS_ROLES: "*@bank.example:admin" },
  });
  const assertion = await access.tokenOf("siti@bank.example");
  const api = apiOf((await world.call("/openapi.json")).body as ApiDocument);
  const tenant = await troubledTenant(world);
  const desk = {
    baseUrl: tenant.desk.url,
    accountId: 1,
    inboxId: 1,
    apiAccessToken: "a",
    webhookSecret: CHATWOOT_SECRET,
  };
  const { owner: otherOwner } = await world.tenant({ record: { desk: { type: "chatwoot", ...desk } } });
  let cookie = "";

  const credentials: Record<string, (body: string) => Record<string, string>> = {
    operatorToken: () => bearer(world.settings.ADMIN_TOKEN),
    consoleSession: () => ({ cookie, "sec-fetch-site": "same-origin", origin: world.relay().url }),
    accessToken: () => ({ "cf-access-jwt-assertion": assertion, origin: world.relay().url }),
    deskToken: () => bearer(tenant.token),
    standardWebhooks: (body) => standardWebhooks(tenant.signingSecret, body),
    chatwootSignature,
  };
  const walk: Walk = {
    world,
    stop: async () => {
      await world.stop();
      await access.close();
    },
    api,
    tenant,
    otherOwner,
    named: (id) => {
      const operation = api.operations.find(({ operationId }) => operationId === id);
      if (!operation) throw new Error(`the document has no operation ${id}`);
      return operation;
    },
    pathOf: (operation) =>
      api.pathOf(
        operation,
        operation.operationId === "deskWebhook" ? { owner: otherOwner } : { ingressKey: world.ingressKey },
      ),
    bodyOf: (operation, name) => {
      if (operation.operationId === "signIn") return JSON.stringify({ token: world.settings.ADMIN_TOKEN });
      return JSON.stringify(api.example(operation, name))
        ?.replaceAll("https://bank.example:9443", tenant.engine.url)
        .replaceAll(/https:\/\/(?:desk\.example|app\.chatwoot\.com)/g, tenant.desk.url);
    },
    credentialFor: (operation, body = "", scheme = schemesOf(operation)[0]) =>
      scheme === undefined ? {} : (credentials[scheme]?.(body) ?? {}),
    send: (operation, instead = {}) => {
      const body = "body" in instead ? instead.body : walk.bodyOf(operation);
      const { path = walk.pathOf(operation), headers = walk.credentialFor(operation, body) } = instead;
      return world.call(path, { method: operation.method, headers, ...(body === undefined ? {} : { body }) });
    },
    signIn: async () => {
      const answer = await walk.send(walk.named("signIn"));
      cookie = answer.headers.get("set-cookie")?.split(";", 1)[0] ?? "";
    },
  };
  await walk.signIn();
  return walk;
}

/** A tenant that has something to show: a desk that is down, a message that waits for it, and a dead letter. */
async function troubledTenant(world: World): Promise<Tenant> {
  const tenant = await world.tenant({ owner: OWNER, dolphins: { auth: LOGIN } });
  const services = fakeEngine(tenant.engine, LOGIN);
  services.contacts.set(CONTACT, { id: CONTACT, firstName: "Farhan" });
  tenant.desk.answerWith(() => ({ status: 503, body: "Under maintenance" }));
  await tenant.incoming(TICKET);
  services.failNext("event", { status: 422, body: "no such channel" });
  await tenant.reply(TICKET, { message: "ditolak" });
  await tenant.untilTicket(TICKET, ({ lanes }) => lanes.toDolphins.dead === 1, "a dead letter");
  await poll(
    () => world.admin("GET", `/admin/tenants/${OWNER}/tickets?state=waiting`),
    ({ text }) => text.includes(TICKET),
    "the index to hear that the ticket waits",
  );
  return tenant;
}

const nowSeconds = (): string => String(Math.floor(Date.now() / 1_000));

function standardWebhooks(secret: string, body: string): Record<string, string> {
  const [id, at] = [randomUUID(), new Date()];
  const signature = new Webhook(secret).sign(id, at, body);
  return {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(at.getTime() / 1_000)),
    "webhook-signature": signature,
  };
}

function chatwootSignature(body: string): Record<string, string> {
  const timestamp = nowSeconds();
  const mac = createHmac("sha256", CHATWOOT_SECRET).update(`${timestamp}.${body}`).digest("hex");
  return { "x-chatwoot-timestamp": timestamp, "x-chatwoot-signature": `sha256=${mac}` };
}
