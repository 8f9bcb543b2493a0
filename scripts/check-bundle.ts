/** Fails when the production bundle is over its limit: what is uploaded is also what every cold start reads. */
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { temporaryFolder } from "../dev/harness/folder.ts";
import { buildRelay } from "../dev/harness/relay.ts";

// Of this the markdown parser is 15, and what the relay knows of Chatwoot and Zendesk most of what came since 80.
const limitKiB = 140;

await using cleanup = new AsyncDisposableStack();
try {
  const outDir = await temporaryFolder(cleanup, "bundle");
  await buildRelay(outDir);
  const scripts = (await readdir(outDir)).filter((file) => file.endsWith(".js"));
  if (scripts.length === 0) throw new Error("The build made no JavaScript.");
  const sources = await Promise.all(scripts.map((file) => readFile(join(outDir, file))));
  const gzippedKiB = sources.reduce((sum, source) => sum + gzipSync(source).byteLength, 0) / 1024;
  const size = gzippedKiB > limitKiB ? "over" : "within";
  console.log(`The bundle is ${gzippedKiB.toFixed(1)} KiB gzipped, ${size} its limit of ${limitKiB} KiB.`);
  if (gzippedKiB > limitKiB) process.exitCode = 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
