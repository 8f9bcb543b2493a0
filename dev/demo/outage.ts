import { type Ticket, same } from "../harness/client.ts";
import { eventIn, text } from "./events.ts";
import { type Accepted, customerWrites, deskReceives, readTicket } from "./actions.ts";
import { action, gap, quoted, seconds, title } from "../harness/print.ts";
import type { Scenario } from "./scenario.ts";

/** The scene in which the desk fails once: the relay tries again, and what came later waits its turn. */
export async function deskFailsOnce(scenario: Scenario): Promise<void> {
  title("3. The desk fails for a moment: nothing is lost, and nothing overtakes");
  scenario.desk.failNextWith(503);
  const held = await customerWrites(scenario, text("4417"), "the last four digits");
  const firstTry = await deskReceives(scenario, held, {}, 1);
  const waiting = await readTicket(scenario, (ticket) => attemptsAt(ticket, held).length > 0, "the failed attempt");
  const status = attemptsAt(waiting, held)[0]?.status;
  same("The status of the first attempt in the relay's record", status, 503);
  action("desk", `attempt 1 at message ${held.sequence}: answered ${status}, as if it were being restarted`, "bad");
  action("relay", `keeps it and will try again; messages waiting for the desk: ${waiting.lanes.toDesk.waiting}`);
  gap();

  const behind = await customerWrites(scenario, text("Tolong cepat ya, Bu."), "Please be quick.");
  const secondTry = await deskReceives(scenario, held, {}, 2);
  const wait = seconds(secondTry.atMs - firstTry.atMs);
  const shown = quoted(eventIn(secondTry).message);
  action(
    "desk",
    `attempt 2 at message ${held.sequence}, ${wait} after the first: received ${shown}, signature verified`,
  );
  const follower = await deskReceives(scenario, behind);
  const order = scenario.desk.received;
  const inOrder = order.indexOf(follower) > order.indexOf(secondTry);
  same("That the later message came after the earlier one", inOrder, true);
  action(
    "desk",
    `attempt 1 at message ${behind.sequence}, only then: received ${quoted(eventIn(follower).message)}, signature verified`,
  );
}

function attemptsAt(ticket: Ticket, accepted: Accepted) {
  return ticket.messages.find((message) => message.id === accepted.id)?.attempts ?? [];
}
