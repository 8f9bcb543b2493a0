import * as z from "zod/mini";
import { baseUrl, secret, text } from "../../lib/record-fields";

const CLOSING = ["releaseControl", "ticketClosed", "endedByUser"] as const;

/** How a Sunshine Conversations app is reached. */
export const zendeskRecord = z.strictObject({
  type: z.literal("zendesk"),
  baseUrl: baseUrl("https://{subdomain}.zendesk.com/sc or https://api.smooch.io"),
  appId: text(),
  keyId: text(),
  keySecret: secret(),
  webhookSecret: secret(),
  /** Which of the desk's signals close the ticket; a second one for the same closing does no harm. */
  closedBy: z._default(z.array(z.enum(CLOSING)), [...CLOSING]),
});

export type ZendeskRecord = z.infer<typeof zendeskRecord>;
export type ClosingSignal = (typeof CLOSING)[number];
