import type * as z from "zod/mini";
import type { Bounds } from "../egress/http";
import type { Login, LoginFailure, Token } from "../egress/login";
import type { Outcome } from "../egress/outcome";
import type { FailureReport } from "../model/answers";
import type { DeadReason, DeliveryOf } from "../model/delivery";
import type { ErrorCode } from "../model/errors";
import type { MessageType } from "../model/event";

export type DeskDelivery = DeliveryOf<"incoming" | "command" | "failure">;

export type Language = "id" | "en";

/** What a desk is given to tell its agents something with. */
export type NoteContext = Bounds & {
  /** The language of the notes to its agents. */
  language: Language;
  /** The tenant's token, of a desk that gives one. */
  login: Login;
};

/** What a desk is given to deliver a message with. */
export type DeskContext = NoteContext & {
  owner: string;
  ticketNumber: string;
  /** `whsec_…`, one for each generation that is good: for a native desk. */
  signingSecrets: readonly string[];
  /**
   * Names the ticket to a desk with webhooks of its own: an opaque text, signed, that the desk keeps with its conversation
   * and sends back in each webhook. It changes when the channel or the customer's name does.
   */
  ticketReference: () => Promise<string>;
  /**
   * Has a webhook that names no more than this lead to the ticket, for a desk that keeps nothing of ours. It is done once this
   * resolves, so it goes before the request whose webhook may be the first. Kept as long as the ticket is.
   */
  nameConversation: (name: string) => Promise<void>;
  /** The desk conversation: what this desk asked to have kept for the ticket. Undefined at first. */
  conversation: unknown;
  /**
   * Keeps the desk conversation, at once and durably. If it was lost, the next attempt would make another one. Of a desk that
   * numbers its messages, those above `since` are the ticket's.
   */
  keep: (conversation: unknown, since?: number) => void;
};

/** A webhook of a desk, as it came. Its signature is over the raw body: a body written again has another one. */
export type Webhook = { headers: Headers; body: Uint8Array<ArrayBuffer>; url: URL };

/** What an agent has told the customer, as an Outgoing Event has it. */
export type AgentReply = { messageType: MessageType; message: string; mediaLink: string };

export const textReply = (message: string): AgentReply => ({ messageType: "text", message, mediaLink: "" });

/**
 * Where an event stands among the others of its conversation, and how old it is by the desk's clock. A later reply has a higher
 * key, the parts of one have the same. A Close has none: it goes behind every reply.
 */
export type Order = { key: number; ageMs: number } | { key: null };

/**
 * Which ticket an event is of: by the reference that the conversation was opened with, as the desk sends it back, or else by a
 * name that the ticket has given its conversation.
 */
type OfTicket =
  | { ticketReference: string; conversationName?: undefined }
  | { conversationName: string; ticketReference?: undefined };

/** What a desk's webhook says, in the relay's words. `sentAtMs` is by the desk's clock, the same however often it comes. */
export type DeskEvent = OfTicket & {
  /** Made of the desk's own id: a webhook that comes again stores nothing more, whatever its bytes. */
  idempotencyKey: string;
  /** The desk's own id of its conversation: where a note about this event may be written to, and whose end a Close is. */
  conversationId?: string | undefined;
  /** Of a desk whose webhooks may overtake each other. */
  order?: Order | undefined;
  sentAtMs?: number | undefined;
  /** Whose conversation it is, where the desk was given that in clear. Nothing has signed it: it opens no ticket. */
  owner?: string | undefined;
} & (
    | ({
        kind: "outgoing";
        deskMessage?: string;
        isMarkdown?: boolean;
        /** The relay's id of the customer's message that it is about. */
        quotes?: string | undefined;
        /** The desk says only that something about this message has changed: its agent may have asked for another try. */
        mayBeRetry?: boolean;
      } & AgentReply)
    | { kind: "command" }
  );

/** A desk's message of several parts becomes as many replies. Its name is in each one's key, so that they are found together. */
export const partKey = (deskMessage: string, part: string): string => `${deskMessage}#${part}`;

/** The name of the desk's message that a reply is a part of. */
export const deskMessageOfKey = (key: string): string | undefined => {
  const at = key.lastIndexOf("#");
  return at === -1 ? undefined : key.slice(0, at);
};

/** The number that the name of a desk's message ends in, where the desk numbers its messages as they are written; else NaN. */
export const numberOf = (deskMessage: string): number => Number(/ (\d{1,15})$/.exec(deskMessage)?.[1]);

/** What became of a desk's message: it has reached the engine with all its parts, or will not as it is. */
export type Receipt = { deskMessage: string; attempt: number } & (
  | { state: "delivered" }
  | { state: "failed"; why: FailureCause; note?: { messageId: string; report: FailureReport } }
);

/** Why a reply will not arrive: the reason of its dead letter, or the code of its refusal. */
export type FailureCause = { reason: DeadReason; status: number | null } | { code: ErrorCode };

/**
 * A reply that the relay has not taken, and the code that says why. A foreign one is of a conversation that was opened for
 * another owner, whose own webhook brings it as well.
 */
export type RefusedReply = { event: DeskEvent & { kind: "outgoing" }; code: ErrorCode; isForeign: boolean };

/** What stands in a conversation behind a message: what is for the customer, oldest first, and the number of the newest. */
export type Unheard = { ok: true; events: (DeskEvent & { kind: "outgoing" })[]; upTo: number };

/** One thing that has to be set up at the desk, and what was found. */
export type Check = { name: string; ok: boolean; message: string };
export type Checked = { outcome: Outcome; checks: Check[] };
export type CheckContext = NoteContext & { webhookUrl: string };

export const passed = (name: string, message: string): Check => ({ name, ok: true, message });
export const failed = (name: string, message: string): Check => ({ name, ok: false, message });

