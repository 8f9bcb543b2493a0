import * as z from "zod/mini";
import { baseUrl, headerSecret, webhookSecret } from "../../lib/record-fields";

/** Of 15 digits, as in the text: more of them a JSON number does not hold for certain. */
const MOST = 999_999_999_999_999;

/** The number in a Chatwoot address bar, as a number or as digits. */
const number = (what: string) =>
  z.pipe(
    z.union([z.int().check(z.positive(), z.maximum(MOST)), z.string().check(z.regex(/^\d{1,15}$/))], {
      error: `is required: ${what}, a number`,
    }),
    z.transform(Number),
  );

/** Where an account of Chatwoot is. */
export const account = {
  baseUrl: baseUrl("the URL of Chatwoot, such as https://app.chatwoot.com"),
  accountId: number("the account's id"),
};

/** How an account of Chatwoot is reached, and its inbox. */
export const chatwootRecord = z.strictObject({
  type: z.literal("chatwoot"),
  ...account,
  inboxId: number("the id of an inbox of type API"),
  /** Of an administrator, or of an agent who is in the inbox: a token sees no other inbox's conversations. */
  apiAccessToken: headerSecret("an access token of a user of Chatwoot"),
  /** The secret that the inbox signs its webhooks with; before version 4.13, what stands in its webhook's URL as `?token=`. */
  webhookSecret: webhookSecret("the secret of the inbox's webhook"),
  /** `false` keeps Chatwoot's automatic texts (greeting, out of office, auto-resolve, survey) from the customer. */
  templates: z.optional(z.boolean()),
});

export type ChatwootRecord = z.infer<typeof chatwootRecord>;
