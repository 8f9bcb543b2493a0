/** Fails when the production bundle is over its limit: what is uploaded is also what every cold start reads. */
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { buildRelay } from "../dev/harness/relay.ts";

const limitKiB = 80;

const outDir = await mkdtemp(join(tmpdir(), "dolphin-relay-bundle-"));
try {
  await buildRelay(outDir);
  const scripts = (await readdir(outDir)).filter((file) => file.endsWith(".js"));
  if (scripts.length === 0) throw new Error("The build made no JavaScript.");
  const sources = await Promise.all(scripts.map((file) => readFile(join(outDir, file))));
  const gzippedKiB = sources.reduce((sum, source) => sum + gzipSync(source).byteLength, 0) / 1024;
  const verdict = gzippedKiB > limitKiB ? "over" : "within";
  console.log(`The bundle is ${gzippedKiB.toFixed(1)} KiB gzipped, ${verdict} its limit of ${limitKiB} KiB.`);
  if (gzippedKiB > limitKiB) process.exitCode = 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  await rm(outDir, { recursive: true, force: true });
}
