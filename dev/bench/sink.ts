import { createServer } from "node:http";
import { listen } from "../harness/listen.ts";
import type { Arrival } from "./figures.ts";

/** The desk of the benchmark: answers at once, unless it is told otherwise. */
export type Sink = {
  url: string;
  /** In the order of arrival; without what was answered 503. */
  arrivals: Arrival[];
  /** Owners whose desk is sick: every other of their tickets gets 503, the rest no answer at all. */
  sick: Set<string>;
  /** The share of all requests that is answered 503, evenly spread. */
  failing: number;
  /** Forgets what has arrived. */
  clear: () => void;
  close: () => Promise<void>;
};

const DONE = JSON.stringify({ status: "success" });

export async function startSink(): Promise<Sink> {
  let requests = 0;
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      const owner = /"owner":"([^"]*)"/.exec(body)?.[1] ?? "";
      const ticket = /"ticketNumber":"([^"]*)"/.exec(body)?.[1] ?? "";
      if (sink.sick.has(owner)) {
        if (ticket.endsWith("0") || /[2468]$/.test(ticket)) response.writeHead(503).end();
        return;
      }
      if (isAmongFailing(requests++, sink.failing)) return void response.writeHead(503).end();
      const key = /"message":"([^"]*)"/.exec(body)?.[1] ?? "";
      sink.arrivals.push({ key, ticket, atMs: performance.now() });
      response.writeHead(200, { "content-type": "application/json" }).end(DONE);
    });
  });
  server.keepAliveTimeout = 60_000;
  const { url, close } = await listen(server);
  const sink: Sink = { url, arrivals: [], sick: new Set(), failing: 0, clear: () => (sink.arrivals.length = 0), close };
  return sink;
}

/** Whether the request of this number, counted from 0, is one of an evenly spread share. */
export const isAmongFailing = (number: number, share: number): boolean =>
  Math.floor((number + 1) * share) > Math.floor(number * share);
