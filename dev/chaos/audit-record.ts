import type { Circumstances, Violations } from "./audit.ts";
import { type LaneEvidence, type RecordedMessage, hasFailed, isKilled, isSlow } from "./evidence.ts";
import type { Exchange } from "./proxy.ts";

/** The timeline keeps the newest 20 attempts of a message. */
const ATTEMPTS_KEPT = 20;

/** Holds the relay's own record of a lane against what its sender was answered and what the far end received. */
export function auditRecord(evidence: LaneEvidence, circumstances: Circumstances, violations: Violations): void {
  const say = (words: string) => violations.disagreements.push(`${evidence.lane}: ${words}`);
  compareCounts(evidence, say);
  compareWithSender(evidence, say);
  const attempts = Map.groupBy(evidence.exchanges, (exchange) => exchange.label);
  const received = new Set(evidence.received.map(({ label }) => label));
  for (const message of evidence.record) {
    const { label, state } = message;
    const isReceived = received.delete(label);
    if (state !== "delivered") say(`"${label}" is ${state}, and no far end refused anything for good`);
    if (state === "delivered" && !isReceived) say(`"${label}" is delivered, and the far end never received it`);
    compareAttempts(message, attempts.get(label) ?? [], circumstances, say);
  }
  for (const label of received) say(`the far end received "${label}", which is not in the timeline`);
}

function compareCounts({ counts, record }: LaneEvidence, say: (words: string) => void): void {
  const inState = (state: RecordedMessage["state"]) => record.filter((message) => message.state === state).length;
  const counted = {
    accepted: record.length,
    delivered: inState("delivered"),
    waiting: inState("waiting"),
    dead: inState("dead"),
  };
  for (const name of ["accepted", "delivered", "waiting", "dead"] as const) {
    if (counts[name] !== counted[name]) say(`it counts ${counts[name]} ${name}, and shows ${counted[name]}`);
  }
  record.forEach(({ sequence }, place) => {
    if (sequence !== place + 1) say(`number ${sequence} stands in place ${place + 1}`);
  });
}

function compareWithSender({ sent, record }: LaneEvidence, say: (words: string) => void): void {
  const recorded = Map.groupBy(record, ({ label }) => label);
  let latest = 0;
  for (const { label, state, id, sequence, code } of sent) {
    const [message, ...more] = recorded.get(label) ?? [];
    recorded.delete(label);
    if (more.length > 0) say(`"${label}" is stored ${more.length + 1} times`);
    if (state === "refused" || state === "fenced") {
      if (message !== undefined) say(`"${label}" was refused (${code}), and is stored`);
      continue;
    }
    if (state === "accepted" && message === undefined) say(`"${label}" was answered 200, and is not stored`);
    if (message === undefined) continue;
    if (state === "accepted" && (message.id !== id || message.sequence !== sequence)) {
      say(
        `"${label}" was answered as ${id} number ${sequence}, and is stored as ${message.id} number ${message.sequence}`,
      );
    }
    if (message.sequence <= latest)
      say(`"${label}" was sent after number ${latest}, and is number ${message.sequence}`);
    latest = message.sequence;
  }
  for (const label of recorded.keys()) say(`"${label}" is stored, and nobody sent it`);
}

/**
 * `relay-attempt` counts the attempts on record: of several requests with the same number, all but the last were
 * forgotten in a crash, and the last is the one on record.
 */
function compareAttempts(
  { label, state, id, attempts }: RecordedMessage,
  exchanges: Exchange[],
  { interruptions, timeoutMs }: Circumstances,
  say: (words: string) => void,
): void {
  const last = exchanges.at(-1);
  if (state === "delivered" && last !== undefined && hasFailed(last)) {
    say(`"${label}" is delivered, and its last attempt failed (${last.fate})`);
  }
  const tries = Map.groupBy(exchanges, (exchange) => exchange.attempt);
  const total = Math.max(attempts.length, ...tries.keys());
  if (attempts.length < Math.min(total, ATTEMPTS_KEPT)) {
    say(`"${label}" was tried ${total} times, and shows ${attempts.length}`);
  }
  attempts.forEach((attempt, place) => {
    const number = total - attempts.length + place + 1;
    const requests = tries.get(number) ?? [];
    const exchange = requests.at(-1);
    if (exchange === undefined) return say(`"${label}" shows an attempt ${number} that nobody saw`);
    if (exchange.id !== id) say(`"${label}" is stored as ${id}, and was sent as ${exchange.id}`);
    if (!agrees(attempt, exchange, timeoutMs)) {
      say(`"${label}", attempt ${number}: ${JSON.stringify(attempt)} on record, and it was ${exchange.fate}`);
    }
    for (const forgotten of requests.slice(0, -1)) {
      if (!isKilled(forgotten, interruptions)) {
        say(`"${label}", attempt ${number}: one that was ${forgotten.fate} is not on record, with no kill near`);
      }
    }
  });
}

function agrees(attempt: RecordedMessage["attempts"][number], exchange: Exchange, timeoutMs: number): boolean {
  const hasError = attempt.error !== undefined;
  if (attempt.status === undefined && hasError && isSlow(exchange, timeoutMs)) return true;
  if (exchange.end !== "answered") return hasError;
  return attempt.status === exchange.status && hasError === (exchange.status !== 200);
}
