import * as z from "zod/mini";
import { toBase64Url, utf8 } from "../../crypto/bytes";
import { withFallback } from "../../lib/zod";
import type { DeskContext } from "../desk";

/** The conversation of a ticket, at a desk that keeps nothing of it but who writes. */

/** A new one begins after the last was ended, or once its thread is over: every answer says which it is. */
const remembered = withFallback(z.object({ conversationId: z.optional(z.string()) }), {});

export const readConversation = (kept: unknown): { conversationId?: string | undefined } => remembered.parse(kept);

/**
 * Whose messages they are, as the desk's webhooks give it back. It is the ticket's alone, the same whatever becomes of channel
 * and name, and far below the 200 characters that are safe.
 */
export async function customerIdOf({ owner, ticketNumber }: DeskContext): Promise<string> {
  const text = utf8(JSON.stringify([owner, ticketNumber]));
  return toBase64Url(new Uint8Array(await crypto.subtle.digest("SHA-256", text)));
}
