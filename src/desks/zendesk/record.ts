import * as z from "zod/mini";

/** The part of a tenant record that says how its Sunshine Conversations app is reached. */

const text = z.string({ error: "is required" }).check(z.minLength(1, "must not be empty"), z.maxLength(1024));
const secret = z.string({ error: "is required" }).check(z.minLength(1, "must not be empty"), z.maxLength(4096));
const CLOSING = ["releaseControl", "ticketClosed", "endedByUser"] as const;

export const zendeskRecord = z.strictObject({
  type: z.literal("zendesk"),
  baseUrl: z.string({ error: "is required: https://{subdomain}.zendesk.com/sc or https://api.smooch.io" }).check(
    z.maxLength(2048),
    z.overwrite((url) => url.replace(/\/+$/, "")),
  ),
  appId: text,
  keyId: text,
  keySecret: secret,
  webhookSecret: secret,
  /** Which of the desk's signals close the ticket; a second one for the same closing does no harm. */
  closedBy: z._default(z.array(z.enum(CLOSING)), [...CLOSING]),
});

export type ZendeskRecord = z.infer<typeof zendeskRecord>;
export type ClosingSignal = (typeof CLOSING)[number];
