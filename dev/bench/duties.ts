import { mkdir, readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";

/**
 * Something that the relay does beside storing and forwarding, and the module of src/ that does it. It is taken out of a
 * bundle by the module in without/ that stands in its place. Where the duty is one of a module's globals, `globals` are
 * declared in that module instead.
 */
export type Duty = { name: string; module: string } & ({ instead: string } | { globals: string });

export const DUTIES: readonly Duty[] = [
  { name: "validation of the event", module: "model/event.ts", instead: "validation.ts" },
  { name: "reading the body within limits", module: "http/body.ts", instead: "body-limits.ts" },
  { name: "signing what goes out", module: "crypto/standard-webhooks.ts", instead: "signing.ts" },
  { name: "sealing at rest", module: "tenants/texts.ts", instead: "sealing.ts" },
  { name: "mapping in KV", module: "tenants/directory.ts", instead: "mapping.ts" },
  {
    name: "time limit of an attempt",
    module: "egress/http.ts",
    globals:
      "const setTimeout = () => 0; const fetch = (url, init) => globalThis.fetch(url, { ...init, signal: null });",
  },
  { name: "alarm, the safety net", module: "ticket/alarm.ts", instead: "alarm.ts" },
  { name: "reporting to the index", module: "ticket/index-reporter.ts", instead: "index-reports.ts" },
  { name: "attempts in the timeline", module: "ticket/store.ts", instead: "attempts.ts" },
  { name: "log lines", module: "lib/log.ts", instead: "log-lines.ts" },
  { name: "rate limiter", module: "http/rate.ts", instead: "rate-limiter.ts" },
];

const source = fileURLToPath(new URL("../../src", import.meta.url));
const replacements = fileURLToPath(new URL("without", import.meta.url));

/**
 * Writes a bundle of the relay without these duties into `outDir`. Throws when one of them was not taken out: it must not be
 * shown as one that costs nothing.
 */
export async function buildWithout(duties: readonly Duty[], outDir: string): Promise<void> {
  const takenOut = new Set<Duty>();
  const dutyOf = (path: string) => duties.find(({ module }) => module === relative(source, path));
  const plugin: Plugin = {
    name: "without",
    setup: (bundler) => {
      bundler.onResolve({ filter: /^\./ }, async ({ path, kind, importer, resolveDir, pluginData }) => {
        // What packages import among themselves is none of the relay's.
        if (pluginData === "resolving" || importer.includes("node_modules")) return undefined;
        const resolved = await bundler.resolve(path, { kind, importer, resolveDir, pluginData: "resolving" });
        const duty = dutyOf(resolved.path);
        // What stands in a module's place imports the module itself.
        if (!duty || !("instead" in duty) || dirname(importer) === replacements) return resolved;
        takenOut.add(duty);
        return { path: join(replacements, duty.instead) };
      });
      bundler.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const duty = dutyOf(path);
        if (!duty || !("globals" in duty)) return undefined;
        takenOut.add(duty);
        return { contents: `${duty.globals}\n${await readFile(path, "utf8")}`, loader: "ts" };
      });
    },
  };
  await mkdir(outDir, { recursive: true });
  await build({
    entryPoints: [join(source, "index.ts")],
    outfile: join(outDir, "index.js"),
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2024",
    // As wrangler bundles it.
    conditions: ["workerd", "worker", "browser"],
    mainFields: ["browser", "module", "main"],
    external: ["cloudflare:*", "node:*"],
    logLevel: "warning",
    plugins: [plugin],
  });
  const left = duties.filter((duty) => !takenOut.has(duty)).map(({ name, module }) => `"${name}" (${module})`);
  if (left.length > 0) throw new Error(`Not taken out, for nothing imports it: ${left.join(", ")}.`);
}
