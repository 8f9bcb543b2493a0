import type { MasterKeys } from "../crypto/derive";
import type { DeskEvent } from "../desks/desk";
import { markdownText, marksOf } from "../desks/markdown";
import { filesOf } from "../desks/registry";
import { MAX_LINK, type MessageType } from "../model/event";
import { writeMediaReference } from "./media-reference";
import type { Tenant } from "./tenant-record";
import type { NamedTicket, TicketReference } from "./ticket-reference";

const DAY_MS = 24 * 3600_000;

/** The channels' messages that have words of their own. */
const WITH_TEXT = new Set<MessageType>(["text", "image", "video", "file"]);

type How = {
  masterKeys: MasterKeys;
  origin: string | undefined;
  nowMs: number;
  /** The line that stands for a message of the customer, by its id; undefined where there is none. */
  quotable: (messageId: string) => Promise<string | undefined>;
};

/** What an agent wrote at the desk, with the fields of an Outgoing Event. It is still to be judged as any reply is. */
export async function agentReply(
  said: DeskEvent & { kind: "outgoing" },
  { ticketNumber, channel, customerName }: TicketReference | NamedTicket,
  tenant: Tenant,
  how: How,
): Promise<Record<string, string>> {
  const { messageType, message: text, quotes } = said;
  const own = said.isMarkdown ? markdownText(text, marksOf(channel)) : text;
  const quoted = quotes !== undefined && WITH_TEXT.has(messageType) ? await how.quotable(quotes) : undefined;
  const message = quoted === undefined ? own : `> ${quoted}\n${own}`;
  const mediaLink = await openLink(said, tenant, how);
  const known = customerName === undefined ? {} : { customerName };
  return { ticketNumber, channel, messageType, message, mediaLink, ...known, owner: tenant.owner };
}

/** The link of a file as the engine can open it: the relay's own, at a host that it is called at, where the desk's cannot. */
async function openLink(
  { mediaLink, sentAtMs }: DeskEvent & { kind: "outgoing" },
  { owner, desk, retentionDays }: Tenant,
  { masterKeys, origin, nowMs }: How,
): Promise<string> {
  if (mediaLink === "" || origin === undefined || !filesOf(desk)?.isBehind(mediaLink)) return mediaLink;
  const endsAtMs = (sentAtMs ?? nowMs) + retentionDays * DAY_MS;
  const reference = await writeMediaReference(masterKeys, { owner, url: mediaLink, endsAtMs });
  const link = `${origin}/v1/media/${reference}`;
  return link.length <= MAX_LINK ? link : mediaLink;
}
