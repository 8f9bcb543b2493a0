import { poll } from "../harness/poll.ts";
import { type LaneEvidence, hasFailed, receivedExchanges } from "./evidence.ts";
import { LANES, type Ticket, laneKey } from "./lanes.ts";
import type { Sent } from "./sending.ts";
import type { Scenario } from "./scenario.ts";
import { readLane } from "./timelines.ts";

/** From the last delivery that was received until it stands in the timeline; or for what nobody knew to be stored. */
const RECORD_MS = 30_000;

/**
 * Only looks at the far ends: a question to the relay would wake a ticket that has forgotten its alarm. Gives the labels
 * of what was accepted and has not arrived by the deadline, or whose last attempt failed with no other since.
 */
export async function waitForArrival(scenario: Scenario, sent: Sent[], settleMs: number): Promise<Set<string>> {
  const accepted = sent.filter(({ state }) => state === "accepted");
  const missing = async () => {
    const exchanges = [...scenario.toDesk.exchanges, ...scenario.toDolphins.exchanges];
    const latest = new Map(exchanges.map((exchange) => [exchange.label, exchange]));
    const isMissing = ({ label }: Sent) => {
      const exchange = latest.get(label);
      return exchange === undefined || hasFailed(exchange);
    };
    return new Set(accepted.filter(isMissing).map(({ label }) => label));
  };
  return poll(missing, (labels) => labels.size === 0, { timeoutMs: settleMs });
}

/** Puts together, by lane, what everybody knows. */
export async function gather(scenario: Scenario, tickets: Ticket[], sent: Sent[]): Promise<LaneEvidence[]> {
  const records = new Map<string, Pick<LaneEvidence, "counts" | "record">>();
  const deadlineMs = Date.now() + RECORD_MS;
  for (const ticket of tickets) {
    for (const lane of LANES) {
      const shown = await poll(
        () => readLane(scenario, ticket, lane),
        ({ counts }) => counts.waiting === 0,
        { timeoutMs: deadlineMs - Date.now() },
      );
      records.set(laneKey(ticket, lane), shown);
    }
  }
  const received = [
    ...receivedExchanges(scenario.toDesk, scenario.desk.received),
    ...receivedExchanges(scenario.toDolphins, scenario.engine.received),
  ];
  const sentByLane = Map.groupBy(sent, ({ lane }) => lane);
  const exchangesByLane = Map.groupBy(
    [...scenario.toDesk.exchanges, ...scenario.toDolphins.exchanges],
    ({ lane }) => lane,
  );
  const receivedByLane = Map.groupBy(received, ({ lane }) => lane);
  return [...records].map(([lane, { counts, record }]) => ({
    lane,
    sent: sentByLane.get(lane) ?? [],
    exchanges: exchangesByLane.get(lane) ?? [],
    received: receivedByLane.get(lane) ?? [],
    counts,
    record,
  }));
}
