import * as z from "zod/mini";
import { basicName, baseUrl, secret, text, webhookSecret } from "../../lib/record-fields";

/** How a Sunshine Conversations app is reached. */
export const zendeskRecord = z.strictObject({
  type: z.literal("zendesk"),
  baseUrl: baseUrl("https://{subdomain}.zendesk.com/sc or https://api.smooch.io"),
  appId: text(),
  keyId: basicName(),
  keySecret: secret(),
  webhookSecret: webhookSecret(),
  /** A user for each contact, in an app with multi-conversations. Left out, each ticket has a user of its own. */
  users: z.optional(z.literal("contact", 'must be "contact", or left out')),
  /** Of an account that keeps its users apart by brand. */
  brandId: z.optional(z.string().check(z.regex(/^\d{1,24}$/, "must be the number of a brand, 1 to 24 digits"))),
  /** Records of the first version have it. It says nothing any more: a ticket closes by the reason ticketClosed alone. */
  closedBy: z.optional(z.array(z.string())),
});

export type ZendeskRecord = z.infer<typeof zendeskRecord>;
