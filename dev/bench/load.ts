import { Agent, request as httpRequest } from "node:http";
import { setImmediate as turn, setTimeout as pause } from "node:timers/promises";
import { drivenOf, type Driven, type Sent } from "./figures.ts";
import type { Sink } from "./sink.ts";

/** What is sent, and how. */
export type Load = {
  tickets: number;
  messages: number;
  /** How many send at once, each as fast as it is answered. A ticket belongs to one, unless there are fewer tickets. */
  senders: number;
  /** Of a body. */
  bytes: number;
  /** Messages that may be under way, accepted and not delivered, before the senders pause. */
  window?: number;
};

/** A load that comes at its own pace, whatever the answers. */
export type Offer = { tickets: number; messages: number; bytes: number; perSecond: number };

/** Where a load goes. `name` keeps the messages of runs apart; `tickets`, where it differs, begins the numbers of their tickets. */
export type Target = { url: string; owner: string; sink: Sink; name: string; tickets?: string };

/** Sends a load and waits until all that was accepted has arrived, `patienceMs` at most. */
export function drive(target: Target, load: Load, patienceMs?: number): Promise<Driven> {
  const { sink } = target;
  const firstArrival = sink.arrivals.length;
  const window = load.window ?? Number.POSITIVE_INFINITY;
  return underLoad(target, load.bytes, load.senders, patienceMs, async (send) => {
    let next = 0;
    let answered = 0;
    const sender = async (first: number) => {
      const own = Math.max(1, Math.floor((load.tickets - first - 1) / load.senders) + 1);
      for (let round = 0; next < load.messages; round++) {
        const number = next++;
        while (answered - (sink.arrivals.length - firstArrival) > window) await pause(1);
        await send(number, (first + (round % own) * load.senders) % load.tickets);
        answered++;
      }
    };
    await Promise.all(Array.from({ length: load.senders }, (_, first) => sender(first)));
  });
}

/** Sends each message when it is due, as callers do who know nothing of each other: a slow answer delays no other message. */
export async function offer(
  target: Target,
  load: Offer,
  patienceMs?: number,
): Promise<Driven & { sentLateMs: number[] }> {
  const sentLateMs: number[] = [];
  const driven = await underLoad(
    target,
    load.bytes,
    Number.POSITIVE_INFINITY,
    patienceMs,
    async (send, startedAtMs) => {
      const answers: Promise<void>[] = [];
      for (const [number, dueMs] of scheduleOf(load, Math.random).entries()) {
        const early = startedAtMs + dueMs - performance.now();
        await (early > 0 ? pause(early) : turn());
        sentLateMs.push(performance.now() - startedAtMs - dueMs);
        answers.push(send(number, number % load.tickets));
      }
      await Promise.all(answers);
    },
  );
  return { ...driven, sentLateMs };
}

/** When each message is due, in ms from the start: somewhere in its own slot, so that two loads do not march in step. */
export const scheduleOf = ({ messages, perSecond }: Offer, random: () => number): number[] =>
  Array.from({ length: messages }, (_, number) => ((number + random()) / perSecond) * 1000);

async function underLoad(
  { url, owner, sink, name, tickets = name }: Target,
  bytes: number,
  connections: number,
  patienceMs = 60_000,
  run: (send: (number: number, ticket: number) => Promise<void>, startedAtMs: number) => Promise<void>,
): Promise<Driven> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const firstArrival = sink.arrivals.length;
  const sent: Sent[] = [];
  const startedAtMs = performance.now();
  const send = async (number: number, ticket: number) => {
    const key = `${name}-${number}`;
    const body = bodyOf(owner, `${tickets}-t${ticket}`, key, bytes);
    const sentAtMs = performance.now();
    const status = await post(agent, url, body);
    sent.push({ key, sentAtMs, answeredAtMs: performance.now(), ok: status === 200 });
  };
  await run(send, startedAtMs);
  const arrived = () => sink.arrivals.slice(firstArrival).filter(({ key }) => key.startsWith(`${name}-`));
  const accepted = sent.filter((one) => one.ok).length;
  const deadlineMs = performance.now() + patienceMs;
  let seen = -1;
  while (performance.now() < deadlineMs) {
    if (sink.arrivals.length !== seen) {
      seen = sink.arrivals.length;
      const isEnough = seen - firstArrival >= accepted;
      if (isEnough && new Set(arrived().map((one) => one.key)).size >= accepted) break;
    }
    await pause(5);
  }
  agent.destroy();
  return drivenOf(sent, arrived(), startedAtMs);
}

/** The status of the answer; 0 where there was none. */
function post(agent: Agent, url: string, body: string): Promise<number> {
  return new Promise((answered) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const { hostname, port, pathname } = new URL(url);
    const outgoing = httpRequest({ agent, hostname, port, path: pathname, method: "POST", headers }, (response) => {
      response.resume();
      response.on("end", () => answered(response.statusCode ?? 0));
    });
    outgoing.on("error", () => answered(0));
    outgoing.end(body);
  });
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
