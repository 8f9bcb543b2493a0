import { expect } from "vitest";
import * as z from "zod";

declare module "vitest" {
  interface Matchers<R extends void | Promise<void>, T> {
    /** The relay refused with this status and code, in the documented shape. */
    toBeRefused: (status: number, code: string) => R;
    /** The relay answered as it does to an event that it has stored. */
    toBeAccepted: () => R;
  }
}

/** An answer of the relay, read to its end. */
export type Reply = { status: number; headers: Headers; text: string; body: unknown };

type Request = {
  method?: string;
  headers?: Record<string, string>;
  /** A string goes out as it is, bytes as a chunked body with no Content-Length, anything else as JSON. */
  body?: unknown;
};

const Refusal = z.strictObject({
  status: z.literal("error"),
  error: z.strictObject({
    code: z.string(),
    message: z.string().min(1),
    issues: z.array(z.strictObject({ path: z.string(), message: z.string().min(1) })).optional(),
  }),
});
export type RefusalError = z.infer<typeof Refusal>["error"];

export async function call(url: string, request: Request = {}): Promise<Reply> {
  const { method = "GET", headers = {}, body } = request;
  const chunked = body instanceof ReadableStream;
  const response = await fetch(url, {
    method,
    redirect: "manual",
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: chunked || typeof body === "string" ? body : JSON.stringify(body) }),
    ...(chunked ? { duplex: "half" as const } : {}),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: parsed(text) };
}

/** What a refused request was told, once status, code and the documented shape are right. */
export function refusal(reply: Reply, status: number, code: string): RefusalError {
  const answered = Refusal.safeParse(reply.body);
  if (!answered.success || reply.status !== status || answered.data.error.code !== code) {
    throw new Error(`expected ${status} ${code}, got ${reply.status} ${reply.text.slice(0, 500)}`);
  }
  return answered.data.error;
}

/** The paths of the refusal's issues, sorted: their order is nobody's business. */
export function issuePaths(error: RefusalError): string[] {
  return (error.issues ?? []).map((issue) => issue.path).toSorted();
}

/** The id and the sequence of an accepted event; fails on anything but the documented answer. */
export function accepted(reply: Reply): { id: string; sequence: number } {
  const id = reply.headers.get("relay-message-id");
  const sequence = Number(reply.headers.get("relay-sequence"));
  if (
    reply.status !== 200 ||
    JSON.stringify(reply.body) !== '{"status":"success"}' ||
    id === null ||
    !(sequence >= 1)
  ) {
    throw new Error(`expected an accepted event, got ${reply.status} ${reply.text.slice(0, 500)}`);
  }
  return { id, sequence };
}

expect.extend({
  toBeRefused: (reply: Reply, status: number, code: string) => passes(() => refusal(reply, status, code)),
  toBeAccepted: (reply: Reply) => passes(() => accepted(reply)),
});

function passes(check: () => unknown): { pass: boolean; message: () => string } {
  try {
    check();
    return { pass: true, message: () => "expected the relay to answer otherwise" };
  } catch (error) {
    return { pass: false, message: () => String(error) };
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
