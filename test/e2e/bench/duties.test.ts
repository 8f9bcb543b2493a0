import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { transform } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DUTIES, without } from "../../../dev/bench/duties.ts";
import { buildRelay, relayConfig } from "../../../dev/harness/relay.ts";

/** `npm run ablate` replaces pieces of the bundle: it must find them as the code is now. */

let folder: string;
let bundle: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dolphin-relay-duties-"));
  await buildRelay(folder, relayConfig, ["--no-minify"]);
  bundle = await readFile(join(folder, "index.js"), "utf8");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test.each(DUTIES)("$name can be taken out of the bundle, and what is left is a program", async (duty) => {
  // Each piece once: of two, the first might not be the one that is meant.
  for (const [piece] of duty.patches) expect(bundle.split(piece)).toHaveLength(2);
  await expect(transform(without(duty, bundle), { loader: "js" })).resolves.toHaveProperty("code");
});

test("a piece that is not there fails, and is not told as one that costs nothing", () => {
  const gone = { name: "a duty of old", patches: [["no such piece", ""] satisfies [string, string]] };
  expect(() => without(gone, bundle)).toThrow(/"a duty of old" is not to be found/);
});
