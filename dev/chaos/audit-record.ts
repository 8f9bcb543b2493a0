import type { Circumstances, Wrongs } from "./audit.ts";
import { type LaneEvidence, type RecordedMessage, hasFailed, isKilled, isSlow } from "./evidence.ts";
import type { Passage } from "./proxy.ts";

/** The timeline keeps the newest 20 attempts of a message. */
const ATTEMPTS_KEPT = 20;

/** Holds the relay's own record of a lane against what its sender was told and what the far end received. */
export function auditRecord(evidence: LaneEvidence, circumstances: Circumstances, wrongs: Wrongs): void {
  const say = (words: string) => wrongs.disagreements.push(`${evidence.lane}: ${words}`);
  compareCounts(evidence, say);
  compareWithSender(evidence, say);
  const attempts = Map.groupBy(evidence.passages, (passage) => passage.label);
  const heard = new Set(evidence.heard.map(({ label }) => label));
  for (const message of evidence.record) {
    const { label, state } = message;
    const isHeard = heard.delete(label);
    if (state !== "delivered") say(`"${label}" is ${state}, and no far end refused anything for good`);
    if (state === "delivered" && !isHeard) say(`"${label}" is delivered, and the far end never heard it`);
    compareAttempts(message, attempts.get(label) ?? [], circumstances, say);
  }
  for (const label of heard) say(`the far end heard "${label}", which is not in the timeline`);
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
  passages: Passage[],
  { interruptions, timeoutMs }: Circumstances,
  say: (words: string) => void,
): void {
  const last = passages.at(-1);
  if (state === "delivered" && last !== undefined && hasFailed(last)) {
    say(`"${label}" is delivered, and its last attempt failed (${last.fate})`);
  }
  const tries = Map.groupBy(passages, (passage) => passage.attempt);
  const total = Math.max(attempts.length, ...tries.keys());
  if (attempts.length < Math.min(total, ATTEMPTS_KEPT)) {
    say(`"${label}" was tried ${total} times, and shows ${attempts.length}`);
  }
  attempts.forEach((attempt, place) => {
    const number = total - attempts.length + place + 1;
    const requests = tries.get(number) ?? [];
    const passage = requests.at(-1);
    if (passage === undefined) return say(`"${label}" shows an attempt ${number} that nobody saw`);
    if (passage.id !== id) say(`"${label}" is stored as ${id}, and was sent as ${passage.id}`);
    if (!agrees(attempt, passage, timeoutMs)) {
      say(`"${label}", attempt ${number}: ${JSON.stringify(attempt)} on record, and it was ${passage.fate}`);
    }
    for (const forgotten of requests.slice(0, -1)) {
      if (!isKilled(forgotten, interruptions)) {
        say(`"${label}", attempt ${number}: one that was ${forgotten.fate} is not on record, with no kill near`);
      }
    }
  });
}

function agrees(attempt: RecordedMessage["attempts"][number], passage: Passage, timeoutMs: number): boolean {
  const hasError = attempt.error !== undefined;
  if (attempt.status === undefined && hasError && isSlow(passage, timeoutMs)) return true;
  if (passage.end !== "answered") return hasError;
  return attempt.status === passage.status && hasError === (passage.status !== 200);
}
