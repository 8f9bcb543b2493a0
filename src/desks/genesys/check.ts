import * as z from "zod/mini";
import { statusOf, type Failure } from "../../egress/outcome";
import { failed, passed, type Check, type CheckContext, type Checked } from "../desk";
import { genesysApi } from "./api";
import type { GenesysRecord } from "./record";

/** Whether everything is set up at Genesys Cloud, as far as this client can see. Nothing is written there. */

const integration = z.object({
  name: z.nullish(z.string()),
  status: z.nullish(z.string()),
  createStatus: z.nullish(z.string()),
  outboundNotificationWebhookUrl: z.nullish(z.string()),
});

export async function checkGenesys(record: GenesysRecord, context: CheckContext): Promise<Checked> {
  const { integrationId } = record;
  const path = `/messaging/integrations/open/${encodeURIComponent(integrationId)}`;
  const { outcome, json } = await genesysApi(record, context).get(path);
  if (outcome.kind !== "delivered") return { outcome, checks: [refused(outcome)] };
  const { name, status, createStatus, outboundNotificationWebhookUrl: url } = integration.parse(json ?? {});
  // What it answers holds the webhook's secret.
  return {
    outcome: { kind: "delivered", status: outcome.status },
    checks: [
      passed("client", "The OAuth client logs in, and may see the integration."),
      passed("integration", `The integration is "${name ?? integrationId}".`),
      stateOf(status, createStatus),
      url === context.webhookUrl
        ? passed("webhook", "It goes to the relay.")
        : failed("webhook", `It goes to ${url ?? "nowhere"}: set ${context.webhookUrl} as its outbound webhook URL.`),
    ],
  };
}

function stateOf(status: string | null | undefined, createStatus: string | null | undefined): Check {
  if ((createStatus ?? "Completed") !== "Completed")
    return failed("status", `It is still being made: ${createStatus}.`);
  if (!/^active$/i.test(status ?? "active")) return failed("status", `It is ${status}.`);
  return passed("status", "It is active.");
}

function refused(failure: Failure): Check {
  const messages: Record<number, Check> = {
    401: failed("client", "Genesys Cloud does not take the token of this client: check region and apiUrl."),
    403: failed("client", "The client's role lacks the permission messaging:integration:view."),
    404: failed("integration", "There is no Open Messaging integration with this id: check integrationId and region."),
  };
  return messages[statusOf(failure) ?? 0] ?? failed("client", `Genesys Cloud could not be asked: ${failure.error}.`);
}
