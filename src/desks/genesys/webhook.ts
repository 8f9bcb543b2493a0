import * as z from "zod/mini";
import { equalSecrets, utf8 } from "../../crypto/bytes";
import { hmacSha256 } from "../../crypto/hmac";
import { split } from "../../lib/text";
import { withFallback } from "../../lib/zod";
import { isLink, MAX_MESSAGE } from "../../model/event";
import { partKey, textReply, type AgentReply, type DeskEvent, type Webhook } from "../desk";
import { linesOf } from "./agent-text";
import { deskMessageOf } from "./receipt";
import type { GenesysRecord } from "./record";

/** What Genesys Cloud calls outbound: what an agent or a bot says to the customer, beside receipts and typing. */

/** The body alone is signed. A webhook that comes again is told by its id. */
export async function verifyWebhook({ headers, body }: Webhook, secret: string): Promise<boolean> {
  const mac = (await hmacSha256(utf8(secret).toBase64(), body)).toBase64();
  return equalSecrets(headers.get("x-hub-signature-256") ?? "", `sha256=${mac}`);
}

const optionalText = withFallback(z.optional(z.string()), undefined);

const anyMessage = z.object({ type: z.string(), direction: optionalText });

const outbound = z.object({
  id: z.string().check(z.minLength(1)),
  conversationId: optionalText,
  channel: z.object({ to: z.object({ id: z.string() }), time: optionalText }),
  text: optionalText,
  content: z._default(withFallback(z.array(z.record(z.string(), z.unknown())), []), []),
});

const attachment = z.object({ url: z.string(), mediaType: optionalText, mime: optionalText, text: optionalText });

const REPLIES = new Set(["Text", "Structured"]);

export function parseWebhook(json: unknown, _webhook: Webhook, record: GenesysRecord): DeskEvent[] | undefined {
  const any = anyMessage.safeParse(json).data;
  if (!any) return undefined;
  const said = outbound.safeParse(json).data;
  if (!said || any.direction !== "Outbound" || !REPLIES.has(any.type)) return [];
  const { id, conversationId, channel } = said;
  const conversationName = channel.to.id;
  const deskMessage = deskMessageOf(record, conversationName, id);
  const sentAtMs = Date.parse(channel.time ?? "");
  return repliesOf(said).map(({ messageType, message, mediaLink }, at) => ({
    kind: "outgoing",
    idempotencyKey: partKey(deskMessage, String(at)),
    deskMessage,
    conversationName,
    conversationId,
    sentAtMs: Number.isNaN(sentAtMs) ? undefined : sentAtMs,
    messageType,
    message,
    mediaLink,
  }));
}

/** An agent's message as the Outgoing Events it takes: the text goes with the first file. */
function repliesOf({ text = "", content }: z.infer<typeof outbound>): AgentReply[] {
  const files = content.flatMap((one) => attachment.safeParse(one["attachment"]).data ?? []);
  const [linked, attached] = [files.filter((file) => !isFile(file)), files.filter(isFile)];
  const also = [...content.flatMap(linesOf), ...linked.map(({ url }) => url), ...files.map((file) => file.text ?? "")];
  const lines = also.filter((line) => line !== "" && !text.includes(line));
  const [first = "", ...rest] = split([text, ...lines].filter((line) => line !== "").join("\n"), MAX_MESSAGE);
  const [file, ...others] = attached.map(fileReply);
  if (!file) return [first, ...rest].filter((piece) => piece !== "").map(textReply);
  return [{ ...file, message: first }, ...others, ...rest.map(textReply)];
}

type Attachment = z.infer<typeof attachment>;

/** A link that an event cannot hold still works in the customer's hands. */
const isFile = ({ url, mediaType }: Attachment): boolean => mediaType !== "Link" && isLink(url);

const KINDS = ["image", "video", "audio"] as const;

function fileReply({ url, mediaType = "", mime = "" }: Attachment): AgentReply {
  const said = `${mediaType} ${mime}`.toLowerCase();
  return { messageType: KINDS.find((kind) => said.includes(kind)) ?? "file", message: "", mediaLink: url };
}
