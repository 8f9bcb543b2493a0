import * as z from "zod";
import { call, read, ticketAnswer } from "../harness/client.ts";
import type { LaneEvidence } from "./evidence.ts";
import { type LaneName, type Ticket, labelOf } from "./lanes.ts";
import type { Scenario } from "./scenario.ts";

const page = ticketAnswer.extend({ ticket: ticketAnswer.shape.ticket.extend({ next: z.string().optional() }) });

/** What the relay has on record of one lane, all pages of it. */
export async function readLane(
  scenario: Scenario,
  ticket: Ticket,
  lane: LaneName,
): Promise<Pick<LaneEvidence, "counts" | "record">> {
  const path = `${await scenario.relayUrl()}/admin/tickets/${ticket.owner}/${ticket.ticketNumber}?lane=${lane}`;
  const record: LaneEvidence["record"] = [];
  let before = "";
  for (;;) {
    const answer = await call("GET", path + before, { token: scenario.adminToken });
    // A ticket whose opening was never accepted.
    if (answer.status === 404) return { counts: { accepted: 0, delivered: 0, waiting: 0, dead: 0 }, record: [] };
    const { ticket: shown } = read(answer, page, "Reading a timeline");
    const messages = shown.messages.map(({ id, sequence, state, attempts, event }) => {
      const { label } = labelOf(event, sequence);
      return { id, sequence, label, state, attempts };
    });
    record.unshift(...messages);
    if (shown.next === undefined) return { counts: shown.lanes[lane], record };
    before = `&before=${shown.next}`;
  }
}
