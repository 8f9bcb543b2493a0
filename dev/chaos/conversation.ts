import { setTimeout as pause } from "node:timers/promises";
import { type Random, between } from "./random.ts";
import type { Sender } from "./sending.ts";

/** How the fence that a Close is (protocol 2.6, 4) held in one ticket. */
export type Fences = { closes: number; broken: string[] };

/** Of a round: this many messages each way. */
const ROUND = [4, 16] as const;
const BURST_SHARE = 0.15;
const CLOSE_SHARE = 0.4;
const REPLIES_AFTER_CLOSE = 2;

/**
 * A customer and an agent, each one message after another and both at once, and now and then a Close. Ends with the
 * message under way when `isOver`. `pauseMs` is the mean pause between two messages of one lane.
 */
export async function converse(
  sender: Sender,
  options: { random: () => Random; pauseMs: number; isOver: () => boolean },
): Promise<Fences> {
  const { isOver, pauseMs } = options;
  const [chance, customer, agent] = [options.random(), options.random(), options.random()];
  const fences: Fences = { closes: 0, broken: [] };

  const write = async (random: Random, count: number, send: () => Promise<unknown>): Promise<void> => {
    for (let sent = 0; sent < count && !isOver(); sent += 1) {
      await send();
      if (random() >= BURST_SHARE) await pause(between(random, 0, 2 * pauseMs));
    }
  };
  const replyWhileOpen = async (): Promise<void> => {
    const reply = await sender.reply();
    if (reply.state === "fenced") fences.broken.push(`${reply.label} was refused although the ticket was open`);
  };
  const open = async (): Promise<void> => {
    while ((await sender.incoming()).state !== "accepted") if (isOver()) return;
  };
  /** In this time nothing else of the ticket is sent, so the order of acceptance is known. */
  const close = async (): Promise<void> => {
    if ((await sender.close()).state !== "accepted") return;
    fences.closes += 1;
    for (let count = 0; count < REPLIES_AFTER_CLOSE; count += 1) {
      const reply = await sender.reply();
      if (reply.state !== "fenced") fences.broken.push(`${reply.label} was ${reply.state} after a Close`);
    }
    await open();
  };

  await pause(between(chance, 0, pauseMs));
  await open();
  while (!isOver()) {
    const count = Math.round(between(chance, ...ROUND));
    await Promise.all([write(customer, count, () => sender.incoming()), write(agent, count, replyWhileOpen)]);
    if (!isOver() && chance() < CLOSE_SHARE) await close();
  }
  return fences;
}
