import { type Repeats, type Violations, auditDeliveries, noViolations } from "./audit.ts";
import { auditRecord } from "./audit-record.ts";
import type { Fences } from "./conversation.ts";
import type { LaneEvidence } from "./evidence.ts";
import type { Fate } from "./faults.ts";
import { LANES } from "./lanes.ts";
import type { Sent } from "./sending.ts";
import { type Scenario, TIMEOUT_MS } from "./scenario.ts";

export type ChaosResult = {
  seed: number;
  seconds: number;
  tickets: number;
  lanes: number;
  /** To the relay. */
  requests: number;
  accepted: number;
  unknown: number;
  /** Of the unknown: those that turned out to be stored. */
  unknownStored: number;
  refused: Record<string, number>;
  /** By the far ends, each message counted once. */
  delivered: number;
  dead: number;
  repeats: Repeats;
  closes: number;
  fenced: number;
  killed: number;
  stopped: number;
  /** By the relay, as its proxies saw them. */
  attempts: number;
  fates: Partial<Record<Fate, number>>;
  violations: Violations;
};

export const hasFailedAnywhere = ({ violations }: ChaosResult): boolean =>
  Object.values(violations).some((found) => found.length > 0);

/** Holds what happened against the guarantees, and counts it. */
export function judgeRun(
  scenario: Scenario,
  lanes: LaneEvidence[],
  { fences, missing, index }: { fences: Fences[]; missing: Set<string>; index: string[] },
  totals: Pick<ChaosResult, "seed" | "seconds" | "requests">,
): ChaosResult {
  const circumstances = { interruptions: scenario.interruptions, timeoutMs: TIMEOUT_MS, missing };
  const violations = noViolations();
  const repeats: Repeats = { fault: 0, timeout: 0, kill: 0, unexplained: 0 };
  for (const lane of lanes) {
    const found = auditDeliveries(lane, circumstances, violations);
    for (const name of Object.keys(repeats) as (keyof Repeats)[]) repeats[name] += found[name];
    auditRecord(lane, circumstances, violations);
  }
  violations.fences.push(...fences.flatMap(({ broken }) => broken));
  violations.index.push(...index);
  const sent = lanes.flatMap((lane) => lane.sent);
  const stored = new Set(lanes.flatMap(({ record }) => record.map(({ label }) => label)));
  const inState = (state: Sent["state"]) => sent.filter((message) => message.state === state);
  const exchanges = [...scenario.toDesk.exchanges, ...scenario.toDolphins.exchanges];
  return {
    ...totals,
    tickets: lanes.length / LANES.length,
    lanes: lanes.length,
    accepted: inState("accepted").length,
    unknown: inState("unknown").length,
    unknownStored: inState("unknown").filter(({ label }) => stored.has(label)).length,
    refused: countBy(inState("refused"), ({ code }) => code),
    delivered: lanes.reduce((sum, { received }) => sum + new Set(received.map(({ label }) => label)).size, 0),
    dead: lanes.reduce((sum, { counts }) => sum + counts.dead, 0),
    repeats,
    closes: fences.reduce((sum, { closes }) => sum + closes, 0),
    fenced: inState("fenced").length,
    killed: scenario.interruptions.filter(({ how }) => how === "killed").length,
    stopped: scenario.interruptions.filter(({ how }) => how === "stopped").length,
    attempts: exchanges.length,
    fates: countBy(exchanges, ({ fate }) => fate),
    violations,
  };
}

function countBy<T, K extends string>(items: T[], nameOf: (item: T) => K): Record<K, number> {
  const groups = [...Map.groupBy(items, nameOf)].map(([name, group]) => [name, group.length]);
  return Object.fromEntries(groups) as Record<K, number>;
}
