/**
 * `npm run fuzz [-- --seed 1 --examples 50 --operation <id>]`: starts a relay with a tenant, tickets and credentials, and has
 * schemathesis hold every operation of its description against it. Needs python3; schemathesis comes into an environment of
 * its own, under build/.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildRelay, startRelay, throwawaySettings } from "../dev/harness/relay.ts";
import { furnish, startFarEnds } from "./fuzz/world.ts";

const { values: options } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    /** At most so many generated requests for each operation, beside those for its limits and examples. */
    examples: { type: "string", default: "20" },
    operation: { type: "string" },
  },
});

const folder = fileURLToPath(new URL("fuzz/", import.meta.url));
const environment = fileURLToPath(new URL("../build/fuzz-venv", import.meta.url));

/** Of requests in ten seconds: an answer 429 says nothing about the operation. */
const MANY = 100_000;

/** Makes the environment where it is not there yet, or was made for other versions. Throws with what to do. */
async function prepareSchemathesis(): Promise<string> {
  const wanted = await readFile(join(folder, "requirements.txt"), "utf8");
  const stamp = join(environment, "made-for.txt");
  const made = await readFile(stamp, "utf8").catch(() => "");
  if (made !== wanted) {
    run(
      "python3",
      ["-m", "venv", "--clear", environment],
      "There is no python3 with its venv module: install Python 3.10 or later.",
    );
    const pip = [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--disable-pip-version-check",
      "-r",
      join(folder, "requirements.txt"),
    ];
    run(join(environment, "bin/python"), pip, "schemathesis could not be installed from PyPI.");
    await writeFile(stamp, wanted);
  }
  return join(environment, "bin/schemathesis");
}

function run(command: string, args: string[], complaint: string): void {
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"] });
  if (error || status !== 0) throw new Error(complaint, { cause: error });
}

const bundle = await mkdtemp(join(tmpdir(), "dolphin-relay-fuzz-"));
const stops: (() => Promise<unknown>)[] = [() => rm(bundle, { recursive: true, force: true })];
try {
  const schemathesis = await prepareSchemathesis();
  await buildRelay(bundle);
  const settings = throwawaySettings();
  const rateLimits = { ENGINE_RATE: MANY, CALLER_RATE: MANY, FAILURE_RATE: MANY };
  const [relay, farEnds] = await Promise.all([
    startRelay({ bundle, settings, assets: true, logs: false, rateLimits }),
    startFarEnds(),
  ]);
  stops.unshift(relay.stop, ...Object.values(farEnds).map(({ close }) => close));
  const world = await furnish(relay.url, settings, farEnds);
  const args = [
    "--config-file",
    join(folder, "schemathesis.toml"),
    "run",
    `${relay.url}/openapi.json`,
    "--url",
    relay.url,
  ];
  const only = options.operation === undefined ? [] : ["--include-operation-id", options.operation];
  const env = {
    ...process.env,
    FUZZ_WORLD: JSON.stringify(world),
    FUZZ_OPERATOR_TOKEN: world.operatorToken,
    FUZZ_DESK_TOKEN: world.deskToken,
    FUZZ_SESSION: world.session,
    FUZZ_ZENDESK_KEY: world.zendeskKey,
    SCHEMATHESIS_HOOKS: "hooks",
    PYTHONPATH: folder,
  };
  const limits = ["--seed", options.seed, "--max-examples", options.examples];
  // Not spawnSync: the fake far ends are in this process, and have to answer meanwhile.
  const running = spawn(schemathesis, [...args, ...only, ...limits], { stdio: "inherit", env, cwd: bundle });
  const [status] = (await once(running, "exit")) as [number | null];
  process.exitCode = status ?? 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  for (const stop of stops) await stop();
}
