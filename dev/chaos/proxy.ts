import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { listen } from "../harness/listen.ts";
import { type Decision, type Fate, PASS, decide } from "./faults.ts";
import { type LaneKey, type LaneName, labelOf, laneKey } from "./lanes.ts";
import type { KillPoints } from "./kill-points.ts";
import type { Random } from "./random.ts";

/** One request of the relay, and what the proxy did to it. */
export type Exchange = {
  number: number;
  lane: LaneKey;
  label: string;
  id: string;
  sequence: number;
  /** The header `relay-attempt`. */
  attempt: number;
  fate: Fate;
  /** Another request of the same lane was still open when this one came. */
  overlaps: boolean;
  arrivedAtMs: number;
  endedAtMs: number;
  /** `answered` with a status at least, `cut` by the proxy before there was one, or `gone`: the relay hung up. */
  end: "answered" | "cut" | "gone" | undefined;
  /** Of the answer. What follows it may be cut short: the far end has said how it took the message. */
  status: number | undefined;
};

export type Proxy = {
  url: string;
  exchanges: Exchange[];
  /** From now on everything is passed. */
  heal: () => void;
  close: () => Promise<void>;
};

/** Its number in `exchanges`, so that what the far end received is known by exchange. */
export const EXCHANGE_HEADER = "chaos-exchange";

const HOP_BY_HOP = new Set(["host", "connection", "content-length", "transfer-encoding", "keep-alive"]);

/** Stands between the relay and the far end at `target`; the n-th request meets the n-th decision of the seed. */
export async function startProxy(options: {
  target: string;
  lane: LaneName;
  random: Random;
  killPoints: KillPoints;
  failuresInARow: number;
}): Promise<Proxy> {
  const { target, lane, random, killPoints, failuresInARow } = options;
  const exchanges: Exchange[] = [];
  const failures = new Map<string, number>();
  const open = new Map<LaneKey, Exchange>();
  let healed = false;

  /** The seed's next decision, unless it would fail a message once more than is allowed. */
  const mercifully = (decision: Decision, id: string): Decision => {
    const fails = decision.fate !== "passed" && decision.fate !== "delayed";
    const count = fails ? (failures.get(id) ?? 0) + 1 : 0;
    failures.set(id, count > failuresInARow ? 0 : count);
    return healed || count > failuresInARow ? PASS : decision;
  };

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      // The relay was killed while it sent: there was no request.
      if (!request.destroyed) console.error("The proxy failed.", error);
      response.destroy();
    });
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const drawn = decide(random);
    const body = await text(request);
    const header = (name: string): string => String(request.headers[name] ?? "");
    const sequence = Number(header("relay-sequence"));
    const id = header(lane === "toDesk" ? "webhook-id" : "relay-message-id");
    const { ticket, label } = labelOf(JSON.parse(body), sequence);
    const key = laneKey(ticket, lane);
    const { fate, delayMs, status } = mercifully(drawn, id);
    const exchange: Exchange = {
      number: exchanges.length,
      lane: key,
      label,
      id,
      sequence,
      attempt: Number(header("relay-attempt")),
      fate,
      overlaps: open.has(key),
      arrivedAtMs: Date.now(),
      endedAtMs: Number.POSITIVE_INFINITY,
      end: undefined,
      status: undefined,
    };
    exchanges.push(exchange);
    open.set(key, exchange);
    const finish = (end: NonNullable<Exchange["end"]>): boolean => {
      if (exchange.end !== undefined) return false;
      exchange.end = end;
      exchange.endedAtMs = Date.now();
      if (open.get(key) === exchange) open.delete(key);
      return true;
    };
    response.once("close", () => finish("gone"));

    const answerWith = (given: number, answer: string): void => {
      if (!finish("answered")) return;
      exchange.status = given;
      response.writeHead(given, { "content-type": "application/json" }).end(answer);
    };
    const forward = async (): Promise<{ status: number; text: string }> => {
      const headers = Object.entries(request.headers).filter(([name]) => !HOP_BY_HOP.has(name));
      const answer = await fetch(target + (request.url ?? ""), {
        method: request.method ?? "POST",
        headers: {
          ...(Object.fromEntries(headers) as Record<string, string>),
          [EXCHANGE_HEADER]: String(exchange.number),
        },
        body,
      });
      const received = { status: answer.status, text: await answer.text() };
      await killPoints.reached("received");
      return received;
    };

    switch (fate) {
      case "passed":
      case "delayed": {
        if (delayMs > 0) await pause(delayMs / 2);
        // A request whose caller hung up before it was passed on was never received.
        if (exchange.end !== undefined) return;
        const answer = await forward();
        if (delayMs > 0) await pause(delayMs / 2);
        return answerWith(answer.status, answer.text);
      }
      case "refused":
        if (finish("cut")) reset(request.socket);
        return;
      case "failed":
        return answerWith(status, '{"status":"error","message":"chaos"}');
      case "hung":
        return;
      case "answerLost":
        await forward();
        if (finish("cut")) reset(request.socket);
        return;
      case "answerCut": {
        const answer = await forward();
        if (!finish("answered")) return;
        exchange.status = answer.status;
        response.writeHead(answer.status, { "content-length": String(answer.text.length + 100) });
        response.write(answer.text.slice(0, 10), () => request.socket.destroy());
        return;
      }
      case "answerHung":
        await forward();
        return;
    }
  }

  const { url, close } = await listen(server);
  return {
    url,
    exchanges,
    heal: () => {
      healed = true;
    },
    close,
  };
}

/** A socket that is being shut down cannot be reset any more: Node would keep its handle, and hang at the end. */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