/** One type of desk: everything the relay knows about it is in the folder that defines it. */
export type Desk<Type extends string, Schema extends z.ZodMiniObject> = {
  type: Type;
  /** Its part of the tenant record: a strict object with `type`. */
  record: Schema;
  /**
   * The record's fields that hold secrets, sealed in KV and masked on the way out. Beside each stand the fields that say where it
   * is sent: a secret is not kept when one of those changes. There are none for a secret that the relay only compares.
   */
  secrets: { readonly [Field in keyof z.infer<Schema> & string]?: readonly (keyof z.infer<Schema> & string)[] };
  /** Names of the record's fields that hold URLs the relay calls, where they are given: the SSRF guard checks them. */
  targets: readonly (keyof z.infer<Schema> & string)[];
  /** What else it calls, of a desk whose record says it in another way: it is reached as the targets are. */
  hosts?: (record: z.infer<Schema>) => string[];
  /**
   * Where a ticket's conversation is, of all the conversations there are: what is kept of one counts only there, since another
   * far end may have a stranger's conversation under the same number.
   */
  farEnd: (record: z.infer<Schema>) => string;
  /** Whether it wants a message of kind `failure` when a reply of its agents ends among the dead letters. */
  wantsFailures: (record: z.infer<Schema>) => boolean;
  /**
   * Shows at the desk's own message what became of it, where the desk has a place for that. It makes one attempt, and never
   * throws for what the desk does.
   */
  receipt?: (receipt: Receipt, record: z.infer<Schema>, context: NoteContext) => Promise<Outcome>;
  /**
   * Of a desk that tells of a message once, and numbers them as they are written: reads what stands behind one of them in the
   * ticket's conversation. The name of each begins with its far end.
   */
  unheard?: (
    conversation: unknown,
    after: number,
    record: z.infer<Schema>,
    context: NoteContext,
  ) => Promise<Unheard | { ok: false; outcome: Outcome }>;
  /** Of a desk where an agent may begin one more conversation with a ticket's customer. Its conversations are numbered. */
  conversations?: {
    /** The number of the one that is kept; undefined where there is none yet. */
    numberOf: (kept: unknown) => number | undefined;
    /** What is to be kept once the ticket goes on in another. */
    moved: (kept: unknown, to: number) => unknown;
  };
  /** Of a desk that gives a token for a while. All tickets of a tenant share it. */
  login?: {
    /** Where and as whom, the secret with it: with any change the tenant is logged in anew. */
    identity: (record: z.infer<Schema>) => string[];
    request: (record: z.infer<Schema>, bounds: Bounds) => Promise<Token | LoginFailure>;
  };
  /** Makes one attempt to deliver one message. Never throws for what the desk does: that is an outcome. */
  deliver: (delivery: DeskDelivery, record: z.infer<Schema>, context: DeskContext) => Promise<Outcome>;
  /** Tries the connection and writes nothing. Without it, a connection test is a message like any other. */
  check?: (record: z.infer<Schema>, context: CheckContext) => Promise<Checked>;
  /** Of a desk whose agents' files do not open for everybody. */
  files?: {
    /** Whether the relay's own link goes to the engine in place of this one. */
    isBehind: (link: string, record: z.infer<Schema>) => boolean;
    /** The headers that open it at this address: none where that is another host. Throws where they are not to be had now. */
    credential: (
      at: URL,
      record: z.infer<Schema>,
      login: Login,
    ) => Record<string, string> | Promise<Record<string, string>>;
  };
  /** Of a desk with webhooks of its own, to POST /v1/desks/{type}/{owner}. */
  webhook?: {
    /** Whether it is from this tenant's desk. A text says that it still counts, and what the operator has to change. */
    verify: (webhook: Webhook, record: z.infer<Schema>, nowMs: number) => Promise<boolean | string>;
    /** Whether what it verifies covers when the webhook was sent. Otherwise one that somebody has kept can be sent at any time. */
    provesTime: boolean;
    /** The answer to a webhook that wants one of its own, such as a challenge; undefined for any other. */
    answer?: (json: unknown) => Response | undefined;
    /** What it says; empty for what the relay leaves alone. Undefined when it is not what this desk sends. */
    parse: (
      json: unknown,
      webhook: Webhook,
      record: z.infer<Schema>,
    ) => DeskEvent[] | undefined | Promise<DeskEvent[] | undefined>;
    /**
     * Tells the agent, at the desk, that a reply was refused; undefined where there is nobody to tell. It may be asked twice about
     * the same reply.
     */
    tellRefusal: (refused: RefusedReply, record: z.infer<Schema>, context: NoteContext) => Promise<Outcome> | undefined;
    /**
     * Whether the desk shows a message as sent, with nothing known of what became of it. Of a desk whose agents can ask for
     * another try of one that failed: that is how it shows then.
     */
    showsSent?: (
      deskMessage: string,
      record: z.infer<Schema>,
      context: NoteContext,
    ) => Promise<{ ok: true; value: boolean } | { ok: false; outcome: Outcome }>;
    /**
     * Whether the desk shows its agent that its webhook was refused. Otherwise that would only have it sent again, and a webhook
     * is answered 200 whatever was refused of it.
     */
    showsAnswer: boolean;
    /** Of a desk where an error does harm to the whole conversation: it is answered 200 first, and its agent told behind that. */
    tellsLater?: boolean;
  };
};

/** What an attempt is that had nothing to send, such as a note on a conversation that is not there. */
export const NOTHING_TO_DO: Outcome = { kind: "delivered", status: 204 };

/** Lets the compiler infer a desk's types from its record. */
export const defineDesk = <const Type extends string, Schema extends z.ZodMiniObject>(desk: Desk<Type, Schema>) => desk;
