import { equalSecrets } from "../../crypto/bytes";
import { defineDesk } from "../desk";
import { deliver } from "./deliver";
import { zendeskRecord } from "./record";
import { parse } from "./webhook";

/**
 * Zendesk by way of Sunshine Conversations, API v2.
 *
 * From what the vendor publishes (OpenAPI documents, clients, help centre): the paths and bodies used here; 409 for a user
 * that exists, 404 for a user or conversation that does not, 423 for a conversation with 30,000 messages; the lists of a
 * user's conversations and of a conversation's messages; metadata on both, and its return in webhooks; the reasons of
 * `switchboard:releaseControl`; `message.activity`; the limits.
 *
 * Not confirmed: which of the signals of `closedBy` an agent's Solved or Closed sends; in which order conversations are
 * listed (nothing here relies on it); whether 4,096 characters are counted in UTF-16 units (the strictest way to count);
 * whether the name of a message's author is shown to agents when it differs from the user's.
 */
export const zendesk = defineDesk({
  type: "zendesk",
  record: zendeskRecord,
  secrets: ["keySecret", "webhookSecret"],
  targets: ["baseUrl"],
  wantsFailures: () => true,
  deliver,
  webhook: {
    // The webhook carries its bare secret: neither the body nor the time is signed.
    verify: ({ headers }, { webhookSecret }) =>
      Promise.resolve(equalSecrets(headers.get("x-api-key") ?? "", webhookSecret)),
    parse: (json, _webhook, { closedBy }) => parse(json, closedBy),
    // An agent is not shown what becomes of a message behind a webhook, so there is nothing to wait for.
    waitSeconds: 0,
  },
});
