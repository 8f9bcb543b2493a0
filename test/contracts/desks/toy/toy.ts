import * as z from "zod/mini";
import { fromBase64, toBase64Url, utf8 } from "../../../../src/crypto/bytes";
import { locationText } from "../../../../src/desks/agent-notes";
import {
  defineDesk,
  NOTHING_TO_DO,
  textReply,
  type DeskContext,
  type DeskDelivery,
  type DeskEvent,
} from "../../../../src/desks/desk";
import { send } from "../../../../src/egress/http";
import { judgeSent, type Outcome } from "../../../../src/egress/outcome";
import { jsonIn } from "../../../../src/lib/json";
import { baseUrl, text } from "../../../../src/lib/record-fields";

/**
 * A desk that nobody has, in one folder. It asks for what desks to come ask for: rooms that are made by PUT and ended by
 * DELETE, and are called what the desk likes; webhooks that are signed with a private key, want a challenge answered, and
 * tell messages that have no id.
 */

const record = z.strictObject({
  type: z.literal("toy"),
  baseUrl: baseUrl("where the toy is"),
  /** The toy's public key, SPKI in base64: no secret. */
  publicKey: text("the toy's public key"),
});
type ToyRecord = z.infer<typeof record>;

const remembered = z.object({ visitor: z.string(), room: z.optional(z.string()) });
const made = z.object({ room: z.string() });

/** What the room is asked for under, the same in every attempt: made when the first message was taken, and kept. */
const visitorOf = ({ acceptedAtMs }: DeskDelivery, { ticketNumber }: DeskContext) => `${ticketNumber}@${acceptedAtMs}`;

async function deliver(delivery: DeskDelivery, { baseUrl: base }: ToyRecord, context: DeskContext): Promise<Outcome> {
  const call = (method: "PUT" | "DELETE", path: string, body?: object) =>
    send({
      ...context,
      url: base + path,
      method,
      headers: { "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const known = remembered.safeParse(context.conversation).data;
  if (delivery.kind !== "incoming") {
    return known?.room === undefined ? NOTHING_TO_DO : judgeSent(await call("DELETE", `/rooms/${known.room}`), false);
  }
  const visitor = known?.visitor ?? visitorOf(delivery, context);
  if (!known) context.keep({ visitor });
  let room = known?.room;
  if (room === undefined) {
    const sent = await call("PUT", `/visitors/${encodeURIComponent(visitor)}`, { name: delivery.event.customerName });
    const outcome = judgeSent(sent, false);
    if (outcome.kind !== "delivered" || "outcome" in sent) return outcome;
    room = made.parse(jsonIn(sent.answer.text)).room;
    context.keep({ visitor, room });
  }
  await context.nameConversation(room);
  const { messageType, message, mediaLink } = delivery.event;
  const [latitude = "", longitude = ""] = message.split(",");
  const said =
    messageType === "Location"
      ? locationText(context.language, latitude, longitude)
      : [message, mediaLink].filter((part) => part !== "").join("\n");
  return judgeSent(await call("PUT", `/rooms/${room}/messages/${delivery.id}`, { said }), false);
}

const ALGORITHM = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };

const session = z.object({
  room: z.string(),
  lines: z._default(z.array(z.object({ at: z.string(), agent: z.optional(z.string()), said: z.string() })), []),
  ended: z._default(z.boolean(), false),
});

async function parse(json: unknown): Promise<DeskEvent[] | undefined> {
  const { room, lines, ended } = session.safeParse(json).data ?? {};
  if (room === undefined) return undefined;
  const replies = (lines ?? []).filter(({ agent }) => agent !== undefined);
  const events = replies.map(async ({ at, said }): Promise<DeskEvent> => {
    const key = new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(JSON.stringify([room, at, said]))));
    const { messageType, message, mediaLink } = textReply(said);
    const idempotencyKey = toBase64Url(key);
    return { kind: "outgoing", idempotencyKey, conversationName: room, messageType, message, mediaLink };
  });
  const close: DeskEvent = { kind: "command", idempotencyKey: `${room} ended`, conversationName: room };
  return [...(await Promise.all(events)), ...(ended ? [close] : [])];
}

export const toy = defineDesk({
  type: "toy",
  record,
  secrets: {},
  targets: ["baseUrl"],
  farEnd: ({ baseUrl: url }) => url,
  wantsFailures: () => false,
  deliver,
  webhook: {
    verify: async ({ headers, body }, { publicKey }) => {
      const [spki, signature] = [fromBase64(publicKey), fromBase64(headers.get("x-toy-signature") ?? "-")];
      if (!spki || !signature) return false;
      const key = await crypto.subtle.importKey("spki", spki, ALGORITHM, false, ["verify"]);
      return crypto.subtle.verify(ALGORITHM, key, signature, body);
    },
    provesTime: false,
    answer: (json) => {
      const { data } = z.object({ challenge: z.string() }).safeParse(json);
      return data && new Response(data.challenge);
    },
    parse,
    tellRefusal: () => undefined,
    showsAnswer: false,
  },
});
