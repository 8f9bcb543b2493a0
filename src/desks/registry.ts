import * as z from "zod/mini";
import type { Outcome } from "../egress/outcome";
import { chatwoot } from "./chatwoot/chatwoot";
import type {
  CheckContext,
  Checked,
  Desk,
  DeskContext,
  DeskDelivery,
  DeskEvent,
  NoteContext,
  Receipt,
  RefusedReply,
  Unheard,
  Webhook,
} from "./desk";
import { reach } from "../lib/record-fields";
import { native } from "./native/native";
import { zendesk } from "./zendesk/zendesk";

/** Every type of desk. Adding one adds it here, twice. */
export const desks = [native, chatwoot, zendesk] as const;

/** Any desk may be reached through a binding. */
const reached = { reach };

export const deskRecord = z.discriminatedUnion(
  "type",
  [z.extend(native.record, reached), z.extend(chatwoot.record, reached), z.extend(zendesk.record, reached)],
  {
    error: `must be a desk with a type the relay knows: ${desks.map((desk) => desk.type).join(", ")}`,
  },
);

export type DeskRecord = z.infer<typeof deskRecord>;

/** Which desk a record is of. The record has been parsed by that desk's own schema, which makes the cast true. */
const deskOf = (record: DeskRecord) =>
  desks.find((desk) => desk.type === record.type) as unknown as Desk<string, z.ZodMiniObject>;

/** The fields that hold secrets, and for each those that say where it is sent. */
export const secretsOf = (record: DeskRecord): Record<string, readonly string[]> =>
  deskOf(record).secrets as Record<string, readonly string[]>;

export const targetsOf = (record: DeskRecord): readonly string[] => deskOf(record).targets;

/** Names the far end of a record: see Desk. The type goes before it, because two desks might give one name. */
export const farEndOf = (record: DeskRecord): string => `${record.type} ${deskOf(record).farEnd(record)}`;

/** The desk that a far end is of. */
const deskAt = (farEnd: string): Desk<string, z.ZodMiniObject> | undefined =>
  desks.find(({ type }) => farEnd.startsWith(`${type} `));

/** What the names of a far end's messages begin with. */
export const messagesOf = (farEnd: string): string => `${farEnd.slice(farEnd.indexOf(" ") + 1)} `;

export const conversationsAt = (farEnd: string) => deskAt(farEnd)?.conversations;

/** Whether it can be asked for what no webhook told. */
export const canBeAsked = (farEnd: string): boolean => deskAt(farEnd)?.unheard !== undefined;

export const unheardOf = (
  conversation: unknown,
  after: number,
  record: DeskRecord,
  context: NoteContext,
): Promise<Unheard | { ok: false; outcome: Outcome }> | undefined =>
  deskOf(record).unheard?.(conversation, after, record, context);

export const wantsFailures = (record: DeskRecord): boolean => deskOf(record).wantsFailures(record);

export const hasReceipts = (record: DeskRecord): boolean => deskOf(record).receipt !== undefined;

/** Undefined where the desk has no place to show it. */
export const showReceipt = (receipt: Receipt, record: DeskRecord, context: NoteContext): Promise<Outcome> | undefined =>
  deskOf(record).receipt?.(receipt, record, context);

export const deliverToDesk = (delivery: DeskDelivery, record: DeskRecord, context: DeskContext): Promise<Outcome> =>
  deskOf(record).deliver(delivery, record, context);

/** What reads the webhooks of this record's desk; undefined for a desk that has none. */
export function webhookOf(record: DeskRecord) {
  const { webhook } = deskOf(record);
  const showsSent = webhook?.showsSent;
  return (
    webhook && {
      verify: (request: Webhook, nowMs: number): Promise<boolean | string> => webhook.verify(request, record, nowMs),
      parse: (json: unknown, request: Webhook): DeskEvent[] | undefined => webhook.parse(json, request, record),
      tellRefusal: (refused: RefusedReply, context: NoteContext): Promise<Outcome> | undefined =>
        webhook.tellRefusal(refused, record, context),
      showsSent: showsSent && ((name: string, context: NoteContext) => showsSent(name, record, context)),
      provesTime: webhook.provesTime,
      showsAnswer: webhook.showsAnswer,
    }
  );
}

/** What opens the files of this desk's agents; undefined for a desk whose files open for everybody. */
export function filesOf(record: DeskRecord) {
  const { files } = deskOf(record);
  return (
    files && {
      isBehind: (link: string): boolean => files.isBehind(link, record),
      credential: (at: URL): Record<string, string> => files.credential(at, record),
    }
  );
}

/** Tries the connection without a message; undefined for a desk where only a message tells. */
export const checkDesk = (record: DeskRecord, context: CheckContext): Promise<Checked> | undefined =>
  deskOf(record).check?.(record, context);
