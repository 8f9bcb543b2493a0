import type { MessageKind } from "../model/event";
import type { Failure, Outcome } from "./outcome";

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

/** What every request to a far end is bound by. */
export type Bounds = { timeoutMs: number; allowInsecureTargets: boolean };

export type DeskContext = Bounds & {
  owner: string;
  ticketNumber: string;
  /** `whsec_…`, one for each generation that is good: for a native desk. */
  signingSecrets: readonly string[];
  /**
   * Names the ticket to a desk with webhooks of its own: an opaque text, signed, that the desk keeps with its conversation
   * and sends back in each webhook. The same for as long as channel and customer's name are.
   */
  identity: () => Promise<string>;
  /** For what the desk cannot show and has to be put into words. */
  language: Language;
  /** What this desk asked to have kept for the ticket, such as its conversation's id; undefined at first. */
  session: unknown;
  /** Keeps a session at once, durably, where losing it before the attempt ends would make a second conversation. */
  keep: (session: unknown) => void;
};

export type EngineContext = Bounds & {
  /** The engine's token under `login`: the one at hand, or a fresh one when that is `stale` or has expired. */
  login: (stale?: string) => Promise<Login>;
};

export type Language = "id" | "en";
export type Login = { token: string } | { outcome: Failure };

/** The outcome, and the session to keep where it changed. */
export type Delivered = { outcome: Outcome; session?: unknown };
