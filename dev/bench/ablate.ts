/** `npm run ablate`: what each duty of the relay costs, found by taking it out of the built Worker. */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { temporaryFolder } from "../harness/folder.ts";
import { prose, table, title } from "../harness/print.ts";
import { relayConfig } from "../harness/relay.ts";
import { DUTIES, buildWithout } from "./duties.ts";
import { median } from "./figures.ts";
import type { Load } from "./load.ts";
import { measure, type Run } from "./measure.ts";
import { startSink } from "./sink.ts";

const { values: options } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, openings: { type: "boolean", default: false } },
});
const opens = options.openings;
const load: Load = { tickets: opens ? 4_000 : 200, messages: 4_000, senders: 16, bytes: 200 };
/** Short enough for all variants to have had their turn within 10 seconds. */
const SLICES = 20;
await using cleanup = new AsyncDisposableStack();
const folder = await temporaryFolder(cleanup, "ablate");
const sink = await startSink();
cleanup.defer(sink.close);

const variants = new Map<string, string>();
for (const [name, duties] of [["whole", []] as const, ...DUTIES.map((duty) => [duty.name, [duty]] as const)]) {
  const variant = join(folder, name.replaceAll(/\W+/g, "-"));
  await buildWithout(duties, variant);
  variants.set(name, variant);
}
const contenders = [...variants.values()].map((plain) => {
  const subject = { plain, counted: plain, config: relayConfig };
  return { kind: "relay" as const, bundles: { relay: subject, yardstick: subject } };
});
const runs = new Map<string, Run[]>([...variants.keys()].map((name) => [name, []]));
for (let round = 0; round < Number(options.rounds); round++) {
  const measured = await measure(sink, contenders, load, { medium: "memory", opens, slices: SLICES });
  [...runs.values()].forEach((of, at) => of.push(...measured.slice(at, at + 1)));
}
show(runs);

function show(results: Map<string, Run[]>): void {
  const all = results.get("whole") ?? [];
  title(
    `What a duty costs${opens ? " the first message of a ticket" : ": 200 tickets"}, 16 senders, ${options.rounds} interleaved rounds; ratios to the whole relay`,
  );
  table(
    ["without", "runtime CPU per message", "delivered per second"],
    [...results].map(([duty, of]) => {
      const ratio = (key: "cpuMsPerMessage" | "deliveredPerSecond") =>
        median(of.map((run, at) => run[key] / (all[at]?.[key] ?? Number.NaN))).toFixed(2);
      return [duty, ratio("cpuMsPerMessage"), ratio("deliveredPerSecond")];
    }),
  );
  prose("", "  A ratio that differs from 1 by less than 0.05 is within what these runs differ by themselves.");
}
