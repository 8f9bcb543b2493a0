import { randomUUID } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Puts a file among the assets in one step: a relay that serves them meanwhile never shows half of it. */
export async function putAsset(assets: string, name: string, content: string | Uint8Array): Promise<void> {
  const path = join(assets, name);
  const unfinished = `${path}.${randomUUID()}`;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(unfinished, content);
  await rename(unfinished, path);
}
