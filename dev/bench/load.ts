import { createServer, Agent, request as httpRequest } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { listen } from "../harness/listen.ts";

/** What is sent, and how. */
export type Load = {
  tickets: number;
  messages: number;
  /** How many send at once. A ticket belongs to one sender, unless there are fewer tickets than senders. */
  senders: number;
  /** Of a body. */
  bytes: number;
  /** Messages a second over all senders; as fast as they are answered when left out. */
  perSecond?: number;
  /** Messages that may be under way, accepted and not delivered, before the senders pause. */
  window?: number;
};

/** A message as the sink saw it, in the order of arrival. */
type Arrival = { key: string; ticket: string; sequence: number; atMs: number };

/** What came of a load. */
export type Driven = {
  refused: number;
  lost: number;
  repeated: number;
  outOfOrder: number;
  /** Those that were delivered, in the order of their first arrival. */
  arrivals: Arrival[];
  /** From sending to the answer, of each message sent. */
  acceptsMs: number[];
  /** From sending to the first arrival, of each message delivered. */
  lagsMs: number[];
  /** From the first message sent to the last answered. */
  acceptingMs: number;
  /** From the first message sent to the last arrived. */
  deliveringMs: number;
};

/** The desk of the benchmark: answers at once, unless it is told that a tenant's desk is sick. */
export type Sink = {
  url: string;
  arrivals: Arrival[];
  /** Owners whose desk is sick: every other of their tickets gets 503, the rest no answer at all. */
  sick: Set<string>;
  /** Forgets what has arrived. */
  clear: () => void;
  close: () => Promise<void>;
};

const DONE = JSON.stringify({ status: "success" });

export async function startSink(): Promise<Sink> {
  const sink = { arrivals: [] as Arrival[], sick: new Set<string>() };
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
      const key = /"message":"([^"]*)"/.exec(body)?.[1] ?? "";
      const sequence = Number(request.headers["relay-sequence"] ?? 0);
      sink.arrivals.push({ key, ticket, sequence, atMs: performance.now() });
      response.writeHead(200, { "content-type": "application/json" }).end(DONE);
    });
  });
  server.keepAliveTimeout = 60_000;
  const { url, close } = await listen(server);
  return {
    ...sink,
    url,
    close,
    clear: () => {
      sink.arrivals.length = 0;
    },
  };
}

/** A customer's text, padded in a field that nobody knows to the size wanted. */
function bodyOf(owner: string, ticketNumber: string, key: string, bytes: number): string {
  const event = {
    ticketNumber,
    channel: "whatsapp",
    accountId: "",
    contactId: "",
    messageType: "text",
    message: key,
    mediaLink: "",
    customerName: "",
    createdDate: "",
    owner,
  };
  const plain = JSON.stringify(event);
  const missing = bytes - plain.length - `,"padding":""`.length;
  return missing > 0 ? JSON.stringify({ ...event, padding: "x".repeat(missing) }) : plain;
}

type Sent = { key: string; sentAtMs: number; acceptMs: number; ok: boolean };

/** `name` keeps the messages of runs apart; `tickets`, where it differs, begins the numbers of their tickets. */
type Naming = { name: string; tickets?: string };

/** Sends a load and waits until all that was accepted has arrived, `patienceMs` at most. */
export async function drive(
  url: string,
  owner: string,
  load: Load,
  sink: Sink,
  { name, tickets = name }: Naming,
  patienceMs = 60_000,
): Promise<Driven> {
  const agent = new Agent({ keepAlive: true, maxSockets: load.senders });
  const target = new URL(url);
  const post = (body: string): Promise<number> =>
    new Promise((answered) => {
      const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
      const { hostname, port, pathname } = target;
      const outgoing = httpRequest({ agent, hostname, port, path: pathname, method: "POST", headers }, (response) => {
        response.resume();
        response.on("end", () => answered(response.statusCode ?? 0));
      });
      outgoing.on("error", () => answered(0));
      outgoing.end(body);
    });

  const sent: Sent[] = [];
  const arrivals = sink.arrivals;
  const firstArrival = arrivals.length;
  const window = load.window ?? Number.POSITIVE_INFINITY;
  let next = 0;
  const startedAtMs = performance.now();
  const send = async (sender: number) => {
    const own = Math.max(1, Math.floor((load.tickets - sender - 1) / load.senders) + 1);
    for (let turn = 0; next < load.messages; turn++) {
      const number = next++;
      if (load.perSecond !== undefined) {
        // Somewhere in its own time: two loads beside each other must not march in step.
        const dueAtMs = startedAtMs + ((number + Math.random()) / load.perSecond) * 1000;
        const early = dueAtMs - performance.now();
        if (early > 0) await pause(early);
      }
      while (sent.length - (arrivals.length - firstArrival) > window) await pause(1);
      const ticket = (sender + (turn % own) * load.senders) % load.tickets;
      const key = `${name}-${number}`;
      const body = bodyOf(owner, `${tickets}-t${ticket}`, key, load.bytes);
      const sentAtMs = performance.now();
      const status = await post(body);
      sent.push({ key, sentAtMs, acceptMs: performance.now() - sentAtMs, ok: status === 200 });
    }
  };
  await Promise.all(Array.from({ length: load.senders }, (_, sender) => send(sender)));
  const acceptedAtMs = performance.now();
  const accepted = sent.filter((one) => one.ok);
  const isMine = ({ key }: Arrival) => key.startsWith(`${name}-`);
  const deadlineMs = acceptedAtMs + patienceMs;
  const arrived = () => arrivals.slice(firstArrival).filter(isMine);
  let seen = -1;
  while (performance.now() < deadlineMs) {
    if (arrivals.length !== seen) {
      seen = arrivals.length;
      if (seen - firstArrival >= accepted.length && new Set(arrived().map((one) => one.key)).size >= accepted.length)
        break;
    }
    await pause(5);
  }
  agent.destroy();

  const mine = arrived();
  const firsts = [...new Map(mine.toReversed().map((one) => [one.key, one])).values()].toReversed();
  const sentAt = new Map(sent.map((one) => [one.key, one.sentAtMs]));
  const lastMs = firsts.reduce((latest, one) => Math.max(latest, one.atMs), startedAtMs);
  return {
    refused: sent.length - accepted.length,
    lost: accepted.length - firsts.length,
    repeated: mine.length - firsts.length,
    outOfOrder: disorder(firsts, load),
    arrivals: firsts,
    acceptsMs: sent.map((one) => one.acceptMs),
    lagsMs: firsts.map((one) => one.atMs - (sentAt.get(one.key) ?? 0)),
    acceptingMs: acceptedAtMs - startedAtMs,
    deliveringMs: lastMs - startedAtMs,
  };
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** How many arrived behind one of their own ticket that was accepted after them. Senders of a ticket go one by one. */
function disorder(firsts: readonly Arrival[], load: Load): number {
  if (load.tickets < load.senders) {
    return firsts.filter((one, at) => one.sequence > 0 && one.sequence < (firsts[at - 1]?.sequence ?? 0)).length;
  }
  const newest = new Map<string, number>();
  let count = 0;
  for (const { ticket, key } of firsts) {
    const number = Number(key.slice(key.lastIndexOf("-") + 1));
    if (number < (newest.get(ticket) ?? -1)) count++;
    newest.set(ticket, Math.max(number, newest.get(ticket) ?? -1));
  }
  return count;
}
