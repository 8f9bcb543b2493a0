import type { Received } from "../fakes/far-end.ts";
import type { LaneKey } from "./lanes.ts";
import { EXCHANGE_HEADER, type Exchange, type Proxy } from "./proxy.ts";
import type { Sent } from "./sending.ts";
import type { Interruption } from "./scenario.ts";

/** All that is known of one lane at the end, from all who took part in it. */
export type LaneEvidence = {
  lane: LaneKey;
  /** By the sender, in the order of sending: one after another, so this is the order of acceptance too. */
  sent: Sent[];
  /** By the proxy, in the order in which the relay's requests came. */
  exchanges: Exchange[];
  /** By the far end, in the order of arrival. */
  received: Exchange[];
  /** By the relay: the lane in the ticket's timeline, oldest first. */
  counts: { accepted: number; delivered: number; waiting: number; dead: number };
  record: RecordedMessage[];
};

export type RecordedMessage = {
  id: string;
  sequence: number;
  label: string;
  state: "waiting" | "delivered" | "dead";
  attempts: { status?: number | undefined; error?: string | undefined }[];
};

/** The exchanges that the far end itself has received: what it did not say is not believed. */
export function receivedExchanges(proxy: Proxy, received: Received[]): Exchange[] {
  return received.map((request) => {
    const exchange = proxy.exchanges[Number(request.headers[EXCHANGE_HEADER])];
    if (exchange === undefined) throw new Error("A far end received something that did not come through its proxy.");
    return exchange;
  });
}

/** Why the outcome of an attempt that the far end received never was on record. */
export type Loss = "fault" | "timeout" | "kill";

/** How long after the answer was passed back a kill may still keep it from being written down: 4 ms, on an idle machine. */
const SETTLING_MS = 1_000;
/**
 * An answer that took longer than this part of the time limit may have come too late for the relay, which counts from
 * before the proxy sees the request until after it sent the answer: on a busy machine both take their time.
 */
const SLOW = 0.35;

export const isSlow = ({ arrivedAtMs, endedAtMs }: Exchange, timeoutMs: number): boolean =>
  endedAtMs - arrivedAtMs >= SLOW * timeoutMs;

/** Whether the runtime ended between the arrival of the request and `graceMs` after its end. */
export const isKilled = (exchange: Exchange, interruptions: Interruption[], graceMs = SETTLING_MS): boolean =>
  interruptions.some(({ atMs, goneAtMs }) => exchange.arrivedAtMs <= goneAtMs && exchange.endedAtMs + graceMs >= atMs);

/** Undefined when the relay must know how this attempt ended. */
export function lossOf(exchange: Exchange, interruptions: Interruption[], timeoutMs: number): Loss | undefined {
  if (exchange.fate === "answerLost") return "fault";
  if (isKilled(exchange, interruptions, 0)) return "kill";
  if (isSlow(exchange, timeoutMs)) return "timeout";
  return isKilled(exchange, interruptions) ? "kill" : undefined;
}

/** The attempt ended in a way after which the relay has to try again. */
export const hasFailed = (exchange: Exchange): boolean => exchange.end !== "answered" || exchange.status !== 200;
