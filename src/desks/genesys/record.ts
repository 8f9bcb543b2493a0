import * as z from "zod/mini";
import { forbiddenTarget } from "../../egress/ssrf-guard";
import { baseUrl, basicName, secret, text, webhookSecret } from "../../lib/record-fields";

const HOST = /^(?=.{1,253}$)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+$/;

/** How an Open Messaging integration of Genesys Cloud is reached. */
export const genesysRecord = z.strictObject({
  type: z.literal("genesys"),
  /** Where the organization is: its part of every address. */
  region: z.string({ error: "is required: the region's host, such as apse1.pure.cloud" }).check(
    z.toLowerCase(),
    z.regex(HOST, "must be a bare host name, such as apse1.pure.cloud"),
    // Whatever a test may call: only its two URLs lead elsewhere.
    z.refine((host) => forbiddenTarget(`https://${host}`, false) === undefined, "must be a public host"),
  ),
  integrationId: text("the id of an Open Messaging integration"),
  clientId: basicName("the id of an OAuth client"),
  clientSecret: secret("the secret of that client"),
  /** The integration signs its webhooks with it. */
  webhookSecret: webhookSecret("the integration's webhook signature secret token"),
  /** For hosts of one's own, in a test. */
  loginUrl: z.optional(baseUrl("")),
  apiUrl: z.optional(baseUrl("")),
});

export type GenesysRecord = z.infer<typeof genesysRecord>;

export const loginUrlOf = ({ loginUrl, region }: GenesysRecord): string => loginUrl ?? `https://login.${region}`;
export const apiUrlOf = ({ apiUrl, region }: GenesysRecord): string => apiUrl ?? `https://api.${region}`;

/** All that is called with its token, and where that is from. */
export const ownUrls = (record: GenesysRecord): string[] => [
  loginUrlOf(record),
  apiUrlOf(record),
  `https://api.${record.region}`,
  `https://api-downloads.${record.region}`,
];

/** Names the conversations of one integration among those of all. */
export const integrationOf = (record: GenesysRecord): string => `${apiUrlOf(record)} ${record.integrationId}`;
