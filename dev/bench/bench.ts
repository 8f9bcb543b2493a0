/** `npm run bench`: what the relay costs, held against the least Worker that could do its job. */
import { writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { temporaryFolder } from "../harness/folder.ts";
import { prose, table, title } from "../harness/print.ts";
import { HELP, optionsOf, type Name } from "./args.ts";
import { median, ratios, spreadOf } from "./figures.ts";
import type { Load, Offer } from "./load.ts";
import {
  BESIDE,
  countRows,
  measure,
  measureBeside,
  measureHistory,
  measureMemory,
  measureOffered,
  type Bench,
  type Memory,
  type OfferedRun,
  type Run,
} from "./measure.ts";
import { startSink } from "./sink.ts";
import { buildSubjects, type Kind, type Medium } from "./subject.ts";

const spread: Load = { tickets: 200, messages: 8_000, senders: 16, bytes: 200 };
const SLICES = 20;
const KINDS: readonly Kind[] = ["relay", "yardstick"];

type Compared = { name: Name; what: string; load: Load; medium: Medium; opens: boolean };

const compared: Compared[] = [
  {
    name: "spread",
    what: "200 tickets, 16 senders, 200 B, state in memory",
    load: spread,
    medium: "memory",
    opens: false,
  },
  {
    name: "disk",
    what: "200 tickets, 16 senders, 200 B, state on disk",
    load: { ...spread, messages: 4_000 },
    medium: "disk",
    opens: false,
  },
  {
    name: "openings",
    what: "10,000 tickets with one message each, in memory",
    load: { ...spread, tickets: 10_000, messages: 10_000 },
    medium: "memory",
    opens: true,
  },
  {
    name: "large",
    what: "200 tickets, 16 senders, 64 KiB, in memory",
    load: { ...spread, bytes: 65_536, messages: 4_000 },
    medium: "memory",
    opens: false,
  },
];

/** The senders wait for the ticket, which delivers one after another: the backlog must not fill up. */
const history: Load = { tickets: 1, messages: 10_000, senders: 16, bytes: 200, window: 400 };
const PART = 1_000;
/**
 * Messages a second of the healthy desks, and as many again beside them. At the lower rate two seldom meet on the one
 * processor that all objects share here, so that a desk's lag shows the desk; at the higher they do.
 */
const BESIDE_RATES = [15, 40];
/** So long that the one pause of the runtime's garbage collector that falls into it does not decide what its p99 is. */
const BESIDE_SECONDS = 40;
const beside = (perSecond: number): Offer => ({
  tickets: 50,
  messages: BESIDE_SECONDS * perSecond,
  bytes: 200,
  perSecond,
});
const opening: Load = { ...spread, tickets: 10_000, messages: 10_000 };
/** The runtime evicts an object after 10 seconds without a request. */
const IDLE_MS = 15_000;
/** Few enough to be opened before the first of them is evicted. */
const wave: Load = { ...spread, tickets: 1_000, messages: 1_000 };
const WAVES = 10;

const options = optionsOf(process.argv.slice(2));
const { pairs } = options;
const isWanted = (name: Name) => options.rates.length === 0 && options.only.includes(name);
const results: Record<string, unknown> = {};

async function main(): Promise<void> {
  await using cleanup = new AsyncDisposableStack();
  const folder = await temporaryFolder(cleanup, "bench-build");
  const sink = await startSink();
  cleanup.defer(sink.close);
  const bench = { bundles: await buildSubjects(folder), sink };

  title(`The relay against the least Worker, ${pairs} interleaved pairs, ${cpus().length} processors`);
  for (const rate of options.rates) await showOffered(bench, rate);
  for (const one of compared) if (isWanted(one.name)) await compare(bench, one);
  if (isWanted("history")) await showHistory(bench);
  if (isWanted("sick")) for (const perSecond of BESIDE_RATES) await showBeside(bench, perSecond);
  if (isWanted("memory")) await showMemory(bench);
  if (isWanted("rows")) await showRows(bench);
  await writeFile(options.json, `${JSON.stringify({ at: new Date().toISOString(), pairs, results }, undefined, 1)}\n`);
  prose("", `  Every run stands in ${options.json}.`);
}

const METRICS: [keyof Run, string, number][] = [
  ["acceptedPerSecond", "accepted per second", 0],
  ["deliveredPerSecond", "delivered per second", 0],
  ["acceptP50Ms", "accept p50, ms", 1],
  ["acceptP99Ms", "accept p99, ms", 1],
  ["lagP50Ms", "lag p50, ms", 1],
  ["lagP99Ms", "lag p99, ms", 1],
  ["cpuMsPerMessage", "runtime CPU per message, ms", 2],
  ["residentMiB", "runtime memory, MiB", 0],
];

async function compare({ bundles, sink }: Bench, { name, what, load, medium, opens }: Compared): Promise<void> {
  const runs: Record<Kind, Run[]> = { relay: [], yardstick: [] };
  for (let pair = 0; pair < pairs; pair++) {
    const contenders = KINDS.map((kind) => ({ kind, bundles }));
    const measured = await measure(sink, contenders, load, { medium, opens, slices: SLICES });
    KINDS.forEach((kind, at) => runs[kind].push(...measured.slice(at, at + 1)));
  }
  results[name] = { load, medium, ...runs };
  title(what);
  showBoth(METRICS, runs.relay, runs.yardstick);
}

/** Runs each in turn, the order turned round every time, so that what drifts hits all alike. */
async function inPairs<T>(run: (kind: Kind) => Promise<T>) {
  const runs: Record<Kind, T[]> = { relay: [], yardstick: [] };
  for (let pair = 0; pair < pairs; pair++) {
    for (const kind of pair % 2 === 0 ? KINDS : KINDS.toReversed()) runs[kind].push(await run(kind));
  }
  return runs;
}

const OFFERED: [keyof OfferedRun, string, number][] = [
  ["lagP50Ms", "lag p50, ms", 1],
  ["lagP90Ms", "lag p90, ms", 1],
  ["lagP99Ms", "lag p99, ms", 1],
  ["deliveredPerSecond", "delivered per second", 0],
  ["cpuMsPerMessage", "runtime CPU per message, ms", 2],
  ["refused", "refused", 0],
  ["lost", "lost", 0],
  ["outOfOrder", "out of order", 0],
  ["sentLateP99Ms", "sent late p99, ms", 1],
];

async function showOffered(bench: Bench, perSecond: number): Promise<void> {
  const { tickets, seconds, failing, medium } = options;
  const load: Offer = { tickets, messages: seconds * perSecond, bytes: 200, perSecond };
  const of = { relay: { medium, failing }, yardstick: { medium, failing: 0 } };
  const { relay, yardstick } = await inPairs((kind) => measureOffered(bench, kind, load, of[kind]));
  results[`offered, ${perSecond} a second`] = { load, medium, failing, relay, yardstick };
  const failures = failing > 0 ? `, ${failing * 100} % of the relay's requests answered 503` : "";
  title(
    `Offered ${perSecond} a second for ${seconds} s over ${tickets} tickets, state ${medium === "disk" ? "on disk" : "in memory"}${failures}`,
  );
  showBoth(OFFERED, relay, yardstick);
}

function showBoth<R extends Record<K, number>, K extends string>(
  metrics: [K, string, number][],
  relay: R[],
  yardstick: R[],
): void {
  const rows = metrics.map(([key, label, digits]) => {
    const [ours, theirs] = [relay.map((run) => run[key]), yardstick.map((run) => run[key])];
    const ratio = median(theirs) > 0 ? spreadOf(ratios(ours, theirs)) : "";
    return [label, median(ours).toFixed(digits), median(theirs).toFixed(digits), ratio];
  });
  table(["", "relay", "yardstick", "ratio: median ± standard error (least – most)"], rows);
}

async function showHistory(bench: Bench): Promise<void> {
  const runs = await inPairs((kind) => measureHistory(bench, kind, history, PART));
  results["history"] = { load: history, speedOfLastAgainstFirst: runs };
  title(`One hot ticket, ${history.messages} messages: speed of the last ${PART} against the first ${PART}`);
  table(
    ["", "median ± standard error (least – most)"],
    KINDS.map((kind) => [kind, spreadOf(runs[kind])]),
  );
}

async function showBeside(bench: Bench, perSecond: number): Promise<void> {
  const load = beside(perSecond);
  const runs: Awaited<ReturnType<typeof measureBeside>>[] = [];
  for (let round = 0; round < pairs; round++) runs.push(await measureBeside(bench, load));
  results[`sick, ${perSecond} a second`] = { load, lagP99Ms: runs };
  const of = (how: (typeof BESIDE)[number]) => runs.map((run) => run[how]);
  title(
    `Lag of healthy desks at ${perSecond} a second, with as much again for sick ones (half answer 503, half nothing)`,
  );
  table(
    ["", "p99, ms", "ratio to alone: median ± standard error (least – most)"],
    BESIDE.map((how) => [how, median(of(how)).toFixed(1), spreadOf(ratios(of(how), of("alone")))]),
  );
}

async function showMemory(bench: Bench): Promise<void> {
  const runs = await inPairs((kind) => measureMemory(bench, kind, wave, { waves: WAVES, restMs: IDLE_MS }));
  results["memory"] = { load: wave, waves: WAVES, runs };
  title(`${WAVES} waves of ${wave.tickets} tickets with one message each, ${IDLE_MS / 1000} s of rest between`);
  const of = (kind: Kind, key: (run: Memory) => number) => median(runs[kind].map(key)).toFixed(0);
  const after = (count: number) => (run: Memory) => run.wavesMiB[count - 1] ?? Number.NaN;
  const half = WAVES / 2;
  table(
    ["", "KiB per ticket", "MiB before", "after the first wave", "the second", `the ${half}th`, `the ${WAVES}th`],
    KINDS.map((kind) => {
      const start = [kind, of(kind, (run) => run.perTicketKiB), of(kind, (run) => run.beforeMiB)];
      return start.concat([1, 2, half, WAVES].map((count) => of(kind, after(count))));
    }),
  );
}

async function showRows(bench: Bench): Promise<void> {
  const loads: [string, Load][] = [
    ["200 tickets of 40 messages, opening them and mapping them included", spread],
    ["one ticket, a burst of 2,000", { ...history, messages: 2_000 }],
    ["10,000 tickets of one message", opening],
  ];
  const rows: string[][] = [];
  for (const [what, load] of loads) {
    const counted = {
      relay: await countRows(bench, "relay", load),
      yardstick: await countRows(bench, "yardstick", load),
    };
    results[`rows: ${what}`] = counted;
    rows.push([what, counted.relay.toFixed(2), counted.yardstick.toFixed(2)]);
  }
  title("Rows written per delivered message, alarms counted (counted, not timed)");
  table(["", "relay", "yardstick"], rows);
}

// At the end: what stands above has to be there.
if (options.help) prose(HELP);
else await main();
