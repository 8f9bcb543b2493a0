import * as z from "zod";
import type { Received } from "./far-end.ts";

/** What Chatwoot's Application API takes: the requests that the relay makes, and no others. */

export const accountId = 3;
export const inboxId = 7;

export type Step = "filter" | "contact" | "list" | "conversation" | "message" | "messages" | "status" | "toggle";

/** As Chatwoot's swagger files have them, strict: a field that is not there is not sent. */
export const contactRequest = z.strictObject({
  inbox_id: z.literal(inboxId),
  name: z.string().min(1).max(255),
  identifier: z.string().min(1).max(255),
  phone_number: z
    .string()
    .regex(/^\+[1-9]\d{1,14}$/)
    .optional(),
  custom_attributes: z.record(z.string(), z.unknown()).optional(),
});
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
  inbox_id: z.literal(inboxId).optional(),
  contact_id: z.int().optional(),
  status: z.enum(["open", "resolved", "pending"]),
  custom_attributes: z.record(z.string(), z.unknown()),
  additional_attributes: z.record(z.string(), z.unknown()).optional(),
});
export const messageRequest = z.strictObject({
  content: z.string().min(1).max(150_000),
  message_type: z.enum(["incoming", "outgoing"]),
  private: z.boolean(),
  content_type: z.literal("text"),
  content_attributes: z.record(z.string(), z.unknown()),
  source_id: z.string().optional(),
});
export const formRequest = z.strictObject({
  content: z.string().min(1).max(150_000).optional(),
  message_type: z.enum(["incoming", "outgoing"]),
  private: z.enum(["true", "false"]),
  source_id: z.string().optional(),
  "attachments[]": z.array(z.instanceof(File)).min(1).max(15),
});
export const statusRequest = z.strictObject({
  status: z.enum(["sent", "delivered", "read", "failed"]),
  external_error: z.string().min(1).optional(),
});
export const toggleRequest = z.strictObject({ status: z.enum(["open", "resolved", "pending", "snoozed"]) });

/** A request that does not fit. */
export class Misfit extends Error {}

export function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new Misfit(z.prettifyError(result.error));
}

const ROUTES: [string, RegExp, Step][] = [
  ["POST", /^\/contacts\/filter$/, "filter"],
  ["POST", /^\/contacts$/, "contact"],
  ["GET", /^\/contacts\/(\d+)\/conversations$/, "list"],
  ["POST", /^\/conversations$/, "conversation"],
  ["POST", /^\/conversations\/(\d+)\/messages$/, "message"],
  ["GET", /^\/conversations\/(\d+)\/messages$/, "messages"],
  ["PATCH", /^\/conversations\/\d+\/messages\/(\d+)$/, "status"],
  ["POST", /^\/conversations\/(\d+)\/toggle_status$/, "toggle"],
];

/** What is asked, and the id in its path. */
export function routeOf({ method, path }: Received): { step: Step; id: number } | undefined {
  const base = `/api/v1/accounts/${accountId}`;
  for (const [asked, pattern, step] of ROUTES) {
    const match = asked === method && path.startsWith(base) ? pattern.exec(path.slice(base.length)) : null;
    if (match) return { step, id: Number(match[1] ?? 0) };
  }
  return undefined;
}
