import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

const TOY_AMONG_DESKS = fileURLToPath(new URL("test/contracts/desks/toy/all.ts", import.meta.url));

export default defineConfig({
  test: {
    silent: "passed-only",
    // Most end-to-end files wait for a relay most of the time: on two processors, three of them at once are not too many.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    projects: [
      // A property is tried hundreds of times over: on a busy machine that is longer than the five seconds a test has by itself.
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"], testTimeout: 60_000 } },
      {
        // A desk that nobody has is among those there are: see test/contracts/desks/toy.
        resolve: { alias: [{ find: /^\.\/all$/, replacement: TOY_AMONG_DESKS }] },
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              bindings: {
                ADMIN_TOKEN: "an-operator-token-for-tests-alone-0123456789",
                MASTER_KEY: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
                INGRESS_KEYS: "main=ingress-key-of-main,other=ingress-key-of-other",
                // What a .dev.vars of this folder says would count otherwise.
                ALLOW_INSECURE_TARGETS: "false",
              },
              // A request that no test expected fails instead of leaving the machine.
              outboundService: () => new Response("no test expects this request", { status: 599 }),
            },
          }),
        ],
        test: {
          name: "worker",
          include: ["test/worker/**/*.test.ts", "test/contracts/**/*.test.ts"],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: ["test/e2e/support/build.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
