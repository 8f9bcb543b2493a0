import * as z from "zod";
import { accountId, type Role } from "./chatwoot-store.ts";
import type { Received } from "./far-end.ts";

/** What Chatwoot's Application API is asked here: by the relay, by who sets it up, and, where agents act by it, by them. */

const ROUTES = {
  version: ["GET", /^\/api$/],
  profile: ["GET", /^\/api\/v1\/profile$/],
  inboxes: ["GET", /^\/inboxes$/],
  inbox: ["GET", /^\/inboxes\/(\d+)$/],
  makeInbox: ["POST", /^\/inboxes$/],
  changeInbox: ["PATCH", /^\/inboxes\/(\d+)$/],
  members: ["POST", /^\/inbox_members$/],
  define: ["POST", /^\/custom_attribute_definitions$/],
  definitions: ["GET", /^\/custom_attribute_definitions$/],
  filter: ["POST", /^\/contacts\/filter$/],
  contact: ["POST", /^\/contacts$/],
  changeContact: ["PATCH", /^\/contacts\/(\d+)$/],
  deleteContact: ["DELETE", /^\/contacts\/(\d+)$/],
  mergeContacts: ["POST", /^\/actions\/contact_merge$/],
  list: ["GET", /^\/contacts\/(\d+)\/conversations$/],
  conversation: ["POST", /^\/conversations$/],
  conversations: ["GET", /^\/conversations$/],
  deleteConversation: ["DELETE", /^\/conversations\/(\d+)$/],
  message: ["POST", /^\/conversations\/(\d+)\/messages$/],
  messages: ["GET", /^\/conversations\/(\d+)\/messages$/],
  status: ["PATCH", /^\/conversations\/(\d+)\/messages\/(\d+)$/],
  retry: ["POST", /^\/conversations\/(\d+)\/messages\/(\d+)\/retry$/],
  deleteMessage: ["DELETE", /^\/conversations\/(\d+)\/messages\/(\d+)$/],
  toggle: ["POST", /^\/conversations\/(\d+)\/toggle_status$/],
  file: ["GET", /^\/rails\/active_storage\/blobs\/redirect\/(\d+)\//],
  storedFile: ["GET", /^\/rails\/active_storage\/disk\/(\d+)\//],
} satisfies Record<string, [string, RegExp]>;

export type Step = keyof typeof ROUTES;

/** These are asked without a token. */
export const OPEN_STEPS = new Set<Step>(["version", "file", "storedFile"]);
/** AccessTokenAuthHelper::BOT_ACCESSIBLE_ENDPOINTS. */
const BOT_STEPS = new Set<Step>(["conversation", "message", "toggle"]);
const ADMINISTRATOR_STEPS = new Set<Step>([
  "makeInbox",
  "changeInbox",
  "members",
  "define",
  "deleteContact",
  "deleteConversation",
]);

/** Why this role may not ask that; undefined where it may. */
export function refusalOf(step: Step, role: Role): string | undefined {
  if (role === "bot") return BOT_STEPS.has(step) ? undefined : "Access to this endpoint is not authorized for bots";
  const isAllowed = role === "administrator" || !ADMINISTRATOR_STEPS.has(step);
  return isAllowed ? undefined : "You are not authorized to do this action";
}

/** What is asked, and the ids in its path. */
export type Asked = { step: Step; id: number; messageId: number; query: URLSearchParams };

export function routeOf({ method, path }: Received): Asked | undefined {
  const { pathname, searchParams: query } = new URL(path, "http://chatwoot");
  const rest = pathname.replace(/^\/api\/v1\/accounts\/\d+/, "");
  for (const [step, [wanted, pattern]] of Object.entries(ROUTES)) {
    const [found, id = 0, messageId = 0] = (wanted === method && pattern.exec(rest)) || [];
    if (found === undefined) continue;
    return { step: step as Step, id: Number(id), messageId: Number(messageId), query };
  }
  return undefined;
}

/** Whether the path names no other account than the fake's. */
export function isOfAccount({ path }: Received): boolean {
  const named = /^\/api\/v1\/accounts\/(\d+)\//.exec(path)?.[1];
  return named === undefined || Number(named) === accountId;
}

/** Strict, where Chatwoot would overlook what it does not know: a field that is not there is not sent. */
const attributes = z.record(z.string(), z.unknown());
export const contactRequest = z.strictObject({
  inbox_id: z.int(),
  name: z.string().min(1).max(255),
  identifier: z.string().min(1).max(255),
  phone_number: z.string().optional(),
  custom_attributes: attributes.optional(),
});
export const contactChange = z.strictObject({ blocked: z.boolean() });
export const mergeRequest = z.strictObject({ base_contact_id: z.int(), mergee_contact_id: z.int() });
export const filterRequest = z.strictObject({
  payload: z.tuple([
    z.strictObject({
      attribute_key: z.enum(["identifier", "phone_number"]),
      filter_operator: z.literal("equal_to"),
      values: z.tuple([z.string()]),
      query_operator: z.null(),
    }),
  ]),
});
/** Without inbox and contact, the contact inbox is found by its source_id, which holds 255 characters before 4.8.0. */
export const conversationRequest = z.strictObject({
  source_id: z.string().min(1).max(255),
  inbox_id: z.int().optional(),
  contact_id: z.int().optional(),
  status: z.enum(["open", "resolved", "pending"]).optional(),
  custom_attributes: attributes.optional(),
  additional_attributes: attributes.optional(),
});
export const messageRequest = z.strictObject({
  content: z.string().min(1),
  message_type: z.enum(["incoming", "outgoing"]).optional(),
  private: z.boolean().optional(),
  content_type: z.enum(["text", "input_select", "cards", "article"]).optional(),
  content_attributes: attributes.optional(),
  source_id: z.string().optional(),
});
export const formRequest = z.strictObject({
  content: z.string().min(1).optional(),
  message_type: z.enum(["incoming", "outgoing"]).optional(),
  private: z.enum(["true", "false"]).optional(),
  source_id: z.string().optional(),
  "attachments[]": z.array(z.instanceof(File)).min(1).max(15),
});
export const statusRequest = z.strictObject({
  status: z.enum(["sent", "delivered", "read", "failed"]),
  external_error: z.string().min(1).optional(),
});
export const toggleRequest = z.strictObject({ status: z.enum(["open", "resolved", "pending", "snoozed"]) });
const channelRequest = z.strictObject({ type: z.literal("api").optional(), webhook_url: z.string() });
export const inboxRequest = z.strictObject({ name: z.string().min(1), channel: channelRequest });
export const inboxChange = z.strictObject({ name: z.string().min(1).optional(), channel: channelRequest.optional() });
export const membersRequest = z.strictObject({ inbox_id: z.int(), user_ids: z.array(z.int()) });
export const definitionRequest = z.strictObject({
  custom_attribute_definition: z.strictObject({
    attribute_display_name: z.string().min(1),
    attribute_display_type: z.literal(0),
    attribute_description: z.string().min(1),
    attribute_key: z.string().min(1),
    attribute_model: z.literal(0),
  }),
});

/** A request that does not fit. */
export class Misfit extends Error {}

export function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new Misfit(z.prettifyError(result.error));
}
