import * as z from "zod/mini";

/** What is remembered of a ticket: the customer's user, and the conversation with it. */
const session = z.object({
  userExternalId: z.string(),
  conversationId: z.optional(z.string()),
  /** From 1; it goes up when a conversation was deleted or is full and the next one takes its place. */
  conversationNumber: z.optional(z.int()),
  /** How many parts of which message went through, while there were more to come. */
  sent: z.optional(z.object({ id: z.string(), parts: z.int() })),
});

export type Session = z.infer<typeof session>;
/** A session with a conversation to write to. */
export type Open = Session & { conversationId: string };

export const readSession = (kept: unknown): Session | undefined => session.safeParse(kept).data;

export const isOpen = (kept: Session | undefined): kept is Open => kept?.conversationId !== undefined;
