import { expect } from "vitest";
import { type ApiDocument, type ApiOperation, checkerOf, mediaOf, operationsIn } from "../../../openapi/check.ts";
import { withResponses } from "../../../openapi/resolve.ts";
import type { Reply } from "../support/http.ts";

/** The document as the relay serves it, and whether an answer is one that it describes. */

/** Headers that mean something to a caller: where one of them comes, the document has to say so. */
const TELLING =
  /^(allow|idempotent-replay|preference-applied|relay-.*|retry-after|set-cookie|upgrade|www-authenticate|x-request-id)$/;

export type Api = {
  operations: ApiOperation[];
  /** The operation's first example, by name or the first there is. */
  example: (operation: ApiOperation, name?: string) => unknown;
  /** The path, each parameter filled in with its example or what stands in its place. */
  pathOf: (operation: ApiOperation, instead?: Record<string, string>) => string;
  /** Fails unless this operation may answer like this. */
  expectDescribed: (operation: ApiOperation, reply: Reply, what: string) => void;
  /** Fails unless the value is one of this named schema. */
  expectSchema: (name: string, value: unknown) => void;
};

export function apiOf(document: ApiDocument): Api {
  const check = checkerOf(document, { closed: true });
  return {
    operations: operationsIn(withResponses(document).paths),
    example: (operation, name) => {
      const examples = Object.entries(mediaOf(operation.requestBody)?.examples ?? {});
      return (examples.find(([key]) => name === undefined || key === name) ?? [])[1]?.value;
    },
    pathOf: (operation, instead = {}) => {
      const { path, parameters = [] } = operation;
      const valueOf = (name: string): string | undefined => {
        const example = parameters.find((parameter) => parameter.name === name)?.example;
        return instead[name] ?? (typeof example === "string" ? example : undefined);
      };
      const needed = parameters.filter((parameter) => parameter.in === "query" && parameter.required);
      const query = new URLSearchParams(
        needed.map(({ name }): [string, string] => [name, valueOf(name) ?? ""]),
      ).toString();
      const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(valueOf(name) ?? name));
      return query === "" ? filled : `${filled}?${query}`;
    },
    expectDescribed: ({ method, path, responses }, reply, what) => {
      const where = `${what}: ${method} ${path} answered ${reply.status} ${reply.text.slice(0, 300)}`;
      const response = responses[reply.status];
      expect(Object.keys(responses), where).toContain(String(reply.status));
      const media = mediaOf(response);
      if (media) expect(check(media.schema, reply.body), where).toEqual([]);
      const described = Object.keys(response?.headers ?? {});
      const telling = [...reply.headers.keys()].filter((name) => TELLING.test(name));
      expect(described, where).toEqual(expect.arrayContaining(telling));
    },
    expectSchema: (name, value) =>
      expect(check({ $ref: `#/components/schemas/${name}` }, value), JSON.stringify(value)).toEqual([]),
  };
}
