import * as z from "zod";

/** One direction of one ticket. */
export const LANES = ["toDesk", "toDolphins"] as const;
export type LaneName = (typeof LANES)[number];
export type Ticket = { owner: string; ticketNumber: string };
export type LaneKey = string;

export const laneKey = ({ owner, ticketNumber }: Ticket, lane: LaneName): LaneKey => `${owner} ${ticketNumber} ${lane}`;

/** The Close has no text: its number in the lane tells it apart. */
export const closeLabel = ({ owner, ticketNumber }: Ticket, sequence: number): string =>
  `${owner} ${ticketNumber} Close at ${sequence}`;

const event = z.object({
  owner: z.string(),
  ticketNumber: z.string(),
  message: z.string().optional(),
  event: z.string().optional(),
});

/** The label of the message that an event carries: its text, which no other message of any ticket has. */
export function labelOf(json: unknown, sequence: number): { ticket: Ticket; label: string } {
  const { owner, ticketNumber, message, event: command } = event.parse(json);
  const ticket = { owner, ticketNumber };
  return { ticket, label: command === undefined ? (message ?? "") : closeLabel(ticket, sequence) };
}
