import * as z from "zod/mini";

const text = (what: string) => z.string({ error: `is required: ${what}` }).check(z.minLength(1, "must not be empty"));

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

export const chatwootRecord = z.strictObject({
  type: z.literal("chatwoot"),
  baseUrl: text("the URL of Chatwoot, such as https://app.chatwoot.com").check(
    z.maxLength(2048),
    z.overwrite((url) => url.replace(/\/+$/, "")),
  ),
  accountId: number("the account's id"),
  inboxId: number("the id of an inbox of type API"),
  /** Of an administrator, or of an agent who is in the inbox: a token sees no other inbox's conversations. */
  apiAccessToken: text("an access token of a user of Chatwoot").check(z.maxLength(1024)),
  /** The secret that the inbox signs its webhooks with; before version 4.13, what stands in its webhook's URL as `?token=`. */
  webhookSecret: text("the secret of the inbox's webhook").check(z.maxLength(1024)),
});

export type ChatwootRecord = z.infer<typeof chatwootRecord>;
