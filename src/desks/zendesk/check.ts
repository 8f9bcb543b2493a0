import * as z from "zod/mini";
import { equalSecrets } from "../../crypto/bytes";
import { statusOf, type Failure } from "../../egress/outcome";
import { failed, passed, type Check, type CheckContext, type Checked } from "../desk";
import { sunshine, type Api } from "./api";
import type { ZendeskRecord } from "./record";

/** Whether everything is set up at Zendesk, as far as this key can see. Nothing is written there. */

const TRIGGERS = ["conversation:message", "switchboard:releaseControl", "switchboard:passControl"];

const FORBIDDEN = 403;
const NOT_FOUND = 404;

const appAnswer = z.object({
  app: z.object({
    displayName: z.nullish(z.string()),
    settings: z.nullish(z.object({ multiConvoEnabled: z.nullish(z.boolean()) })),
  }),
});
const integrations = z.object({
  integrations: z.array(
    z.object({
      status: z.nullish(z.string()),
      webhooks: z.nullish(
        z.array(
          z.object({
            target: z.string(),
            triggers: z.array(z.string()),
            version: z.nullish(z.string()),
            secret: z.nullish(z.string()),
          }),
        ),
      ),
    }),
  ),
});

export async function checkZendesk(record: ZendeskRecord, context: CheckContext): Promise<Checked> {
  const api = sunshine(record, context);
  const reply = await api.get("");
  if ("failure" in reply) {
    return statusOf(reply.failure) === FORBIDDEN ? asIntegration(api, record) : refused(reply.failure);
  }
  const app = appAnswer.safeParse(reply.json).data?.app;
  const checks = [
    passed("app", `The app is "${app?.displayName ?? record.appId}".`),
    passed("key", "The key is the app's own: it may do all that the relay needs."),
    multiConversations(record, app?.settings?.multiConvoEnabled),
    ...(await webhookChecks(api, record, context)),
  ];
  return { outcome: { kind: "delivered", status: reply.status }, checks };
}

/** A key of an integration may not see the app. That it may look for users says that key and app belong together. */
async function asIntegration(api: Api, { keyId }: ZendeskRecord): Promise<Checked> {
  const reply = await api.get("/users/relay-test");
  const isThere = !("failure" in reply) || (statusOf(reply.failure) === NOT_FOUND && !isNoApp(reply.failure));
  if (!isThere) return refused(reply.failure);
  const checks = [
    passed("app", "There is an app with this id."),
    passed(
      "key",
      `${keyId} ${keyId.startsWith("int_") ? "is an integration's key" : "is no key of the whole app"}. It carries messages, but it cannot see whether multi-conversations are on, nor the webhook: look there yourself, or use a key of the app (app_…).`,
    ),
  ];
  const status = "failure" in reply ? NOT_FOUND : reply.status;
  return { outcome: { kind: "delivered", status }, checks };
}

const isNoApp = (failure: Failure): boolean => "answer" in failure && /app_not_found/.test(failure.answer ?? "");

function refused(failure: Failure): Checked {
  const status = statusOf(failure);
  const messages: Record<number, Check> = {
    401: failed("key", "Zendesk does not know this key: check keyId and keySecret."),
    [FORBIDDEN]: failed("key", "The key may not read users: make one for the Conversations API of this app."),
    [NOT_FOUND]: failed("app", "There is no such app at this address: check appId and baseUrl."),
  };
  const other = failed("app", `Zendesk could not be asked: ${failure.error}.`);
  return { outcome: failure, checks: [messages[status ?? 0] ?? other] };
}

function multiConversations({ users }: ZendeskRecord, isOn: boolean | null | undefined): Check {
  const name = "multiConversations";
  if (users !== "contact") return passed(name, "Not needed: each ticket has a user of its own.");
  if (isOn) return passed(name, "On, as a user for each contact needs them.");
  if (isOn !== false)
    return failed(name, "Zendesk does not say whether they are on, and a user for each contact needs them.");
  return failed(name, 'Off: a customer\'s second ticket would be refused. Leave out "users", or have them turned on.');
}

async function webhookChecks(api: Api, record: ZendeskRecord, { webhookUrl }: CheckContext): Promise<Check[]> {
  const reply = await api.get("/integrations", { "page[size]": "100" });
  if ("failure" in reply) return [failed("webhook", `Zendesk does not list its integrations: ${reply.failure.error}.`)];
  const all = (integrations.safeParse(reply.json).data?.integrations ?? []).flatMap(({ status, webhooks }) =>
    (webhooks ?? []).map((webhook) => ({ status, webhook })),
  );
  const found = all.find(({ webhook }) => webhook.target === webhookUrl);
  if (!found) {
    // The relay may have several addresses, and only an operator knows which are its own.
    const { pathname } = new URL(webhookUrl);
    const other = all.find(({ webhook }) => URL.parse(webhook.target)?.pathname === pathname);
    const rest = other ? `, but one has one to ${other.webhook.target}` : "";
    return [failed("webhook", `No integration of the app has a webhook to ${webhookUrl}${rest}.`)];
  }
  const { status, webhook } = found;
  const missing = TRIGGERS.filter((trigger) => !webhook.triggers.includes(trigger));
  const isOther = typeof webhook.secret === "string" && !equalSecrets(webhook.secret, record.webhookSecret);
  return [
    stateOf(webhook.version, status),
    missing.length === 0
      ? passed("triggers", "It has all that are needed.")
      : failed("triggers", `It lacks ${missing.join(", ")}.`),
    ...(isOther ? [failed("webhookSecret", "It is another than the record's: copy it from the integration.")] : []),
  ];
}

function stateOf(version: string | null | undefined, status: string | null | undefined): Check {
  if ((version ?? "v2") !== "v2") return failed("webhook", `It is of version ${version}: make it anew, as v2.`);
  if ((status ?? "active") !== "active") return failed("webhook", `It is there, but its integration is ${status}.`);
  return passed("webhook", "It is there.");
}
