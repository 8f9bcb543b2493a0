/** `npm run build:assets`: makes what the relay serves beside its Worker. Every build of the relay runs it. */
import { fileURLToPath } from "node:url";
import { putConsole } from "./assets/console.ts";
import { putDocs } from "./assets/docs.ts";
import { putHeaders } from "./assets/headers.ts";
import { putOpenApi } from "./assets/openapi.ts";

const assets = fileURLToPath(new URL("../build/assets", import.meta.url));
await Promise.all([putConsole(assets), putOpenApi(assets), putDocs(assets), putHeaders(assets)]);
