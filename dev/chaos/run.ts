import { setTimeout as pause } from "node:timers/promises";
import { poll } from "../harness/poll.ts";
import { converse } from "./conversation.ts";
import { auditIndexes } from "./indexes.ts";
import { interruptNowAndThen } from "./killer.ts";
import { KillPoints } from "./kill-points.ts";
import { randomStream } from "./random.ts";
import { type ChaosResult, judgeRun } from "./result.ts";
import { type Sent, Sender } from "./sending.ts";
import { gather, waitForArrival } from "./settling.ts";
import { startScenario } from "./scenario.ts";

export type ChaosOptions = {
  /** The directory of the built Worker. */
  bundle: string;
  seed: number;
  /** How long messages are sent and faults are made; settling comes after that. */
  driveMs: number;
  /** Sending goes on until this holds, too: a busy machine gets less done in the same time. */
  isEnough?: (sent: Sent[]) => boolean;
  /** How often the runtime is ended, at least once: the last time comes after the last message. */
  kills: number;
  tenants: number;
  ticketsPerTenant: number;
  /** Mean pause between two messages of one lane. */
  pauseMs: number;
  /** At most so many attempts of one message fail in a row: what it waits in the end is bounded by it. */
  failuresInARow: number;
  /** When all is healed, what waits has so long to arrive. */
  settleMs: number;
  say?: (line: string) => void;
};

const PROGRESS_EVERY_MS = 10_000;
/** That it may take for enough to be sent. */
const LONGEST_MS = 60_000;

/** Drives the relay through faults and kills, heals everything, and holds what happened against the guarantees. */
export async function runChaos(options: ChaosOptions, cleanup: AsyncDisposableStack): Promise<ChaosResult> {
  const { seed, driveMs, kills, say = () => undefined } = options;
  const startedMs = performance.now();
  const killPoints = new KillPoints();
  const scenario = await startScenario({ ...options, killPoints }, cleanup);
  const senders = scenario.tenants.flatMap((tenant) =>
    Array.from(
      { length: options.ticketsPerTenant },
      (_, at) => new Sender(scenario, killPoints, tenant, `chaos-${at + 1}`),
    ),
  );
  const sent = () => senders.flatMap((sender) => sender.sent);

  let isOver = false;
  const conversations = senders.map((sender, at) => {
    let streams = 0;
    const random = () => randomStream(seed, `conversation ${at} ${(streams += 1)}`);
    return converse(sender, { random, pauseMs: options.pauseMs, isOver: () => isOver });
  });
  const progress = setInterval(() => {
    const { length } = sent().filter(({ state }) => state === "accepted");
    const seconds = Math.round((performance.now() - startedMs) / 1_000);
    const attempts = scenario.toDesk.exchanges.length + scenario.toDolphins.exchanges.length;
    say(`${seconds} s: ${length} accepted, ${attempts} attempts, ${scenario.interruptions.length} kills and stops`);
  }, PROGRESS_EVERY_MS);
  cleanup.defer(() => clearInterval(progress));

  const killing = interruptNowAndThen(scenario, killPoints, {
    random: randomStream(seed, "kills"),
    count: kills - 1,
    driveMs,
  });
  const end = async () => {
    await pause(driveMs);
    await poll(async () => sent(), options.isEnough ?? (() => true), { timeoutMs: LONGEST_MS });
    isOver = true;
  };
  const [fences] = await Promise.all([Promise.all(conversations), end(), killing]);
  // Nobody sends any more, so what waits now has nothing but its alarms to bring it.
  await scenario.interrupt("killed", 0);
  scenario.toDesk.heal();
  scenario.toDolphins.heal();
  say("Everything is healed; what waits has to arrive now.");
  const missing = await waitForArrival(scenario, sent(), options.settleMs);
  const tickets = senders.map(({ ticket }) => ticket);
  const evidence = await gather(scenario, tickets, sent());
  const index = await auditIndexes(scenario, tickets);
  clearInterval(progress);
  return judgeRun(
    scenario,
    evidence,
    { fences, missing, index },
    {
      seed,
      seconds: Math.round((performance.now() - startedMs) / 1_000),
      requests: senders.reduce((sum, { requests }) => sum + requests, 0),
    },
  );
}
