import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Description } from "./docs/pages.ts";

const source = fileURLToPath(new URL("../../openapi/document.ts", import.meta.url));
const manifest = new URL("../../package.json", import.meta.url);

type Source = { buildDocument: (version: string) => Description };

/**
 * The description of the API. It is made here and not in the Worker, whose bundle it would outweigh. It is bundled first:
 * it takes its schemas from src, which is written for a bundler and not for Node.
 */
export async function buildOpenApi(): Promise<Description> {
  const bundle = await build({
    entryPoints: [source],
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    mainFields: ["module", "main"],
  });
  const [file] = bundle.outputFiles;
  if (!file) throw new Error("The OpenAPI document does not build.");
  const url = `data:text/javascript;base64,${Buffer.from(file.contents).toString("base64")}`;
  const { buildDocument } = (await import(url)) as Source;
  const { version } = JSON.parse(await readFile(manifest, "utf8")) as { version: string };
  return buildDocument(version);
}
