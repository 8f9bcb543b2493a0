import { type LaneEvidence, type Loss, hasFailed, lossOf } from "./evidence.ts";
import type { Passage } from "./proxy.ts";
import type { Interruption } from "./scenario.ts";

/** What is wrong, in words, by guarantee of protocol 2.6. All of them empty in a relay that keeps its word. */
export const FAULTS = {
  lost: "accepted, and not delivered by the deadline (1)",
  outOfOrder: "first delivered after a later one of its lane (2)",
  twoAtOnce: "sent while another of its lane was under way (2)",
  idChanges: "sent under more than one id or number (3)",
  unexplained: "sent again although nothing was lost (3)",
  fences: "the Close did not hold, or held too long (4)",
  disagreements: "the timeline or an answer says something else than what happened",
  index: "a tenant's index says something else than its tickets",
} as const;
export type FaultName = keyof typeof FAULTS;
export type Wrongs = Record<FaultName, string[]>;

export const noWrongs = (): Wrongs => ({
  lost: [],
  outOfOrder: [],
  twoAtOnce: [],
  idChanges: [],
  unexplained: [],
  fences: [],
  disagreements: [],
  index: [],
});

export type Circumstances = {
  interruptions: Interruption[];
  timeoutMs: number;
  /** Labels of what had not arrived at the deadline, whatever came when the relay was asked about it. */
  missing: Set<string>;
};

/** Of a lane: how often a far end heard a message again, by what had become of the outcome before. */
export type Repeats = Record<Loss | "unexplained", number>;

/** Holds what the far end and the proxy saw of a lane against what was accepted. */
export function auditDeliveries(evidence: LaneEvidence, circumstances: Circumstances, wrongs: Wrongs): Repeats {
  findLost(evidence, circumstances, wrongs);
  findOutOfOrder(evidence, wrongs);
  findWrongSteps(evidence, circumstances, wrongs);
  findChangedIds(evidence, wrongs);
  return countRepeats(evidence, circumstances);
}

function findLost({ sent, heard, record }: LaneEvidence, { missing }: Circumstances, wrongs: Wrongs): void {
  const arrived = new Set(heard.map(({ label }) => label));
  const dead = new Set(record.filter(({ state }) => state === "dead").map(({ label }) => label));
  for (const { label, state, id } of sent) {
    if (state !== "accepted" || dead.has(label)) continue;
    if (!arrived.has(label)) wrongs.lost.push(`${label} (${id})`);
    else if (missing.has(label)) wrongs.lost.push(`${label} (${id}) until the relay was asked about it`);
  }
}

function findOutOfOrder({ sent, heard, lane }: LaneEvidence, wrongs: Wrongs): void {
  const places = new Map(sent.map(({ label }, place) => [label, place]));
  let latest = -1;
  let latestLabel = "";
  for (const label of new Set(heard.map((passage) => passage.label))) {
    const place = places.get(label);
    if (place === undefined) wrongs.disagreements.push(`${lane}: the far end heard "${label}", which nobody sent`);
    else if (place < latest) wrongs.outOfOrder.push(`${label} came after ${latestLabel}`);
    else [latest, latestLabel] = [place, label];
  }
}

/** Each request of a lane must follow from the one before: the same message if that failed or was lost, else the next. */
function findWrongSteps({ passages, lane }: LaneEvidence, circumstances: Circumstances, wrongs: Wrongs): void {
  const started = new Set<string>();
  let before: Passage | undefined;
  for (const passage of passages) {
    const { label } = passage;
    if (passage.overlaps) wrongs.twoAtOnce.push(`${label}, attempt ${passage.attempt}`);
    if (before?.label === label) {
      const isWhole =
        !hasFailed(before) && lossOf(before, circumstances.interruptions, circumstances.timeoutMs) === undefined;
      if (isWhole) wrongs.unexplained.push(`${label}, attempt ${passage.attempt}: the one before was answered 200`);
    } else {
      if (started.has(label)) wrongs.unexplained.push(`${label}, attempt ${passage.attempt}: after ${before?.label}`);
      if (before !== undefined && hasFailed(before)) {
        wrongs.disagreements.push(`${lane}: "${label}" was sent when "${before.label}" had failed (${before.fate})`);
      }
    }
    started.add(label);
    before = passage;
  }
}

function findChangedIds({ passages }: LaneEvidence, wrongs: Wrongs): void {
  for (const [label, attempts] of Map.groupBy(passages, (passage) => passage.label)) {
    const names = new Set(attempts.map(({ id, sequence }) => `${id} number ${sequence}`));
    if (names.size > 1) wrongs.idChanges.push(`${label}: ${[...names].join(", ")}`);
  }
}

/** Of the messages heard more than once. The proxy's requests that were not passed on are no repeats to a far end. */
function countRepeats({ heard, passages }: LaneEvidence, { interruptions, timeoutMs }: Circumstances): Repeats {
  const repeats: Repeats = { fault: 0, timeout: 0, kill: 0, unexplained: 0 };
  const followers = new Map<Passage, Passage | undefined>(passages.map((passage, at) => [passage, passages[at + 1]]));
  for (const [label, times] of Map.groupBy(heard, (passage) => passage.label)) {
    for (const passage of times.slice(0, -1)) {
      const loss = followers.get(passage)?.label === label ? lossOf(passage, interruptions, timeoutMs) : undefined;
      repeats[loss ?? "unexplained"] += 1;
    }
  }
  return repeats;
}
