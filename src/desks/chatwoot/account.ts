import * as z from "zod/mini";
import { withFallback } from "../../lib/zod";
import type { Language } from "../desk";

/** What stands in an account before a customer writes: whose a token is, the inbox, and what agents see of a conversation. */

const profile = z.object({
  id: z.int(),
  name: withFallback(z.string(), ""),
  accounts: z.array(z.object({ id: z.int(), role: z.nullish(z.string()) })),
});
export type Profile = z.infer<typeof profile>;
export const readProfile = (json: unknown): Profile | undefined => profile.safeParse(json).data;

/** In this account; undefined for a user who is not in it. */
export const roleIn = ({ accounts }: Profile, accountId: number): string | undefined =>
  accounts.find(({ id }) => id === accountId)?.role ?? undefined;

const inbox = z.object({
  id: z.int(),
  name: withFallback(z.string(), ""),
  channel_type: z.nullish(z.string()),
  webhook_url: z.nullish(z.string()),
  /** From version 4.13 on, and for administrators alone. */
  secret: z.nullish(z.string()),
});
export type Inbox = z.infer<typeof inbox>;
export const readInbox = (json: unknown): Inbox | undefined => inbox.safeParse(json).data;

const inboxes = z.object({ payload: z.array(inbox) });
export const readInboxes = (json: unknown): Inbox[] | undefined => inboxes.safeParse(json).data?.payload;

export const isApiInbox = ({ channel_type }: Inbox): boolean => channel_type === "Channel::Api";

/** Where the inbox's webhooks go, without the secret that may stand there as `?token=`. */
export function webhookOf({ webhook_url }: Inbox): { url: string; token: string } {
  const url = URL.parse(webhook_url ?? "");
  return { url: url ? url.origin + url.pathname : "", token: url?.searchParams.get("token") ?? "" };
}

const definitions = z.array(z.object({ attribute_key: z.string() }));
export const readAttributeKeys = (json: unknown): string[] | undefined =>
  definitions.safeParse(json).data?.map(({ attribute_key }) => attribute_key);

/** What a conversation has of its ticket. Chatwoot shows an attribute only where the account has a definition of it. */
export const ATTRIBUTES: Record<"channel" | "ticketNumber" | "phone", Record<Language, string>> = {
  channel: { id: "Kanal 3Dolphins", en: "3Dolphins channel" },
  ticketNumber: { id: "Tiket 3Dolphins", en: "3Dolphins ticket" },
  phone: { id: "Telepon pelanggan", en: "Customer's phone" },
};
