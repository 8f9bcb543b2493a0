/**
 * `npm run check:signatures`: whether the packages that are installed are those that the registry has signed. A bad signature
 * fails. A registry that does not answer, or that signs nothing, is said and fails nothing.
 */
import { spawnSync } from "node:child_process";

const TIME_LIMIT_MS = 120_000;

type Signatures = { invalid?: { name: string; version: string }[]; missing?: unknown[]; error?: { code?: string } };

const { stdout } = spawnSync("npm", ["audit", "signatures", "--json", "--fetch-retries=0"], {
  encoding: "utf8",
  timeout: TIME_LIMIT_MS,
  stdio: ["ignore", "pipe", "ignore"],
});

function read(text: string): Signatures | undefined {
  try {
    return JSON.parse(text) as Signatures;
  } catch {
    return undefined;
  }
}

const found = read(stdout);
if (!found || found.error || !found.invalid) {
  const { code = "it does not answer" } = found?.error ?? {};
  console.log(`The signatures of the packages could not be checked: ${code}.`);
} else if (found.invalid.length > 0) {
  console.error("These packages are not what the registry has signed:");
  for (const { name, version } of found.invalid) console.error(`  ${name}@${version}`);
  process.exitCode = 1;
} else {
  console.log(`No package has a bad signature; ${found.missing?.length ?? 0} have none.`);
}
