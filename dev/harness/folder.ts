import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A new folder that `cleanup` removes again. `parent` is the system's folder for such, unless another is given. */
export async function temporaryFolder(
  cleanup: AsyncDisposableStack,
  name: string,
  parent: string = tmpdir(),
): Promise<string> {
  const folder = await mkdtemp(join(parent, `dolphin-relay-${name}-`));
  cleanup.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}
