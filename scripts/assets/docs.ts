import { readFile } from "node:fs/promises";
import { type Description, pagesOf } from "./docs/pages.ts";
import { putAsset } from "./put.ts";

/** /docs: the guide and the API reference, as plain pages. */
export async function putDocs(assets: string, description: Description): Promise<void> {
  const [style, guide] = await Promise.all([source("docs.css"), source("guide.md")]);
  const pages = await pagesOf(description, guide);
  await Promise.all([
    putAsset(assets, "docs/docs.css", style),
    ...[...pages].map(([path, page]) => putAsset(assets, `${path.slice(1)}.html`, page)),
  ]);
}

const source = (name: string): Promise<string> => readFile(new URL(`docs/${name}`, import.meta.url), "utf8");
