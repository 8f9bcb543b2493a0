import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, dirname } from "node:path";
import { putAsset } from "./put.ts";

/** /docs: the OpenAPI document in Swagger UI, out of the relay's own assets. */

const renderer = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
const FROM_RENDERER = ["swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-bundle.js.LICENSE.txt"];

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>dolphin-relay: API reference</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/docs/swagger-ui.css">
    <link rel="stylesheet" href="/docs/docs.css">
  </head>
  <body>
    <main id="reference"></main>
    <noscript><a href="/openapi.json">The OpenAPI document</a></noscript>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/docs.js"></script>
  </body>
</html>
`;

/** `validatorUrl` null: by default a badge is asked for at a foreign host. */
const SCRIPT = `SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  validatorUrl: null,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  defaultModelRendering: "example",
  syntaxHighlight: { activated: false },
});
document.documentElement.classList.toggle("dark-mode", matchMedia("(prefers-color-scheme: dark)").matches);
`;

const STYLE = `body { margin: 0; background: #fff; }
.dark-mode body { background: #1c2022; }
.dark-mode .swagger-ui .examples-select__section-label { color: #e4e6e6; }
.swagger-ui .info { margin: 24px 0; }
@media (max-width: 640px) {
  .swagger-ui .wrapper { padding: 0 8px; }
  .swagger-ui .opblock .opblock-summary { flex-wrap: wrap; }
  .swagger-ui .opblock .opblock-summary-path { max-width: 100%; }
  .swagger-ui table { table-layout: fixed; }
}
`;

export async function putDocs(assets: string): Promise<void> {
  const files = FROM_RENDERER.map(async (name) =>
    putAsset(assets, `docs/${name}`, await readFile(join(renderer, name))),
  );
  await Promise.all([
    ...files,
    putAsset(assets, "docs.html", PAGE),
    putAsset(assets, "docs/docs.js", SCRIPT),
    putAsset(assets, "docs/docs.css", STYLE),
  ]);
}
