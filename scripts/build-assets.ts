/** `npm run build:assets`: makes what the relay serves beside its Worker. Every build of the relay runs it. */
import { fileURLToPath } from "node:url";
import { putConsole } from "./assets/console.ts";
import { putDocs } from "./assets/docs.ts";
import { putHeaders } from "./assets/headers.ts";
import { buildOpenApi } from "./assets/openapi.ts";
import { putAsset } from "./assets/put.ts";

const assets = fileURLToPath(new URL("../build/assets", import.meta.url));

async function putReference(): Promise<void> {
  const description = await buildOpenApi();
  await Promise.all([putAsset(assets, "openapi.json", JSON.stringify(description)), putDocs(assets, description)]);
}

await Promise.all([putConsole(assets), putReference(), putHeaders(assets)]);
