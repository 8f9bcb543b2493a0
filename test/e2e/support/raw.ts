import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import type { Reply } from "./http.ts";

/** A request as it goes over the wire: unlike `fetch`, nothing straightens the path or adds a header of its own. */
export type Raw = {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
};

const PATIENCE_MS = 20_000;

export async function sendRaw(origin: string, { method = "POST", path, headers = {}, body }: Raw): Promise<Reply> {
  const { hostname, port } = new URL(origin);
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const sent = request({ hostname, port, method, path, headers: { ...length, ...headers }, timeout: PATIENCE_MS });
  sent.once("timeout", () => sent.destroy(new Error(`no answer to ${method} ${path.slice(0, 100)}`)));
  // The relay may answer and close before it has read a body that it refuses: then the rest of it meets a closed door.
  sent.on("error", () => undefined);
  sent.end(body);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  const answer = await text(response);
  const answered = new Headers(
    Object.entries(response.headers).map(([name, value]): [string, string] => [name, String(value)]),
  );
  return { status: response.statusCode ?? 0, headers: answered, text: answer, body: parsed(answer) };
}

/** Writes bytes to the relay's socket and gives the status line of each answer, until the relay closes or `answers` are there. */
export async function sendBytes(origin: string, bytes: string, answers = 1): Promise<number[]> {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error("no answer to the bytes")));
  socket.write(bytes);
  let received = "";
  const statuses = (): number[] => [...received.matchAll(/HTTP\/1\.[01] (\d{3})/g)].map((match) => Number(match[1]));
  for await (const chunk of socket) {
    received += String(chunk);
    if (statuses().length >= answers) break;
  }
  socket.destroy();
  return statuses();
}

function parsed(answer: string): unknown {
  try {
    return JSON.parse(answer);
  } catch {
    return undefined;
  }
}
