import type { MediaType } from "../egress/file-type";
import type { FailureReport } from "../model/answers";
import { isReply, type DeadReason } from "../model/delivery";
import type { ErrorCode } from "../model/errors";
import type { AgentReply, FailureCause, Language } from "./desk";

/** What the relay tells a desk's agents: of what the desk cannot show, and of what became of their replies. */

const MEDIA: Record<Language, Record<MediaType, string>> = {
  id: { image: "gambar", video: "video", audio: "audio", file: "berkas" },
  en: { image: "image", video: "video", audio: "audio file", file: "file" },
};

export const isMediaType = (messageType: string): messageType is MediaType => Object.hasOwn(MEDIA.en, messageType);

/** A place as text, with a link to a map; degrees as they came. */
export function locationText(language: Language, latitude: string, longitude: string): string {
  const place = `${latitude.trim()},${longitude.trim()}`;
  const name = language === "id" ? "Lokasi" : "Location";
  return `${name}: ${place}\nhttps://maps.google.com/?q=${place}`;
}

/** In place of media that did not get through: the link to it, under the customer's own text. */
export function mediaLinkNote(language: Language, type: MediaType, caption: string, link: string): string {
  const what = MEDIA[language][type];
  const note =
    language === "id"
      ? `[Pelanggan mengirim ${what} yang tidak dapat dilampirkan di sini]`
      : `[The customer sent ${type === "image" || type === "audio" ? "an" : "a"} ${what} that could not be attached here]`;
  return [caption, note, link].filter((part) => part !== "").join("\n");
}

const REASONS: Record<Language, Record<DeadReason, string>> = {
  id: {
    rejected: "3Dolphins menolaknya",
    blocked: "alamat 3Dolphins tidak boleh dituju",
    exhausted: "3Dolphins tidak dapat dihubungi sampai batas waktunya habis",
  },
  en: {
    rejected: "3Dolphins refused it",
    blocked: "the address of 3Dolphins may not be called",
    exhausted: "3Dolphins could not be reached until its time was over",
  },
};

type RefusalCode = "ticket_closed" | "unknown_ticket" | "backlog_full" | "invalid_event";

const REFUSALS: Record<Language, Record<RefusalCode, string>> = {
  id: {
    ticket_closed: "percakapan ini sudah ditutup di 3Dolphins; pesan baru dari pelanggan akan membukanya lagi",
    unknown_ticket:
      "percakapan ini tidak terhubung ke tiket yang dikenal relay; pesan baru dari pelanggan akan membukanya",
    backlog_full: "terlalu banyak balasan yang masih menunggu",
    invalid_event: "balasan ini terlalu panjang atau tidak dapat dikirim dalam bentuk ini",
  },
  en: {
    ticket_closed: "this conversation is closed in 3Dolphins; the customer's next message opens it again",
    unknown_ticket:
      "this conversation belongs to no ticket that the relay knows; the customer's next message opens one",
    backlog_full: "too many replies still wait",
    invalid_event: "this reply is too long, or cannot be sent in this form",
  },
};

const CAUSES = [...Object.values(REASONS), ...Object.values(REFUSALS)].flatMap((texts) => Object.values(texts));

/** Whether the relay has written this at a reply, and not the desk itself. */
export const isFailureCause = (text: string): boolean => CAUSES.some((cause) => text.startsWith(cause));

/** Why a reply did not reach the customer, for the place beside it. */
export function failureCause(language: Language, cause: FailureCause): string {
  if ("reason" in cause)
    return `${REASONS[language][cause.reason]}${cause.status === null ? "" : ` (HTTP ${cause.status})`}`;
  const texts: Partial<Record<string, string>> = REFUSALS[language];
  return texts[cause.code] ?? cause.code;
}

/** Tells an agent that a reply, which is quoted, or a Close did not reach the customer. */
export function failureNote(language: Language, { reason, status, event }: FailureReport): string {
  const why = failureCause(language, { reason, status });
  if (!isReply(event)) {
    return language === "id"
      ? `⚠️ Penutupan percakapan ini tidak sampai ke 3Dolphins: ${why}.`
      : `⚠️ The closing of this conversation did not reach 3Dolphins: ${why}.`;
  }
  const first =
    language === "id"
      ? `⚠️ Balasan ini tidak sampai ke pelanggan: ${why}.`
      : `⚠️ This reply did not reach the customer: ${why}.`;
  return quoting(first, event);
}

/** Tells an agent that the relay has not taken a reply, which is quoted. */
export function refusalNote(language: Language, code: ErrorCode, reply: AgentReply): string {
  const first =
    language === "id" ? "Balasan ini tidak dikirim ke pelanggan" : "This reply was not sent to the customer";
  return quoting(`⚠️ ${first}: ${failureCause(language, { code })}.`, reply);
}

function quoting(note: string, { message, mediaLink }: Pick<AgentReply, "message" | "mediaLink">): string {
  const reply = [message, mediaLink].filter((part) => part !== "").join("\n");
  return reply === "" ? note : `${note}\n\n${reply}`;
}

/** Tells an agent that 3Dolphins has closed the ticket, at a desk that has no way for it to be closed from outside. */
export const closedNote = (language: Language): string =>
  language === "id"
    ? "ℹ️ Percakapan ini sudah ditutup di 3Dolphins. Silakan tutup tiket ini. Pesan baru dari pelanggan akan membukanya lagi."
    : "ℹ️ This conversation was closed in 3Dolphins. Please close this ticket. The customer's next message opens it again.";

/** Marks a text that stands among what agents and customer say to each other as the relay's own. */
export const fromTheRelay = (language: Language, text: string): string =>
  language === "id"
    ? `[Catatan otomatis dolphin-relay, tidak terlihat oleh pelanggan]\n${text}`
    : `[Automatic note of dolphin-relay, not seen by the customer]\n${text}`;
