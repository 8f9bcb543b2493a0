import { randomUUID } from "node:crypto";
import type { Answer } from "./far-end.ts";

/** What goes over the wire of a Sunshine Conversations app, and what its description says of it in words alone. */

const MAX_METADATA_BYTES = 4096;
const WEBHOOK_PATIENCE_MS = 20_000;

export type Fields = Record<string, unknown>;
export type User = { id: string; externalId: string; profile?: Fields };
/** By one or the other: the app takes both. */
export type Named = { userId?: string; userExternalId?: string };
type Author = Named & { type: "user" | "business"; displayName?: string };
export type Content = Fields & { type: string; text?: string };
export type Message = { id: string; received: string; author: Author; content: Content; metadata?: Fields };
export type Conversation = {
  id: string;
  userId: string;
  userExternalId: string;
  metadata: Fields;
  messages: Message[];
  isFull: boolean;
  /** Its user was merged into another: only that one's own id may write. */
  isMerged: boolean;
};
export type WebhookEvent = { id: string; createdAt: string; type: string; payload: Fields };

export const refuse = (status: number, title: string): Answer => ({
  status,
  body: JSON.stringify({ errors: [{ code: `fake_${status}`, title }] }),
});
export const answer = (status: number, body: unknown): Answer => ({ status, body: JSON.stringify(body) });
export const newId = (): string => randomUUID().replaceAll("-", "").slice(0, 24);
export const shown = ({ id, metadata }: Conversation) => ({ id, type: "personal", metadata });

export function partOf(file: Answer, range = ""): Answer {
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
  if (from === undefined || to === undefined || file.status !== 200) return file;
  const { body = "", headers = {} } = file;
  const part = body.slice(Number(from), Number(to) + 1);
  const said = {
    "content-range": `bytes ${from}-${to}/${body.length}`,
    ...("content-length" in headers ? { "content-length": String(part.length) } : {}),
  };
  return { status: 206, body: part, headers: { ...headers, ...said } };
}

/** What the description says in words alone. */
export function limitsOf({ metadata, participants, content }: Fields & { content?: Content }): string[] {
  const isFlat = Object.values(metadata ?? {}).every((value) => ["string", "number", "boolean"].includes(typeof value));
  const texts = content?.type === "text" ? [content.text] : [];
  return [
    ...(isFlat ? [] : ["metadata is not flat"]),
    ...(Buffer.byteLength(JSON.stringify(metadata ?? {})) > MAX_METADATA_BYTES ? ["metadata is over 4 KB"] : []),
    ...(Array.isArray(participants) && participants.length !== 1
      ? ["a personal conversation has one participant"]
      : []),
    ...(texts.every(Boolean) ? [] : ["the text is empty"]),
  ];
}

/** One try; 0 when no answer comes. */
export async function postWebhook(url: string, secret: string, body: string): Promise<number> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "x-api-key": secret },
      body,
      signal: AbortSignal.timeout(WEBHOOK_PATIENCE_MS),
    });
    await response.text();
    return response.status;
  } catch {
    return 0;
  }
}
