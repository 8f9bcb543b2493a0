import * as z from "zod";
import type { Received } from "../fakes/far-end.ts";

export type Content = { messageType: string; message: string; mediaLink: string };

export const ticketNumber = "294c9ea88f7e649f8c37ae895ebab247";
const channel = "whatsapp";
const customerName = "Siti Rahmawati";

export function text(message: string): Content {
  return { messageType: "text", message, mediaLink: "" };
}

/** What 3Dolphins posts when the customer writes. */
export function incomingEvent(owner: string, content: Content): Record<string, unknown> {
  return {
    ticketNumber,
    channel,
    accountId: "628128778222",
    contactId: "d61d77735f3fe08bcf6d6b96fa06ba9d",
    ...content,
    customerName,
    createdDate: "2026-11-23T09:12:37.945",
    owner,
    groupId: "",
    language: "id",
  };
}

/** What the desk posts when the agent answers. */
export function outgoingEvent(owner: string, content: Content): Record<string, unknown> {
  return { ticketNumber, channel, ...content, customerName, owner };
}

export function closeEvent(owner: string): Record<string, unknown> {
  return { ticketNumber, channel, owner, event: "Close" };
}

const arrived = z.object({
  channel: z.string(),
  messageType: z.string().default(""),
  message: z.string().default(""),
  mediaLink: z.string().default(""),
  event: z.string().default(""),
});

/** The event in what an end received: one that is not of its kind leaves the other's fields empty. */
export function eventIn(request: Received): z.infer<typeof arrived> {
  return arrived.parse(JSON.parse(request.body));
}
