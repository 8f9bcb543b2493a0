import type { FailureReport, LaneName, MessageState } from "../model/answers";
import { parseStored, type DeadReason } from "../model/delivery";
import type { MessageKind } from "../model/event";
import type { Move } from "./lane";
import type { TicketRow } from "./schema";

/**
 * How a ticket opens and closes. Pure: each gives what changes in the ticket's row.
 *
 * open ── Close accepted ──► closing ── Close delivered ──► closed
 *   ▲──── Close dead ───────────┘                             │
 *   ▲──── Incoming Event accepted ────────────────────────────┘  (while closing too)
 */

export type Opening = Pick<TicketRow, "deskId" | "channel" | "contactId" | "customerName">;
type Message = { lane: LaneName; sequence: number };

export const opened = (owner: string, ticketNumber: string, opening: Opening): TicketRow => ({
  owner,
  ticketNumber,
  deskId: opening.deskId,
  mapped: 0,
  channel: opening.channel,
  contactId: opening.contactId,
  customerName: opening.customerName,
  state: "open",
  closeLane: null,
  closeSequence: null,
  conversations: "{}",
  lastReport: null,
});

/** An Incoming Event opens the ticket again and brings its newest details; a Close fences off further replies. */
export function afterAccepting(
  ticket: TicketRow,
  kind: MessageKind,
  message: Message,
  { channel, contactId, customerName }: Opening,
): Partial<TicketRow> {
  if (kind === "outgoing" || kind === "failure") return {};
  if (kind === "command") return closingBy(message);
  const former = contactId === ticket.contactId ? {} : { conversations: withFormerContact(ticket) };
  return { state: "open", closeLane: null, closeSequence: null, channel, contactId, customerName, ...former };
}

/** More changes of contact than a ticket has. */
const MOST_CONTACTS = 50;

/** The contacts that the ticket was of before: what they wrote is theirs, whoever writes now. */
export const formerContactsOf = ({ conversations }: Pick<TicketRow, "conversations">): string[] =>
  (JSON.parse(conversations) as { formerContacts?: string[] }).formerContacts ?? [];

function withFormerContact(ticket: TicketRow): string {
  const { conversations, contactId } = ticket;
  if (contactId === "") return conversations;
  const others = formerContactsOf(ticket).filter((one) => one !== contactId);
  const formerContacts = [...others, contactId].slice(-MOST_CONTACTS);
  return JSON.stringify({ ...(JSON.parse(conversations) as object), formerContacts });
}

/** The Close that lies may have got another place in its lane. */
export function afterMoving(ticket: TicketRow, lane: LaneName, moves: readonly Move[]): Partial<TicketRow> {
  const move = ticket.closeLane === lane ? moves.find(({ from }) => from === ticket.closeSequence) : undefined;
  return move ? { closeSequence: move.to } : {};
}

/** The Close that is on its way closes the ticket when delivered, and leaves it open when dead. */
export function afterSettling(ticket: TicketRow, message: Message, state: MessageState): Partial<TicketRow> {
  const isTheClose = ticket.closeLane === message.lane && ticket.closeSequence === message.sequence;
  if (ticket.state !== "closing" || !isTheClose || state === "waiting") return {};
  return state === "delivered" ? { state: "closed" } : { state: "open", closeLane: null, closeSequence: null };
}

/** A Close that is replayed closes again, unless another has meanwhile. */
export const afterReplaying = (ticket: TicketRow, kind: MessageKind, message: Message): Partial<TicketRow> =>
  kind === "command" && ticket.state === "open" ? closingBy(message) : {};

const closingBy = (close: Message): Partial<TicketRow> => ({
  state: "closing",
  closeLane: close.lane,
  closeSequence: close.sequence,
});

/** What a desk that asks for it is sent about a reply or a Close of its own that ended among the dead letters. */
export function failureReport(
  { ticketNumber, owner, channel, customerName }: TicketRow,
  message: Message & { id: string; kind: MessageKind },
  /** The JSON of its event; undefined where that cannot be read any more. */
  text: string | undefined,
  reason: DeadReason,
  status: number | undefined,
): FailureReport {
  const unsaid = message.kind === "command" ? { event: "Close" } : { messageType: "text", message: "", mediaLink: "" };
  return {
    type: "delivery.failed",
    ticketNumber,
    owner,
    messageId: message.id,
    sequence: message.sequence,
    reason,
    status: status ?? null,
    event: (text === undefined
      ? { ticketNumber, channel, customerName, ...unsaid, owner }
      : parseStored(text)) as FailureReport["event"],
  };
}
