import { parseArgs } from "node:util";

export const HELP = `npm run bench -- [--pairs N] [--only NAME,…] [--json FILE]
npm run bench -- --rate N,… [--tickets N] [--seconds N] [--fail SHARE] [--disk] [--pairs N] [--json FILE]

Builds the relay and the yardstick, a Worker that only stores and forwards, and drives both with the same load, each pair
on fresh runtimes. Both are called past the Worker that the local runtime puts in front. Figures of these machines vary from
one second to the next: what counts is the median of the ratios.

  --pairs N       how many pairs of each (default 5)
  --only NAMES    of: spread, disk, openings, large, history, sick, memory, rows
  --json FILE     where every single run is written (default bench.json)

  --rate N,…      messages a second that come whatever the answers, one rate after another; nothing else is measured
  --tickets N     over so many tickets (default 200)
  --seconds N     for so long (default 20)
  --fail SHARE    the share of the relay's requests that the desk answers 503, such as 0.05; the yardstick never tries again,
                  so its desk does not fail
  --disk          state on disk, and not in memory

All takes about an hour and a half with five pairs; --only, --rate and --pairs shorten that. Nothing else should run meanwhile.`;

export const NAMES = ["spread", "disk", "openings", "large", "history", "sick", "memory", "rows"] as const;
export type Name = (typeof NAMES)[number];

export type Options = {
  help: boolean;
  pairs: number;
  only: readonly Name[];
  json: string;
  rates: readonly number[];
  tickets: number;
  seconds: number;
  failing: number;
  medium: "memory" | "disk";
};

/** Throws with words for whoever typed them. */
export function optionsOf(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      pairs: { type: "string", default: "5" },
      only: { type: "string" },
      json: { type: "string", default: "bench.json" },
      rate: { type: "string" },
      tickets: { type: "string", default: "200" },
      seconds: { type: "string", default: "20" },
      fail: { type: "string", default: "0" },
      disk: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const failing = Number(values.fail);
  if (!(failing >= 0 && failing < 1)) throw new Error("--fail must be a share from 0 on and below 1.");
  return {
    help: values.help,
    pairs: count("--pairs", values.pairs),
    only: (values.only?.split(",") ?? NAMES).map(nameOf),
    json: values.json,
    rates: values.rate?.split(",").map((rate) => count("--rate", rate)) ?? [],
    tickets: count("--tickets", values.tickets),
    seconds: count("--seconds", values.seconds),
    failing,
    medium: values.disk ? "disk" : "memory",
  };
}

function count(option: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1) return number;
  throw new Error(`${option} must be a whole number from 1 on.`);
}

function nameOf(text: string): Name {
  const name = NAMES.find((one) => one === text);
  if (name === undefined) throw new Error(`--only knows no "${text}", but: ${NAMES.join(", ")}.`);
  return name;
}
