import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { buildRelay } from "../../../dev/harness/relay.ts";

declare module "vitest" {
  // Merging into vitest's own interface is how a provided value gets its type.
  interface ProvidedContext {
    bundle: string;
  }
}

/** Builds the Worker once for every test file; what it returns to vitest removes the build again. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const bundle = await mkdtemp(join(tmpdir(), "dolphin-relay-e2e-"));
  await buildRelay(bundle);
  project.provide("bundle", bundle);
  return () => rm(bundle, { recursive: true, force: true });
}
