import type { LaneView, TimelineMessage } from "../../src/model/answers";
import { lastFailure, type Failure } from "./failure";

/** Why a lane waits, and until when, as data for one sentence. Pure. */

export type Story =
  | { kind: "quiet"; delivered: number }
  /** Its first attempt has not ended. */
  | { kind: "sending"; sequence: number | undefined; since: string; waiting: number }
  | {
      kind: "waiting";
      /** Of the message at the head; undefined when it was not found among those that were read. */
      sequence: number | undefined;
      since: string;
      waiting: number;
      failure: Failure | undefined;
      /** Undefined when it is due, or under way. */
      nextAttemptAt: string | undefined;
    }
  | { kind: "dead"; dead: number; sequence: number | undefined; at: string | undefined; failure: Failure | undefined };

/** `messages`: those of this lane that were read, oldest first. */
export function storyOf(lane: LaneView, messages: TimelineMessage[], nowMs: number): Story {
  if (lane.waiting > 0) return waitingStory(lane, headOf(lane, messages), nowMs);
  if (lane.dead === 0) return { kind: "quiet", delivered: lane.delivered };
  const newest = messages.findLast(({ state }) => state === "dead");
  return {
    kind: "dead",
    dead: lane.dead,
    sequence: newest?.sequence,
    at: newest?.attempts.at(-1)?.at,
    failure: newest && lastFailure(newest),
  };
}

export const headOf = (lane: LaneView, messages: TimelineMessage[]): TimelineMessage | undefined =>
  messages.find(({ id, state }) => (lane.blockedBy === undefined ? state === "waiting" : id === lane.blockedBy));

function waitingStory(lane: LaneView, head: TimelineMessage | undefined, nowMs: number): Story {
  const since = lane.oldestWaitingSince ?? head?.acceptedAt ?? new Date(nowMs).toISOString();
  const { waiting, nextAttemptAt } = lane;
  const failure = head && lastFailure(head);
  if (head && !failure) return { kind: "sending", sequence: head.sequence, since, waiting };
  const isAhead = nextAttemptAt !== undefined && Date.parse(nextAttemptAt) > nowMs;
  return {
    kind: "waiting",
    sequence: head?.sequence,
    since,
    waiting,
    failure,
    nextAttemptAt: isAhead ? nextAttemptAt : undefined,
  };
}
