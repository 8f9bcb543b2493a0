import type { Answer } from "./far-end.ts";

/** What goes over the wire of Genesys Cloud's Open Messaging, and what is said of it in words alone. */

const MAX_TEXT = 4000;
const MAX_ID = 200;

export type Fields = Record<string, unknown>;

type Step = "login" | "message" | "receipt" | "disconnect" | "integration";
/** `done`: it does what it was asked to, and only its answer is lost. */
export type Fault = { status: number; headers?: Record<string, string> } | { silent: true; done: boolean };
/** `count` is from 1: how often this customer's requests have come to this step. */
export type Call = { step: Step; customerId: string; text: string; count: number };

type Message = {
  channel: {
    from: { id: string; nickname?: string };
    messageId: string;
    time: string;
    metadata?: { customAttributes: Record<string, string> };
  };
  text?: string;
  content?: { attachment: { mediaType: string; url: string; mime: string } }[];
};
export type Conversation = { id: string; customerId: string; state: "connected" | "disconnected"; messages: Message[] };

export const refuse = (status: number, message: string): Answer => ({
  status,
  body: JSON.stringify({ message, code: `fake.${status}`, status, contextId: "fake", details: [], errors: [] }),
});
export const answer = (status: number, body: unknown): Answer => ({ status, body: JSON.stringify(body) });

const PATHS: [Step, RegExp][] = [
  ["message", /^POST \/api\/v2\/conversations\/messages\/([^/]+)\/inbound\/open\/message$/],
  ["receipt", /^POST \/api\/v2\/conversations\/messages\/([^/]+)\/inbound\/open\/receipt$/],
  ["disconnect", /^PATCH \/api\/v2\/conversations\/messages\/([^/]+)$/],
  ["integration", /^GET \/api\/v2\/conversations\/messaging\/integrations\/open\/([^/]+)$/],
];

/** What a request is for, of those that fit the typings. */
export function stepOf(method: string, path: string): { step: Step; id: string } {
  for (const [step, pattern] of PATHS) {
    const id = pattern.exec(`${method} ${path}`)?.[1];
    if (id !== undefined) return { step, id };
  }
  throw new Error(`there is no ${method} ${path}`);
}

/** What no type says. */
export function limitsOf({ channel, text, content }: Fields): string[] {
  const { from, to, messageId } = (channel ?? {}) as {
    from?: { id?: string };
    to?: { id?: string };
    messageId?: string;
  };
  const id = (from ?? to)?.id ?? "-";
  const isEmpty = from !== undefined && (text ?? "") === "" && content === undefined;
  return [
    ...(id.length > MAX_ID || id === "" ? [`the id is ${id.length} characters long`] : []),
    ...(from !== undefined && (messageId ?? "") === "" ? ["there is no messageId"] : []),
    ...(typeof text === "string" && text.length > MAX_TEXT ? ["the text is too long"] : []),
    ...(isEmpty ? ["there is nothing in it"] : []),
  ];
}
