import { createServer, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { listen } from "../harness/listen.ts";

export type Received = {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
  atMs: number;
};
export type Answer = { status: number; body?: string; headers?: Record<string, string> };

/**
 * A far end over real HTTP on 127.0.0.1 that keeps what it received, in the order of arrival. The other fakes stand on it.
 * By itself it is nobody's fake: it checks nothing, and answers `{"status":"success"}` to everything until told otherwise.
 */
export type FarEnd = {
  url: string;
  received: Received[];
  /** `index` counts from 0 over everything received. An answer that never comes leaves the caller waiting. */
  answerWith: (answer: (request: Received, index: number) => Answer | Promise<Answer>) => void;
  /** Resolves with what was received once `condition` holds, and throws after `timeoutMs` naming `what`. */
  until: (condition: (received: Received[]) => boolean, what: string, timeoutMs?: number) => Promise<Received[]>;
  close: () => Promise<void>;
};

const success: Answer = { status: 200, body: JSON.stringify({ status: "success" }) };

export async function startFarEnd(port = 0): Promise<FarEnd> {
  const received: Received[] = [];
  const waiting = new Set<() => void>();
  let answer: Parameters<FarEnd["answerWith"]>[0] = () => success;

  const server = createServer((request, response) => {
    void (async () => {
      const arrived = await readRequest(request);
      const index = received.push(arrived) - 1;
      for (const look of waiting) look();
      const { status, body = "", headers = {} } = await answer(arrived, index);
      response.writeHead(status, { "content-type": "application/json", ...headers }).end(body);
    })().catch(() => response.destroy());
  });
  const { url, close } = await listen(server, port);

  return {
    url,
    close,
    received,
    answerWith: (next) => {
      answer = next;
    },
    until: (condition, what, timeoutMs = 10_000) =>
      new Promise((fulfil, reject) => {
        const finish = (settle: () => void) => {
          clearTimeout(deadline);
          waiting.delete(look);
          settle();
        };
        const look = () => {
          try {
            if (condition(received)) finish(() => fulfil(received));
          } catch (error) {
            finish(() => reject(error));
          }
        };
        const deadline = setTimeout(() => {
          const seen = received
            .map((request) => `${request.method} ${request.path} ${request.body.slice(0, 200)}`)
            .slice(-5);
          const count = `it received ${received.length} in all, at the end:`;
          finish(() =>
            reject(new Error(`Waited ${timeoutMs} ms in vain for ${what}; ${[count, ...seen].join("\n  ")}`)),
          );
        }, timeoutMs);
        waiting.add(look);
        look();
      }),
  };
}

async function readRequest(request: IncomingMessage): Promise<Received> {
  const headers = Object.entries(request.headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(", ") : (value ?? ""),
  ]);
  return {
    method: request.method ?? "",
    path: request.url ?? "",
    headers: Object.fromEntries(headers) as Record<string, string>,
    body: await text(request),
    atMs: Date.now(),
  };
}
