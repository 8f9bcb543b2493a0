import { conversationsAt } from "../desks/registry";
import type { TicketCache } from "./cache";

/**
 * An agent may begin one more conversation with the ticket's customer. Then the ticket goes on in the newest from which a
 * reply came, and only the end of that one is its end.
 */

/** The desk's conversation that an event is of. */
export type DeskPlace = { farEnd: string; conversationId: string };

const kept = ({ farEnd }: DeskPlace, cache: TicketCache) => {
  const desk = conversationsAt(farEnd);
  const conversation = desk && cache.conversation("toDesk", farEnd);
  const number = desk?.numberOf(conversation);
  return desk && number !== undefined ? { desk, conversation, number } : undefined;
};

export const isElsewhere = (place: DeskPlace, cache: TicketCache): boolean => {
  const current = kept(place, cache);
  return current !== undefined && current.number !== Number(place.conversationId);
};

/** A reply came from there. */
export function follow(place: DeskPlace, cache: TicketCache): void {
  const current = kept(place, cache);
  const number = Number(place.conversationId);
  if (!current || !(number > current.number)) return;
  cache.keepConversation("toDesk", place.farEnd, current.desk.moved(current.conversation, number));
}
