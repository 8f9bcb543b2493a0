/** `npm run chaos`: the guarantees, tried by a quarter of failing requests and a runtime that is killed again and again. */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { temporaryFolder } from "../harness/folder.ts";
import { cleanUpOnSignal } from "../harness/interrupt.ts";
import { prose } from "../harness/print.ts";
import { buildRelay } from "../harness/relay.ts";
import { showResult } from "./report.ts";
import { hasFailedAnywhere } from "./result.ts";
import { runChaos } from "./run.ts";

const KILLS_PER_MINUTE = 5;
/** The relay waits up to 15 s after the fifth, so the rest arrives within a minute when all is healed. */
const FAILURES_IN_A_ROW = 5;
const SETTLE_MS = 180_000;

const help = `npm run chaos -- [--minutes N] [--kills N] [--seed S] [--quiet]

Runs the built Worker between a fake 3Dolphins and a fake desk. A proxy in front of each refuses, delays, fails,
cuts, loses or hangs a part of the relay's requests, and the runtime is ended with kill -9, or stopped in an orderly way,
and started again on the same state. At the end all is healed, and what was accepted is held against what arrived.

  --minutes N   how long messages are sent and faults are made (default 2); settling takes up to a minute more
  --kills N     how often the runtime is ended (default ${KILLS_PER_MINUTE} a minute), one time in five in an orderly way
  --seed S      a whole number; repeats the schedule: the n-th request to an end meets the same fault (unless its message
                has failed ${FAILURES_IN_A_ROW} times in a row), the kills have the same times and aims, the senders the same pauses.
                What it cannot repeat is timing: which message is the n-th, and what is under way when a kill comes,
                depends on the machine.
  --quiet       the result alone

Ends with 1 when anything was lost, repeated for no reason, out of order, or wrong in the record; else with 0.`;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "2" },
    kills: { type: "string" },
    seed: { type: "string" },
    quiet: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const minutes = numberOf("minutes", values.minutes);
const kills = numberOf("kills", values.kills ?? String(Math.max(1, Math.round(minutes * KILLS_PER_MINUTE))));
const seed = numberOf("seed", values.seed ?? String(randomInt(2 ** 31)));
const cleanup = new AsyncDisposableStack();

if (values.help) prose(help);
else {
  await main();
}

async function main(): Promise<void> {
  const isInterrupted = cleanUpOnSignal(cleanup, () => process.exit(130));
  const say = values.quiet ? () => undefined : (line: string) => prose(`  ${line}`);
  try {
    const bundle = await temporaryFolder(cleanup, "chaos-bundle");
    say(`Seed ${seed}: ${minutes} minutes of faults with ${kills} kills and stops. Building the relay …`);
    await buildRelay(bundle);
    const load = { tenants: 3, ticketsPerTenant: 8, pauseMs: 700, failuresInARow: FAILURES_IN_A_ROW };
    const options = { bundle, seed, kills, driveMs: minutes * 60_000, settleMs: SETTLE_MS, say, ...load };
    const result = await runChaos(options, cleanup);
    const passed = !hasFailedAnywhere(result);
    showResult(result, passed);
    if (!passed) process.exitCode = 1;
  } catch (error) {
    if (isInterrupted()) return;
    console.error(`The run came to nothing (seed ${seed}).`, error);
    process.exitCode = 1;
  }
  if (!isInterrupted()) await cleanup.disposeAsync();
}

function numberOf(name: string, text: string): number {
  const value = Number(text);
  const isGood = name === "minutes" ? value > 0 : Number.isInteger(value) && value >= (name === "kills" ? 1 : 0);
  if (isGood) return value;
  console.error(`--${name} ${text} is not a number that fits. See --help.`);
  process.exit(2);
}
