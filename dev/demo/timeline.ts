import { type Ticket, same } from "../harness/client.ts";
import { ticketNumber } from "./events.ts";
import { readTicket } from "./actions.ts";
import type { Received } from "../fakes/far-end.ts";
import { prose, quoted, table, title } from "../harness/print.ts";
import type { Scenario } from "./scenario.ts";

type Message = Ticket["messages"][number];

/** Prints the relay's own record of the ticket, after holding it against what the two ends received. */
export async function showTimeline(scenario: Scenario): Promise<void> {
  const settled = (ticket: Ticket) => ticket.lanes.toDesk.waiting + ticket.lanes.toDolphins.waiting === 0;
  const ticket = await readTicket(scenario, settled, "that nothing waits");
  compareWithEnds(scenario, ticket);

  title("The relay's record of this ticket");
  prose(`  Ticket ${ticketNumber} is ${ticket.state}.`, "");
  table(["Accepted, UTC", "Direction", "No.", "What", "Attempts", "Outcome"], ticket.messages.map(row));

  const { toDesk, toDolphins } = ticket.lanes;
  const attempts = ticket.messages.reduce((sum, message) => sum + message.attempts.length, 0);
  prose(
    "",
    `  Accepted ${toDesk.accepted + toDolphins.accepted}, delivered ${toDesk.delivered + toDolphins.delivered}, given up ${toDesk.dead + toDolphins.dead}, with ${attempts} attempts.`,
    `  The record agrees with what the two ends received: the same messages, in the same order, in both directions.`,
    `  The desk checked ${scenario.desk.verified.size} of ${scenario.desk.received.length} deliveries with the standardwebhooks package and found the signature good.`,
  );
}

function compareWithEnds(scenario: Scenario, ticket: Ticket): void {
  for (const message of ticket.messages) same(`The state of message ${message.id}`, message.state, "delivered");
  same("The signatures the desk verified", scenario.desk.verified.size, scenario.desk.received.length);
  same("The messages to the desk", idsOf(ticket, "toDesk"), firstArrivals(scenario.desk.received, "webhook-id"));
  same(
    "The messages to 3Dolphins",
    idsOf(ticket, "toDolphins"),
    firstArrivals(scenario.engine.received, "relay-message-id"),
  );
  const deliveries = scenario.desk.received.length + scenario.engine.received.length;
  const attempts = ticket.messages.reduce((sum, message) => sum + message.attempts.length, 0);
  same("The number of attempts in the record", attempts, deliveries);
}

function idsOf(ticket: Ticket, lane: Message["lane"]): string[] {
  const messages = ticket.messages.filter((message) => message.lane === lane);
  return messages.toSorted((a, b) => a.sequence - b.sequence).map((message) => message.id);
}

function firstArrivals(received: Received[], header: string): string[] {
  return [...new Set(received.map((request) => request.headers[header] ?? "none"))];
}

function row(message: Message): string[] {
  return [
    message.acceptedAt.slice(11, 23),
    message.lane === "toDesk" ? "customer → desk" : "desk → customer",
    String(message.sequence),
    whatIn(message.event),
    message.attempts.map((attempt) => attempt.status ?? attempt.error ?? "no answer").join(", then "),
    message.state,
  ];
}

/** An event in a few words, as it stands in the table and in the watch over what arrives. */
export function whatIn(event: Record<string, unknown>): string {
  const { event: command, messageType, message } = event;
  if (typeof command === "string") return `command ${command}`;
  const type = typeof messageType === "string" ? messageType : "unknown";
  const words = typeof message === "string" && message !== "" ? ` ${quoted(message, 36)}` : "";
  return type.toLowerCase() === "text" ? words.trim() : `[${type}]${words}`;
}
