import { statusOf, type Outcome } from "../../egress/outcome";
import { defineDesk, NOTHING_TO_DO, type DeskContext, type DeskDelivery } from "../desk";
import { agentFiles, genesysApi, requestToken, type Api } from "./api";
import { checkGenesys } from "./check";
import { customerIdOf, readConversation } from "./conversation";
import { postIncoming } from "./message";
import { sendReceipt } from "./receipt";
import { genesysRecord, integrationOf, loginUrlOf, ownUrls, type GenesysRecord } from "./record";
import { parseWebhook, verifyWebhook } from "./webhook";

/**
 * Genesys Cloud by way of Open Messaging. Paths and bodies are as the published client has them
 * (purecloud-platform-client-v2), the rest as the Developer Center and its forum have it. Nothing was tried against a real
 * organization.
 *
 * Not confirmed: how a repeated message is refused; the longest text and the longest id of a customer; what ends a
 * conversation for its agent, and with which permission; whether a webhook waits for the answer to the one before; whether a
 * receipt counts behind one that was final.
 */
export const genesys = defineDesk({
  type: "genesys",
  record: genesysRecord,
  secrets: { clientSecret: ["region", "loginUrl"], webhookSecret: [] },
  targets: ["loginUrl", "apiUrl"],
  hosts: ownUrls,
  farEnd: integrationOf,
  // What it could be told is a receipt. A reply that is not its agent's has none, and a note would be the customer's words.
  wantsFailures: () => false,
  login: {
    identity: (record) => [loginUrlOf(record), record.clientId, record.clientSecret],
    request: requestToken,
  },
  deliver,
  receipt: sendReceipt,
  check: checkGenesys,
  files: agentFiles,
  webhook: {
    verify: (webhook, { webhookSecret }) => verifyWebhook(webhook, webhookSecret),
    provesTime: false,
    parse: parseWebhook,
    tellRefusal: ({ event: { deskMessage = "" }, code }, record, context) =>
      sendReceipt({ deskMessage, attempt: 1, state: "failed", why: { code } }, record, context),
    showsAnswer: false,
    tellsLater: true,
  },
});

async function deliver(delivery: DeskDelivery, record: GenesysRecord, context: DeskContext): Promise<Outcome> {
  const api = genesysApi(record, context);
  const { conversationId } = readConversation(context.conversation);
  if (delivery.kind === "command")
    return conversationId === undefined ? NOTHING_TO_DO : disconnect(api, conversationId);
  if (delivery.kind === "failure") return NOTHING_TO_DO;
  const customerId = await customerIdOf(context);
  // A bot may greet before the answer is here.
  await context.nameConversation(customerId);
  let newest = conversationId;
  const moved = (next: string) => {
    if (next !== newest) context.keep({ conversationId: next });
    newest = next;
  };
  return postIncoming(api, delivery, record, context, { customerId, moved });
}

/** What there is nothing left to end of: the request says no more than which conversation, so a refusal is about that. */
const ENDED = new Set([400, 404, 409, 410]);

async function disconnect(api: Api, conversationId: string): Promise<Outcome> {
  const path = `/messages/${encodeURIComponent(conversationId)}`;
  const { outcome } = await api.patch(path, { state: "disconnected" });
  const status = statusOf(outcome) ?? 0;
  return ENDED.has(status) ? { kind: "delivered", status } : outcome;
}
