import type { MessageKind } from "../events/event";
import type { Outcome } from "./outcome";

/** One message on its way out. */
export type Delivery = {
  /** Stable over all attempts: the receiver drops repeats by it. */
  id: string;
  sequence: number;
  /** From 1. */
  attempt: number;
  kind: MessageKind;
  /** The canonical event as JSON text; of a failure, the report of it. */
  event: string;
};

export type DeliveryContext = {
  owner: string;
  /** `whsec_…`, one for each generation that is good. */
  signingSecrets: readonly string[];
  timeoutMs: number;
  allowInsecureTargets: boolean;
  /** What this destination asked to have kept for the ticket, such as its conversation's id. */
  session: unknown;
};

/** The outcome, and the session to keep where it changed. */
export type Delivered = { outcome: Outcome; session?: unknown };

/**
 * What a lane delivers to. `deliver` makes one attempt and never throws for what the far end does: that is an outcome.
 * `settings` is its part of the tenant record, with secrets open.
 */
export type Destination<Settings> = {
  deliver: (delivery: Delivery, settings: Settings, context: DeliveryContext) => Promise<Delivered>;
};
