import { type LaneEvidence, type Loss, hasFailed, lossOf } from "./evidence.ts";
import type { Exchange } from "./proxy.ts";
import type { Interruption } from "./scenario.ts";

/** The guarantees of protocol 2.6 and how each is broken, in words. */
export const VIOLATIONS = {
  lost: "accepted, and not delivered by the deadline (1)",
  outOfOrder: "first delivered after a later one of its lane (2)",
  twoAtOnce: "sent while another of its lane was under way (2)",
  idChanges: "sent under more than one id or number (3)",
  unexplained: "sent again although nothing was lost (3)",
  fences: "the Close did not hold, or held too long (4)",
  disagreements: "the timeline or an answer says something else than what happened",
  index: "a tenant's index says something else than its tickets",
} as const;
export type ViolationName = keyof typeof VIOLATIONS;
/** What was found, by guarantee. All of them are empty for a relay that keeps its word. */
export type Violations = Record<ViolationName, string[]>;

export const noViolations = (): Violations =>
  Object.fromEntries(Object.keys(VIOLATIONS).map((name) => [name, []])) as unknown as Violations;

export type Circumstances = {
  interruptions: Interruption[];
  timeoutMs: number;
  /** Labels of what had not arrived at the deadline, whatever came when the relay was asked about it. */
  missing: Set<string>;
};

/** Of a lane: how often a far end received a message again, by what had become of the outcome before. */
export type Repeats = Record<Loss | "unexplained", number>;

/** Holds what the far end and the proxy saw of a lane against what was accepted. */
export function auditDeliveries(evidence: LaneEvidence, circumstances: Circumstances, violations: Violations): Repeats {
  findLost(evidence, circumstances, violations);
  findOutOfOrder(evidence, violations);
  findUnexplainedSteps(evidence, circumstances, violations);
  findChangedIds(evidence, violations);
  return countRepeats(evidence, circumstances);
}

function findLost({ sent, received, record }: LaneEvidence, { missing }: Circumstances, violations: Violations): void {
  const arrived = new Set(received.map(({ label }) => label));
  const dead = new Set(record.filter(({ state }) => state === "dead").map(({ label }) => label));
  for (const { label, state, id } of sent) {
    if (state !== "accepted" || dead.has(label)) continue;
    if (!arrived.has(label)) violations.lost.push(`${label} (${id})`);
    else if (missing.has(label)) violations.lost.push(`${label} (${id}) until the relay was asked about it`);
  }
}

function findOutOfOrder({ sent, received, lane }: LaneEvidence, violations: Violations): void {
  const places = new Map(sent.map(({ label }, place) => [label, place]));
  let latest = -1;
  let latestLabel = "";
  for (const label of new Set(received.map((exchange) => exchange.label))) {
    const place = places.get(label);
    if (place === undefined)
      violations.disagreements.push(`${lane}: the far end received "${label}", which nobody sent`);
    else if (place < latest) violations.outOfOrder.push(`${label} came after ${latestLabel}`);
    else [latest, latestLabel] = [place, label];
  }
}

/** Each request of a lane must follow from the one before: the same message if that failed or was lost, else the next. */
function findUnexplainedSteps(
  { exchanges, lane }: LaneEvidence,
  circumstances: Circumstances,
  violations: Violations,
): void {
  const started = new Set<string>();
  let before: Exchange | undefined;
  for (const exchange of exchanges) {
    const { label } = exchange;
    if (exchange.overlaps) violations.twoAtOnce.push(`${label}, attempt ${exchange.attempt}`);
    if (before?.label === label) {
      const isWhole =
        !hasFailed(before) && lossOf(before, circumstances.interruptions, circumstances.timeoutMs) === undefined;
      if (isWhole)
        violations.unexplained.push(`${label}, attempt ${exchange.attempt}: the one before was answered 200`);
    } else {
      if (started.has(label))
        violations.unexplained.push(`${label}, attempt ${exchange.attempt}: after ${before?.label}`);
      if (before !== undefined && hasFailed(before)) {
        violations.disagreements.push(
          `${lane}: "${label}" was sent when "${before.label}" had failed (${before.fate})`,
        );
      }
    }
    started.add(label);
    before = exchange;
  }
}

function findChangedIds({ exchanges }: LaneEvidence, violations: Violations): void {
  for (const [label, attempts] of Map.groupBy(exchanges, (exchange) => exchange.label)) {
    const names = new Set(attempts.map(({ id, sequence }) => `${id} number ${sequence}`));
    if (names.size > 1) violations.idChanges.push(`${label}: ${[...names].join(", ")}`);
  }
}

/** Of the messages received more than once. The proxy's requests that were not passed on are no repeats to a far end. */
function countRepeats({ received, exchanges }: LaneEvidence, { interruptions, timeoutMs }: Circumstances): Repeats {
  const repeats: Repeats = { fault: 0, timeout: 0, kill: 0, unexplained: 0 };
  const followers = new Map<Exchange, Exchange | undefined>(
    exchanges.map((exchange, at) => [exchange, exchanges[at + 1]]),
  );
  for (const [label, times] of Map.groupBy(received, (exchange) => exchange.label)) {
    for (const exchange of times.slice(0, -1)) {
      const loss = followers.get(exchange)?.label === label ? lossOf(exchange, interruptions, timeoutMs) : undefined;
      repeats[loss ?? "unexplained"] += 1;
    }
  }
  return repeats;
}
