import type { Scenario } from "./scenario.ts";

/** Lies about a body's length, byte for byte on the socket, and the statuses of the answers to them. */
const head = (path: string, lines: string[]): string =>
  [`POST ${path} HTTP/1.1`, "Host: relay", ...lines, "", ""].join("\r\n");

const nosy = "GET /admin/tenants HTTP/1.1\r\nHost: relay\r\nX-Rest: ";

export const SIZES: [name: string, bytes: (scenario: Scenario) => string, statuses: number[]][] = [
  [
    "far more than may be, with nothing behind it",
    (scenario) => head(scenario.incoming, ["Content-Length: 1000000000"]) + "{}",
    [413],
  ],
  ["no number", (scenario) => head(scenario.incoming, ["Content-Length: many"]) + "{}", [400]],
  ["negative", (scenario) => head(scenario.incoming, ["Content-Length: -1"]) + "{}", [400]],
  [
    "less than it is, the rest then being a request with no credential",
    (scenario) => `${head(scenario.incoming, ["Content-Length: 2"])}{}${nosy}\r\n\r\n`,
    [422, 401],
  ],
  [
    "5 bytes of what is chunked and over 256 KiB",
    (scenario) => {
      const chunk = `10000\r\n${" ".repeat(0x10000)}\r\n`;
      const lines = ["Content-Length: 5", "Transfer-Encoding: chunked"];
      return `${head(scenario.incoming, lines)}${chunk.repeat(4)}1\r\n \r\n0\r\n\r\n`;
    },
    [413],
  ],
];
