import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { putAsset } from "./put.ts";

const source = fileURLToPath(new URL("../../console", import.meta.url));

/** The console: its page, its script and its styles, at `/console`. */
export async function putConsole(assets: string): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: [
      { in: join(source, "main.tsx"), out: "app" },
      { in: join(source, "app.css"), out: "app" },
    ],
    outdir: assets,
    write: false,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2023",
    tsconfig: join(source, "tsconfig.json"),
    legalComments: "none",
    logLevel: "warning",
  });
  const built = outputFiles.map(({ path, contents }) => ({ name: basename(path), contents }));
  const copied = ["index.html", "icon.svg"].map(async (name) => ({
    name,
    contents: await readFile(join(source, name)),
  }));
  for (const { name, contents } of [...built, ...(await Promise.all(copied))]) {
    await putAsset(assets, `console/${name}`, contents);
  }
}
