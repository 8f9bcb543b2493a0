import { setTimeout as pause } from "node:timers/promises";
import { type LaneEvidence, hasFailed, heardPassages } from "./evidence.ts";
import { LANES, type Ticket, laneKey } from "./lanes.ts";
import type { Sent } from "./sending.ts";
import type { Stage } from "./scenario.ts";
import { readLane } from "./timelines.ts";

/** From the last delivery that was heard until it stands in the timeline; or for what nobody knew to be stored. */
const RECORD_MS = 30_000;
const LOOK_EVERY_MS = 50;

/**
 * Only looks at the far ends: a question to the relay would wake a ticket that has forgotten its alarm. Gives the labels
 * of what was accepted and has not arrived by the deadline, or whose last attempt failed with no other since.
 */
export async function waitForArrival(stage: Stage, sent: Sent[], settleMs: number): Promise<Set<string>> {
  const deadlineMs = Date.now() + settleMs;
  const accepted = sent.filter(({ state }) => state === "accepted");
  for (;;) {
    const latest = new Map(
      [stage.toDesk, stage.toDolphins].flatMap(({ passages }) =>
        passages.map((passage) => [passage.label, passage] as const),
      ),
    );
    const isMissing = ({ label }: Sent) => {
      const passage = latest.get(label);
      return passage === undefined || hasFailed(passage);
    };
    const missing = accepted.filter(isMissing);
    if (missing.length === 0 || Date.now() > deadlineMs) return new Set(missing.map(({ label }) => label));
    await pause(LOOK_EVERY_MS);
  }
}

/** Puts together, by lane, what everybody knows. */
export async function gather(stage: Stage, tickets: Ticket[], sent: Sent[]): Promise<LaneEvidence[]> {
  const records = new Map<string, Pick<LaneEvidence, "counts" | "record">>();
  const deadlineMs = Date.now() + RECORD_MS;
  for (const ticket of tickets) {
    for (const lane of LANES) {
      let shown = await readLane(stage, ticket, lane);
      while (shown.counts.waiting > 0 && Date.now() < deadlineMs) {
        await pause(LOOK_EVERY_MS);
        shown = await readLane(stage, ticket, lane);
      }
      records.set(laneKey(ticket, lane), shown);
    }
  }
  const heard = [
    ...heardPassages(stage.toDesk, stage.desk.received),
    ...heardPassages(stage.toDolphins, stage.engine.received),
  ];
  const sentByLane = Map.groupBy(sent, ({ lane }) => lane);
  const passagesByLane = Map.groupBy([...stage.toDesk.passages, ...stage.toDolphins.passages], ({ lane }) => lane);
  const heardByLane = Map.groupBy(heard, ({ lane }) => lane);
  return [...records].map(([lane, { counts, record }]) => ({
    lane,
    sent: sentByLane.get(lane) ?? [],
    passages: passagesByLane.get(lane) ?? [],
    heard: heardByLane.get(lane) ?? [],
    counts,
    record,
  }));
}
