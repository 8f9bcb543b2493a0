import * as z from "zod";

const text = (what: string) => z.string({ error: `is required: ${what}` }).min(1, "must not be empty");

/** The number in a Chatwoot address bar, as a number or as digits. */
const number = (what: string) =>
  z
    .union([z.int().positive(), z.string().regex(/^\d{1,15}$/)], { error: `is required: ${what}, a number` })
    .transform(Number);

export const chatwootRecord = z.strictObject({
  type: z.literal("chatwoot"),
  baseUrl: text("the URL of Chatwoot, such as https://app.chatwoot.com")
    .max(2048)
    .transform((url) => url.replace(/\/+$/, "")),
  accountId: number("the account's id"),
  inboxId: number("the id of an inbox of type API"),
  /** Of an administrator, or of an agent who is in the inbox: a token sees no other inbox's conversations. */
  apiAccessToken: text("an access token of a user of Chatwoot").max(1024),
  /** The secret that the inbox signs its webhooks with; before version 4.13, what stands in its webhook's URL as `?token=`. */
  webhookSecret: text("the secret of the inbox's webhook").max(1024),
});

export type ChatwootRecord = z.infer<typeof chatwootRecord>;
