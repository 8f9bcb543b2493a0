import { defineConfig } from "oxlint";

/**
 * The parts of src/, from the top of the house down. A part imports from those below it and never from one above, so there
 * is no circle of folders; docs/architecture.md says what each one is for.
 */
const HOUSE = [
  "index",
  "app",
  "routes",
  "http",
  "ticket",
  "tenant-index",
  "engine-session",
  "console-session",
  "audit",
  "registrar",
  "config",
  "tenants",
  "desks",
  "engine",
  "egress",
  "crypto",
  "model",
  "lib",
];
/** What decides, and does nothing: values in, values out. */
const PURE = [
  "src/model/**",
  "src/egress/outcome.ts",
  "src/ticket/{lane,order,pause,retry,conversation,report-policy}.ts",
  "src/tenant-index/{jobs,minutes,totals,scan}.ts",
];

const above = (part: string) => ({
  regex: `^(\\.\\./)+(${HOUSE.slice(0, HOUSE.indexOf(part)).join("|")})(/|$)`,
  message: `${part} stands below this.`,
});
const doing = {
  regex: "cloudflare:|node:|/(http|store|ticket|log|directory)$",
  message: "Pure: no I/O here.",
};

type Pattern = { regex: string; message: string };
const noImports = (...patterns: Pattern[]): ["error", { patterns: Pattern[] }] => ["error", { patterns }];
const MACHINE: ["error", ...string[]] = [
  "error",
  "fetch",
  "crypto",
  "setTimeout",
  "setInterval",
  "performance",
  "caches",
];

const sql = { property: "sql", message: "SQL stands in an object's store.ts." };
const outbound = { name: "fetch", message: "Outbound requests go through src/egress/http.ts." };

const heavy = ["catch", "coerce"].map((property) => ({
  object: "z",
  property,
  message:
    "It brings a whole namespace of zod into the bundle. There are withFallback in src/lib/zod.ts, and z.transform.",
}));

const PURE_PROPERTIES: ["error", ...object[]] = [
  "error",
  { object: "Date", property: "now", message: "Pure: the clock is an argument." },
  { object: "Math", property: "random", message: "Pure: randomness is an argument." },
  sql,
  ...heavy,
];

export default defineConfig({
  plugins: ["typescript", "unicorn", "import", "promise", "vitest", "oxc"],
  categories: { correctness: "error", suspicious: "error", perf: "error" },
  ignorePatterns: ["src/env.d.ts", "test/e2e/releases/**"],
  rules: {
    "typescript/no-explicit-any": "error",
    "typescript/no-non-null-assertion": "error",
    "import/no-default-export": "error",
    "import/no-cycle": "error",
    // What a lane delivers, it delivers one after another; so do the tests that watch it.
    "no-await-in-loop": "off",
    // Parsing narrows unknown values; the schemas beside the casts are what makes them true.
    "typescript/no-unsafe-type-assertion": "off",
    "unicorn/consistent-function-scoping": "off",
    // zod/mini's z._default.
    "no-underscore-dangle": ["error", { allow: ["_default"] }],
    // The compiler sees that a switch over a union is whole.
    "typescript/consistent-return": "off",
    // The second argument says what failed.
    "vitest/valid-expect": ["error", { maxArgs: 2 }],
    "no-restricted-globals": ["error", outbound],
    "no-restricted-properties": ["error", sql, ...heavy],
  },
  overrides: [
    ...HOUSE.slice(1).map((part) => ({
      files: [`src/${part}/**`, `src/${part}.ts`],
      rules: { "no-restricted-imports": noImports(above(part)) },
    })),
    ...PURE.map((file) => ({
      files: [file],
      rules: {
        "no-restricted-imports": noImports(above(file.split("/")[1] ?? ""), doing),
        "no-restricted-globals": MACHINE,
        "no-restricted-properties": PURE_PROPERTIES,
      },
    })),
    {
      files: ["src/index.ts", "*.config.ts", "dev/bench/yardstick/*", "dev/bench/counting.js"],
      rules: { "import/no-default-export": "off" },
    },
    {
      files: ["src/egress/http.ts", "dev/**", "scripts/**", "examples/**", "test/**"],
      rules: { "no-restricted-globals": "off" },
    },
    {
      files: ["src/*/store.ts", "test/**", "dev/bench/**"],
      rules: { "no-restricted-properties": "off" },
    },
    {
      files: ["console/**"],
      plugins: ["jsx-a11y"],
      rules: {
        // A paragraph that is read out is a paragraph still, and a drawing is no file.
        "jsx-a11y/prefer-tag-over-role": "off",
        "no-restricted-globals": ["error", { name: "fetch", message: "Requests go through console/api/call.ts." }],
        "no-restricted-imports": [
          "error",
          {
            patterns: [
              {
                regex: "^(\\.\\./)+src/(?!model/)",
                message: "Of the relay the console knows the shape of its answers: src/model.",
              },
            ],
          },
        ],
      },
    },
    { files: ["console/api/call.ts"], rules: { "no-restricted-globals": "off" } },
  ],
});
