import type * as z from "zod/mini";
import type { Delivered, Delivery, DeskContext } from "../egress/delivery";

/** A webhook of a desk, as it came. What it is signed over is the raw body: a body written again has another MAC. */
export type Webhook = { headers: Headers; body: Uint8Array<ArrayBuffer>; url: URL };

/** What a desk's webhook says, in the relay's words. */
export type DeskEvent = {
  /** Out of the desk's own id: a webhook that comes again stores nothing more. */
  idempotencyKey: string;
  /** The `identity` that the conversation was opened with, as the desk sends it back. */
  identity: string;
} & ({ kind: "outgoing"; messageType: string; message: string; mediaLink: string } | { kind: "command" });

/** One type of desk: everything the relay knows about it is in the file that defines it. */
export type Desk<Type extends string, Schema extends z.ZodMiniObject> = {
  type: Type;
  /** Its part of the tenant record: a strict object with `type`. */
  record: Schema;
  /** Names of the record's fields that hold secrets: sealed in KV, masked on the way out. */
  secrets: readonly (keyof z.infer<Schema> & string)[];
  /** Names of the record's fields that hold URLs the relay calls: checked against the address rules. */
  targets: readonly (keyof z.infer<Schema> & string)[];
  /** Whether it wants a message of kind `failure` when a reply of its agents ends among the dead letters. */
  wantsFailures: (record: z.infer<Schema>) => boolean;
  /** Makes one attempt to deliver one message. Never throws for what the desk does: that is an outcome. */
  deliver: (delivery: Delivery, record: z.infer<Schema>, context: DeskContext) => Promise<Delivered>;
  /** Of a desk with webhooks of its own, to POST /v1/desks/{type}/{owner}. */
  webhook?: {
    /** Whether it is from this tenant's desk. */
    verify: (webhook: Webhook, record: z.infer<Schema>, nowMs: number) => Promise<boolean>;
    /** What it says; empty for what the relay leaves alone. Undefined when it is not what this desk sends. */
    parse: (json: unknown, webhook: Webhook, record: z.infer<Schema>) => DeskEvent[] | undefined;
    /** How long the answer may wait for the delivery, where the desk shows its agent what became of it. */
    waitSeconds: number;
  };
};

/** Lets the compiler infer a desk's types from its record. */
export const defineDesk = <const Type extends string, Schema extends z.ZodMiniObject>(desk: Desk<Type, Schema>) => desk;
