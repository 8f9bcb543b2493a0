import { expect, test } from "vitest";
import { operations } from "../../../openapi/document";
import { routes } from "../../../src/app";

/** One of several words in a route's pattern is as many paths of the document. */
const pathsOf = (pattern: string): string[] => {
  const words = /:\w+\{([\w|]+)\}/.exec(pattern);
  if (words) return (words[1] ?? "").split("|").flatMap((word) => pathsOf(pattern.replace(words[0], word)));
  return [pattern.replaceAll(/:(\w+)/g, "{$1}")];
};

test("every route of the relay is described, and every operation that is described has a route", () => {
  // "ALL" is what Hono calls a middleware for all of them; of one route it stands there as a second entry.
  const served = new Set(
    routes
      .filter(({ method }) => method !== "ALL")
      .flatMap(({ method, path }) => pathsOf(path).map((one) => `${method} ${one}`)),
  );
  const described = operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
  expect([...served].toSorted()).toEqual(described.toSorted());
});
