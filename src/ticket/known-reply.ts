import { deskMessageOfKey, numberOf } from "../desks/desk";
import { messagesOf } from "../desks/registry";
import type { LaneName } from "../model/answers";
import type { TicketDeps } from "./deps";

/** The lane of what agents say. */
const LANE: LaneName = "toDolphins";

/** A dead letter, and how often it was attempted when this was read. */
export type DeadReply = { id: string; attempts: number };

/** What the ticket knows of a desk's message. */
export type KnownReply = {
  /** Keys of its parts that were ever stored. */
  stored: string[];
  /** Its parts that are dead, once the desk shows that. */
  dead: DeadReply[];
  /** Some are dead, and the desk does not show it yet: nobody can have asked for another try. */
  isDeathOwed: boolean;
  /** Whether a part that was never stored may be taken: the message is no older than what the ticket has seen of the desk. */
  isOurs: boolean;
};

type Known = Pick<TicketDeps, "cache" | "store">;
type KnownShown = Known & { receipts: Pick<TicketDeps["receipts"], "isShown"> };

export function knownReply(deskMessage: string, farEnd: string, { cache, store, receipts }: KnownShown): KnownReply {
  // That there is no such ticket is for the refusal to say.
  if (!cache.ticket) return { stored: [], dead: [], isDeathOwed: false, isOurs: true };
  const parts = store.readParts(LANE, deskMessage);
  // As long as a part waits, the desk has been told nothing.
  const isWaiting = parts.some(({ state }) => state === "waiting");
  const deaths = isWaiting ? [] : parts.filter(({ state }) => state === "dead");
  const isDeathOwed = deaths.length > 0 && !parts.every(({ sequence }) => receipts.isShown(sequence));
  const dead = isDeathOwed ? [] : deaths.flatMap(({ sequence }) => deadReply(sequence, store) ?? []);
  const since = firstNumber(farEnd, { cache, store });
  const isOurs = parts.length > 0 || (since !== undefined && numberOf(deskMessage) > since);
  return { stored: parts.map(({ key }) => key), dead, isDeathOwed, isOurs };
}

function deadReply(sequence: number, store: Known["store"]): DeadReply | undefined {
  const message = store.readMessage(LANE, sequence);
  const history = store.readHistory(LANE, sequence);
  return message && history?.state === "dead" ? { id: message.id, attempts: history.attemptCount } : undefined;
}

/** Which of these are dead still, and were not attempted since. So of two who ask for the same, one gets it. */
export const unchanged = (dead: readonly DeadReply[], { store }: Pick<Known, "store">): string[] =>
  store
    .readDeadLetters(LANE)
    .filter(({ id, sequence }) => {
      const known = dead.find((one) => one.id === id);
      return known !== undefined && store.readHistory(LANE, sequence)?.attemptCount === known.attempts;
    })
    .map(({ id }) => id);

/**
 * Above which number the desk's messages are this ticket's to take. Where retention has deleted some, or an earlier version
 * opened the conversation, that is the first one known. An older one may have been delivered, with nothing left of it here.
 */
export function firstNumber(farEnd: string, { cache, store }: Known): number | undefined {
  const oldest = store.oldestSequence(LANE);
  const since = oldest === undefined || oldest === 1 ? cache.since(farEnd) : undefined;
  if (since !== undefined) return since;
  const first = deskMessageOfKey(store.readFirstKey(LANE, messagesOf(farEnd)) ?? "");
  return first === undefined ? undefined : numberOf(first);
}
