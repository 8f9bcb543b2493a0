import * as z from "zod/mini";
import type { Outcome } from "../egress/outcome";
import type { Login, LoginFailure, Token } from "../egress/login";
import type { Bounds } from "../egress/http";
import { desks } from "./all";
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

type Reached<Record_> =
  Record_ extends z.ZodMiniObject<infer Shape, infer Config>
    ? z.ZodMiniObject<Shape & { reach: typeof reach }, Config>
    : never;
type RecordsOf<All extends readonly { record: z.ZodMiniObject }[]> = {
  -readonly [At in keyof All]: Reached<All[At]["record"]>;
};

/** Any desk may be reached through a binding. */
const reached = { reach };

/** Of any desk there is. */
export const deskRecord = z.discriminatedUnion(
  "type",
  desks.map(({ record }) => z.extend(record as z.ZodMiniObject, reached)) as unknown as RecordsOf<typeof desks>,
  {
    error: `must be a desk with a type the relay knows: ${desks.map(({ type }) => type).join(", ")}`,
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

export const hostsOf = (record: DeskRecord): string[] => deskOf(record).hosts?.(record) ?? [];

/** How the tenant is logged in at its desk. */
export function deskLoginOf(record: DeskRecord): {
  identity: string[];
  request: (bounds: Bounds) => Promise<Token | LoginFailure>;
} {
  const { login } = deskOf(record);
  if (!login) throw new Error("this tenant's desk takes no login");
  return { identity: login.identity(record), request: (bounds) => login.request(record, bounds) };
}

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
      answer: (json: unknown): Response | undefined => webhook.answer?.(json),
      parse: (json: unknown, request: Webhook): Promise<DeskEvent[] | undefined> | DeskEvent[] | undefined =>
        webhook.parse(json, request, record),
      tellRefusal: (refused: RefusedReply, context: NoteContext): Promise<Outcome> | undefined =>
        webhook.tellRefusal(refused, record, context),
      showsSent: showsSent && ((name: string, context: NoteContext) => showsSent(name, record, context)),
      provesTime: webhook.provesTime,
      showsAnswer: webhook.showsAnswer,
      tellsLater: webhook.tellsLater === true,
    }
  );
}

/** What opens the files of this desk's agents; undefined for a desk whose files open for everybody. */
export function filesOf(record: DeskRecord) {
  const { files } = deskOf(record);
  return (
    files && {
      isBehind: (link: string): boolean => files.isBehind(link, record),
      credential: (at: URL, login: Login) => files.credential(at, record, login),
    }
  );
}

/** Tries the connection without a message; undefined for a desk where only a message tells. */
export const checkDesk = (record: DeskRecord, context: CheckContext): Promise<Checked> | undefined =>
  deskOf(record).check?.(record, context);
